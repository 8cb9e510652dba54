import type { ReactElement } from "react";
import type { NetworkBody } from "../api/wire.ts";
import { amount, ONE } from "../format/amount.ts";

/** Among hundreds of millions, decimals only make it harder to read. */
const whole = (wei: string): string => grouped.format(BigInt(wei) / ONE);

const grouped = new Intl.NumberFormat("en-US");

export function NetworkStrip({ network }: { readonly network: NetworkBody | undefined }): ReactElement | null {
  if (!network) return null;
  const { supply, queue } = network;
  const burned = amount(BigInt(supply.burned_wei));
  const minted = amount(BigInt(supply.minted_wei));
  const facts: readonly (readonly [string, string, string])[] = [
    ["Block", grouped.format(BigInt(network.block)), "Height of the chain"],
    ["Recorded", grouped.format(BigInt(network.records)), "Answers settled and recorded on chain"],
    [
      "Supply",
      `${whole(supply.total_wei)} NSD`,
      `In all wallets: ${burned} burned ahead of use so far, ${minted} minted back`,
    ],
    ["Waiting", grouped.format(queue.waiting + queue.running), "Requests that this keeper works on"],
  ];
  return (
    <section className="network">
      <h2>Network</h2>
      <dl>
        {facts.map(([name, value, title]) => (
          <div key={name} title={title}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

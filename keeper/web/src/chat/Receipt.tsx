import type { ReactElement } from "react";
import { amount, sharing } from "../format/amount.ts";
import { type Leg, Legs } from "./Legs.tsx";
import type { Turn } from "./model.ts";
import { Proofs } from "./Proofs.tsx";

/** Where each NSD went. It stands there from the first moment, at its full size, and fills in as things become true. */
export function Receipt({ turn }: { readonly turn: Turn }): ReactElement {
  const receipt = turn.outcome?.receipt;
  const names = ["Validator", "Treasury", "Burned", "Back to you"] as const;
  const kinds = ["validator", "treasury", "burn", "back"] as const;
  const parts = receipt
    ? [receipt.validator_wei, receipt.treasury_wei, receipt.burned_wei, receipt.returned_wei].map((wei) => BigInt(wei))
    : undefined;
  const shown = parts ? sharing(parts) : undefined;
  const legs = kinds.map(
    (kind, index): Leg => ({ kind, name: names[index] ?? "", wei: parts?.[index], shown: shown?.[index] }),
  );
  return (
    <section className="card receipt" aria-label="Receipt" aria-busy={!receipt}>
      <p className="headline">
        {receipt ? (
          <>
            {amount(BigInt(receipt.payment_wei))} NSD paid, {amount(BigInt(receipt.consumed_wei))} used
          </>
        ) : (
          <>
            At most {amount(BigInt(turn.terms.paymentWei))} NSD
            <span className="soft">, what is not used comes back</span>
          </>
        )}
      </p>
      <Legs legs={legs} />
      <Proofs turn={turn} />
    </section>
  );
}

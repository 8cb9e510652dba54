/** How a relayed request reads on the way to the chain, and back from it. */
import { type Hex, size, stringToHex, zeroAddress } from "viem";
import { routerAbi } from "../chain/contracts.ts";
import { type ChainEvent, eventsOf } from "../chain/events.ts";
import { NO_SALT } from "../chain/intents.ts";
import { type Offer, unpackPayer } from "../chain/words.ts";
import type { RequestRow } from "../database/requests.ts";
import type { Context } from "./context.ts";

/** The submission that used a row's nonce, where it is the row's own. */
export async function submissionOf({ chain, deployment }: Context, row: RequestRow): Promise<ChainEvent[]> {
  const address = deployment.addresses.router;
  const args = { user: row.user };
  const logs = await chain.client.getContractEvents({
    address,
    abi: routerAbi,
    eventName: "RequestSubmitted",
    args,
    fromBlock: deployment.fromBlock,
  });
  const ours = logs.filter(
    (log) => log.args.promptHash === row.promptHash && unpackPayer(log.args.payer ?? 0n).payment === row.payment,
  );
  return (
    await Promise.all(ours.map((log) => eventsOf(chain, deployment, log.args.id ?? row.key, ["RequestSubmitted"])))
  ).flat();
}

/** Bytes of a prompt that may go on chain. */
export const MOST_PUBLIC_BYTES = 8_192;

/**
 * The prompt as it goes on chain. Where several validators serve the model, whoever is assigned has to read it there;
 * where only one does, it stays with this keeper. With a salt, the contract could not tell that the bytes are the
 * ones that were signed.
 */
export function publicPrompt(row: RequestRow, offer: Offer): Hex {
  if (offer.servers < 2 || row.salt !== NO_SALT || row.prompt === null || row.isPrivate) return "0x";
  const bytes = stringToHex(row.prompt);
  return size(bytes) > MOST_PUBLIC_BYTES ? "0x" : bytes;
}

/** What the user signed, as the contract takes it. */
export function intentOf(row: RequestRow) {
  const { user, promptHash, maxTokens, temperature, payment, priority, nonce, deadline, operator } = row;
  return {
    user,
    promptHash,
    maxTokens,
    temperature,
    payment,
    priority,
    nonce,
    deadline,
    validator: zeroAddress,
    relayer: operator,
    relayFee: 0n,
    callback: zeroAddress,
    callbackGas: 0,
  };
}

/** How a relayed request reads on the way to the chain, and back from it. */
import { type Hex, size, stringToHex, zeroAddress } from "viem";
import { routerAbi } from "../chain/contracts.ts";
import { type ChainEvent, readEvents } from "../chain/events.ts";
import { NO_SALT } from "../chain/intents.ts";
import { newestLogs } from "../chain/newest-logs.ts";
import { type Offer, unpackPayer } from "../chain/words.ts";
import type { RequestRow } from "../database/requests.ts";
import type { Context } from "./context.ts";

/** Before a request was accepted there is nothing of it on chain, whatever the clocks of chain and host differ by. */
const CLOCKS_DIFFER_SECONDS = 86_400;
export const bornAfter = (row: RequestRow): number => Math.floor(row.createdAt / 1000) - CLOCKS_DIFFER_SECONDS;

/** The submission that used a row's nonce, where it is the row's own. */
export async function submissionOf({ chain, deployment }: Context, row: RequestRow): Promise<ChainEvent[]> {
  const asked = {
    address: deployment.addresses.router,
    abi: routerAbi,
    eventName: "RequestSubmitted",
    args: { user: row.user },
  } as const;
  const isOurs = ({ args }: { args: { promptHash?: Hex; payer?: bigint } }): boolean =>
    args.promptHash === row.promptHash && unpackPayer(args.payer ?? 0n).payment === row.payment;
  const logs = await newestLogs(
    chain,
    deployment.fromBlock,
    (range) => chain.client.getContractEvents({ ...asked, ...range }),
    isOurs,
    bornAfter(row),
  );
  return readEvents(logs.filter(isOurs), deployment);
}

/** Bytes of a prompt that may go on chain. */
export const MOST_PUBLIC_BYTES = 8_192;

/** Whether somebody may be assigned who has the prompt from the chain alone. */
export const isServedElsewhere = ({ validator, model }: Context, name: string, { servers }: Offer): boolean =>
  servers > (validator.id !== 0 && name === model ? 1 : 0);

/**
 * The prompt as it goes on chain. Where other validators serve the model, whoever is assigned has to read it there;
 * where only this one does, it stays with this keeper. With a salt, the contract could not tell that the bytes are the
 * ones that were signed.
 */
export function publicPrompt(context: Context, row: RequestRow, offer: Offer): Hex {
  if (!isServedElsewhere(context, row.model, offer) || row.salt !== NO_SALT || row.prompt === null || row.isPrivate)
    return "0x";
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

import { type Address, type Hash, type Hex, isAddressEqual, type Log, parseEventLogs, zeroAddress } from "viem";
import type { TicketFields } from "../database/requests.ts";
import type { ChainConnection } from "./clients.ts";
import { creditsAbi, type Deployment, rewardTokenAbi, routerAbi } from "./contracts.ts";
import { newestLogs } from "./newest-logs.ts";
import { unpackPayer } from "./words.ts";

/** Where on the chain something happened. */
export interface Place {
  readonly block: bigint;
  readonly transaction: Hash;
  readonly logIndex: number;
}

export const FAILURE_CLASSES = ["none", "offline", "timeout", "error", "invalid", "bad_prompt", "no_node"] as const;
export type FailureClass = (typeof FAILURE_CLASSES)[number];
export const SKIP_REASONS = [
  "none",
  "expired",
  "bad_nonce",
  "bad_tokens",
  "underpaid",
  "no_credits",
  "bad_signature",
  "empty_digest",
  "unknown_model",
] as const;

export type ChainEvent = { readonly place: Place } & (
  | {
      readonly type: "submitted";
      readonly id: Hex;
      readonly user: Address;
      readonly payment: bigint;
      readonly validator: number;
      readonly ticket: TicketFields;
    }
  | { readonly type: "prompt"; readonly id: Hex; readonly prompt: Hex }
  | { readonly type: "assigned"; readonly id: Hex; readonly validator: number }
  | { readonly type: "declined"; readonly id: Hex; readonly validator: number }
  | {
      readonly type: "attempt-failed";
      readonly id: Hex;
      readonly validator: number;
      readonly class: FailureClass;
    }
  /** `until` in unix seconds. */
  | { readonly type: "cancelling"; readonly id: Hex; readonly validator: number; readonly until: number }
  | {
      readonly type: "cancelled";
      readonly id: Hex;
      readonly user: Address;
      readonly refund: bigint;
      readonly forfeited: bigint;
    }
  | {
      readonly type: "settled";
      readonly id: Hex;
      readonly user: Address;
      readonly record: bigint;
      readonly validator: number;
      readonly tokens: number;
      readonly digest: Hex;
      readonly consumed: bigint;
      readonly validatorLeg: bigint;
      readonly treasuryLeg: bigint;
      readonly burnLeg: bigint;
    }
  | {
      readonly type: "failed";
      readonly id: Hex;
      readonly user: Address;
      /** Whose attempt was the last, 0 where it ended in the queue. */
      readonly validator: number;
      readonly class: FailureClass;
      readonly refund: bigint;
      readonly forfeited: bigint;
    }
  | {
      readonly type: "skipped";
      readonly id: Hex;
      readonly user: Address;
      readonly reason: (typeof SKIP_REASONS)[number];
    }
  | { readonly type: "rewards-skipped"; readonly chats: bigint }
  | { readonly type: "minted"; readonly token: "LCAI" | "CHOIR"; readonly user: Address; readonly amount: bigint }
  | { readonly type: "deposited"; readonly user: Address; readonly amount: bigint }
  | { readonly type: "session-opened"; readonly id: Hex; readonly user: Address; readonly cap: bigint }
  | { readonly type: "session-closed"; readonly id: Hex }
  /** A bond, by its committer and the hash that it stands for. */
  | { readonly type: "committed"; readonly id: Hex; readonly user: Address; readonly bond: bigint }
  | { readonly type: "commitment-over"; readonly id: Hex; readonly user: Address }
);

type RouterLog = ReturnType<typeof parseEventLogs<typeof routerAbi, true>>[number];

/** What the contracts' logs say, in order; logs of no interest here are left out. */
export function readEvents(logs: readonly Log<bigint, number, false>[], deployment: Deployment): ChainEvent[] {
  const { router, credits, lcai, choir } = deployment.addresses;
  return logs.flatMap((log): ChainEvent[] => {
    const place = { block: log.blockNumber, transaction: log.transactionHash, logIndex: log.logIndex };
    if (isAddressEqual(log.address, router)) {
      const [parsed] = parseEventLogs({ abi: routerAbi, logs: [log] });
      return parsed ? fromRouter(parsed, place) : [];
    }
    if (isAddressEqual(log.address, lcai) || isAddressEqual(log.address, choir)) {
      const [parsed] = parseEventLogs({ abi: rewardTokenAbi, eventName: "Transfer", logs: [log] });
      if (!parsed || parsed.args.from !== zeroAddress) return [];
      const token = isAddressEqual(log.address, lcai) ? "LCAI" : "CHOIR";
      return [{ type: "minted", token, user: parsed.args.to, amount: parsed.args.value, place }];
    }
    if (isAddressEqual(log.address, credits)) {
      const [parsed] = parseEventLogs({ abi: creditsAbi, eventName: "Deposited", logs: [log] });
      return parsed ? [{ type: "deposited", user: parsed.args.user, amount: parsed.args.amount, place }] : [];
    }
    return [];
  });
}

function fromRouter(log: RouterLog, place: Place): ChainEvent[] {
  switch (log.eventName) {
    case "RequestSubmitted": {
      const { id, user, validator, payer, terms, promptHash, callback } = log.args;
      const ticket = { payer, terms, promptHash, callback };
      return [
        {
          type: "submitted",
          id,
          user,
          payment: unpackPayer(payer).payment,
          validator: Number(validator),
          ticket,
          place,
        },
      ];
    }
    case "PromptPublished":
      return [{ type: "prompt", id: log.args.id, prompt: log.args.prompt, place }];
    case "RequestAssigned":
      return [{ type: "assigned", id: log.args.id, validator: Number(log.args.validator), place }];
    case "RequestDeclined":
      return [{ type: "declined", id: log.args.id, validator: Number(log.args.validator), place }];
    case "RequestSettled": {
      const { id, user, outcome } = log.args;
      const { consumed, validatorLeg, treasuryLeg, validator, tokens } = outcome;
      // What is in neither leg was burned.
      const burnLeg = consumed - validatorLeg - treasuryLeg;
      return [
        { type: "settled", id, user, ...outcome, burnLeg, validator: Number(validator), tokens: Number(tokens), place },
      ];
    }
    case "AttemptFailed": {
      const { id, validator } = log.args;
      return [{ type: "attempt-failed", id, validator: Number(validator), class: classOf(log.args.class), place }];
    }
    case "CancelRequested": {
      const { id, validator, until } = log.args;
      return [{ type: "cancelling", id, validator: Number(validator), until: Number(until), place }];
    }
    case "RequestCancelled": {
      const { id, user, refund, forfeited } = log.args;
      return [{ type: "cancelled", id, user, refund, forfeited, place }];
    }
    case "RequestFailed": {
      const { id, user, validator, refund, forfeited } = log.args;
      const failed = { id, user, validator: Number(validator), class: classOf(log.args.class), refund, forfeited };
      return [{ type: "failed", ...failed, place }];
    }
    case "DeliverySkipped":
      return [
        {
          type: "skipped",
          id: log.args.id,
          user: log.args.user,
          reason: SKIP_REASONS[log.args.reason] ?? "none",
          place,
        },
      ];
    case "RewardsSkipped":
      return [{ type: "rewards-skipped", chats: log.args.chats, place }];
    default:
      return aboutPositions(log, place);
  }
}

const classOf = (index: number): FailureClass => FAILURE_CLASSES[index] ?? "none";

/** What an address has in sessions and bonds. */
function aboutPositions(log: RouterLog, place: Place): ChainEvent[] {
  switch (log.eventName) {
    case "SessionOpened":
      return [{ type: "session-opened", id: log.args.id, user: log.args.user, cap: log.args.cap, place }];
    case "SessionClosed":
      return [{ type: "session-closed", id: log.args.id, place }];
    case "Committed": {
      const { committer: user, commitment: id, bond } = log.args;
      return [{ type: "committed", id, user, bond, place }];
    }
    case "Revealed":
    case "BondForfeited":
      return [{ type: "commitment-over", id: log.args.commitment, user: log.args.committer, place }];
    default:
      return [];
  }
}

/** What the router says of a request from its submission to its end. */
export const WHOLE_LIFE = [
  "RequestSubmitted",
  "RequestAssigned",
  "RequestDeclined",
  "AttemptFailed",
  "CancelRequested",
  "RequestCancelled",
  "RequestSettled",
  "RequestFailed",
] as const;

type AboutRequest = (typeof WHOLE_LIFE)[number] | "PromptPublished";

/**
 * What the router said about one request, in order, back to its submission or settlement.
 * @param since Unix seconds before which there can be nothing.
 */
export async function eventsOf(
  chain: ChainConnection,
  deployment: Deployment,
  id: Hex,
  names: readonly AboutRequest[],
  since = 0,
): Promise<ChainEvent[]> {
  const asked = { address: deployment.addresses.router, abi: routerAbi, args: { id } } as const;
  const logs = await newestLogs(
    chain,
    deployment.fromBlock,
    async (range) => {
      const found = await Promise.all(
        names.map((eventName) => chain.client.getContractEvents({ ...asked, ...range, eventName })),
      );
      return found.flat();
    },
    ({ eventName }) => eventName === "RequestSubmitted" || eventName === "RequestSettled",
    since,
  );
  logs.sort((a, b) => Number(a.blockNumber - b.blockNumber) || a.logIndex - b.logIndex);
  return readEvents(logs, deployment);
}

/** Whether the prompt of a request went on chain with it. */
export async function isPublished(chain: ChainConnection, deployment: Deployment, id: Hex): Promise<boolean> {
  const events = await eventsOf(chain, deployment, id, ["RequestSubmitted", "PromptPublished"]);
  return events.some(({ type }) => type === "prompt");
}

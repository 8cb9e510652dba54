/** What an address has in open requests, sessions and bonds, as the router holds it at one block. */
import type { Address } from "viem";
import { routerAbi } from "../chain/contracts.ts";
import { executionWindow, type Offer } from "../chain/words.ts";
import { type PositionRow, positionsOf } from "../database/positions.ts";
import type { Context } from "./context.ts";
import { CANCEL_WINDOW, CHAIN_STATUSES } from "./decide.ts";
import type { Position } from "./types.ts";

const MOST_ATTEMPTS = 3;
const LONGEST_BACKOFF = 2;
const BLOCKS_TO_REVEAL = 256n;

/** A block, and everything that is read at it. */
export interface Moment {
  readonly context: Context;
  readonly user: Address;
  readonly block: bigint;
  /** Unix seconds. */
  readonly now: number;
}

export const dateOf = (seconds: bigint | number): Date => new Date(Number(seconds) * 1000);

export async function readOpen(moment: Moment): Promise<Position[]> {
  const rows = await positionsOf(moment.context.database, moment.user);
  const found = await Promise.all(
    rows.map((row) => {
      if (row.kind === "request") return readRequest(moment, row);
      return row.kind === "session" ? readSession(moment, row) : readBond(moment, row);
    }),
  );
  return found.filter((position) => position !== undefined);
}

async function readRequest({ context, block }: Moment, row: PositionRow): Promise<Position | undefined> {
  const { chain, catalogue, deployment } = context;
  const view = await chain.client.readContract({
    address: deployment.addresses.router,
    abi: routerAbi,
    functionName: "requestOf",
    args: [row.id],
    blockNumber: block,
  });
  const status = CHAIN_STATUSES[view.status] ?? "none";
  if (status !== "queued" && status !== "assigned") return undefined;
  const model = await catalogue.byIndex(row.detail.model ?? 0);
  const offer = await catalogue.offer(model?.name ?? context.model);
  const end = latestEnd(view, status, offer, row.detail.maxTokens ?? 0);
  return {
    token: "NSD",
    kind: "request",
    amount: row.amount,
    contract: "router",
    availableAt: dateOf(end),
    call: "expire(Ticket)",
    by: "anyone",
    id: row.id,
    note: view.cancelling
      ? "Locked by a request that was cancelled: its validator may still post what it has."
      : `Locked by a ${status === "queued" ? "queued" : "running"} request: what it does not cost comes back when it ends, at that time at the latest, where somebody says so. cancel(Ticket) ends it sooner.`,
  };
}

/** With every attempt that is left, each of them queued and worked on for as long as can be. */
export function latestEnd(
  view: { readonly since: bigint; readonly attempts: bigint; readonly cancelling: boolean },
  status: "queued" | "assigned",
  offer: Pick<Offer, "queueWindow" | "window" | "pace">,
  maxTokens: number,
): number {
  const since = Number(view.since);
  if (view.cancelling) return since + CANCEL_WINDOW;
  const work = executionWindow(offer, maxTokens);
  const left = Math.max(0, MOST_ATTEMPTS - Number(view.attempts));
  const later = left * (offer.queueWindow + LONGEST_BACKOFF + work);
  return status === "assigned" ? since + work + later : since + Math.max(later, offer.queueWindow);
}

async function readSession({ context, block }: Moment, row: PositionRow): Promise<Position | undefined> {
  const view = await context.chain.client.readContract({
    address: context.deployment.addresses.router,
    abi: routerAbi,
    functionName: "sessionOf",
    args: [row.id],
    blockNumber: block,
  });
  if (!view.open) return undefined;
  return {
    token: "NSD",
    kind: "session",
    amount: view.cap - view.settled,
    contract: "router",
    availableAt: dateOf(view.endsAt),
    call: "closeSession(Session)",
    by: "anyone",
    id: row.id,
    note: "Locked by an open session, less what receipts settle until then. endSession(Session) ends it sooner.",
  };
}

async function readBond({ context, user, block, now }: Moment, row: PositionRow): Promise<Position | undefined> {
  const [bond, atBlock] = await context.chain.client.readContract({
    address: context.deployment.addresses.router,
    abi: routerAbi,
    functionName: "commitmentOf",
    args: [user, row.id],
    blockNumber: block,
  });
  if (bond === 0n) return undefined;
  const revealable = block <= atBlock + BLOCKS_TO_REVEAL;
  return {
    token: "NSD",
    kind: "bond",
    amount: bond,
    contract: "router",
    ...(revealable ? { availableAt: dateOf(now), call: "reveal(Intent,bytes,bytes,bytes32)" } : {}),
    by: "owner",
    id: row.id,
    note: revealable
      ? `The bond of a commitment: back in credits when it is revealed, up to block ${atBlock + BLOCKS_TO_REVEAL}.`
      : "The bond of a commitment that was not revealed in time: it is lost.",
  };
}

/** What the pure decision is asked about: rows of the journal, and facts. */
import type { RequestRow } from "../../../keeper/database/requests.ts";
import type { Facts } from "../../../keeper/services/decide.ts";
import { newRow } from "../../../keeper/services/events-to-rows.ts";

export const NOW = 1_000_000;
export const ADDRESS = `0x${"11".repeat(20)}` as const;
export const HASH = `0x${"22".repeat(32)}` as const;

export const row = (more: Partial<RequestRow> = {}): RequestRow =>
  newRow({
    key: HASH,
    operator: ADDRESS,
    lane: "direct",
    user: ADDRESS,
    model: "m",
    promptHash: HASH,
    maxTokens: 10,
    temperature: 0,
    payment: 1n,
    priority: false,
    isPrivate: false,
    nonce: 0,
    createdAt: 0,
    deadline: BigInt(NOW + 600),
    ...more,
  });

export const facts = (more: Partial<Facts> = {}): Facts => ({
  now: NOW,
  ourValidator: 4,
  answering: false,
  recordKept: false,
  ...more,
});
export const onChain = (more: Partial<NonNullable<Facts["onChain"]>> = {}): NonNullable<Facts["onChain"]> => ({
  status: "assigned",
  validator: 4,
  at: NOW - 1,
  cancelling: false,
  eligible: false,
  queueWindow: 300,
  ackWindow: 30,
  executionWindow: 60,
  seenAt: NOW - 100,
  ...more,
});

export const stored = { stage: "stored", digest: HASH, cid: "cid", tokensUsed: 3 } as const;
export const assigned = { lane: "assigned", requestId: HASH, stage: "submitted" } as const;
export const stranger = { ...assigned, origin: "chain" } as const;
/** The keepers of a stranger's request take their turns by key and operator. */
export const turn = Number((BigInt(HASH) ^ BigInt(ADDRESS)) % 10n);
export const unsubmitted = { lane: "assigned", requestId: null } as const;

import { describe, expect, test } from "vitest";
import type { RequestRow } from "../../keeper/database/requests.ts";
import { type Decision, decide, type Facts } from "../../keeper/services/decide.ts";
import { newRow } from "../../keeper/services/events-to-rows.ts";

const NOW = 1_000_000;
const ADDRESS = `0x${"11".repeat(20)}` as const;
const HASH = `0x${"22".repeat(32)}` as const;

const row = (more: Partial<RequestRow> = {}): RequestRow =>
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

const facts = (more: Partial<Facts> = {}): Facts => ({
  now: NOW,
  ourValidator: 4,
  answering: false,
  recordKept: false,
  ...more,
});
const onChain = (more: Partial<NonNullable<Facts["onChain"]>> = {}): NonNullable<Facts["onChain"]> => ({
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

const stored = { stage: "stored", digest: HASH, cid: "cid", tokensUsed: 3 } as const;
const assigned = { lane: "assigned", requestId: HASH, stage: "submitted" } as const;
const stranger = { ...assigned, origin: "chain" } as const;
/** The keepers of a stranger's request take their turns by key and operator. */
const turn = Number((BigInt(HASH) ^ BigInt(ADDRESS)) % 10n);
const unsubmitted = { lane: "assigned", requestId: null } as const;

const cases: readonly [name: string, row: Partial<RequestRow>, facts: Partial<Facts>, expected: Decision][] = [
  ["leaves alone what has ended", { stage: "final" }, { nonceUsed: true }, { action: "wait" }],
  ["waits for the transaction that carries it", stored, { transaction: "open" }, { action: "wait" }],
  ["reads the receipt of a mined one", stored, { transaction: "mined" }, { action: "read-receipt" }],
  ["lets go of a lost one", stored, { transaction: "lost" }, { action: "unlink" }],

  ["direct: answers what is new", {}, { nonceUsed: false }, { action: "answer" }],
  [
    "direct: does not answer twice at once",
    {},
    { nonceUsed: false, answering: true },
    { action: "wait", until: NOW + 600 },
  ],
  ["direct: delivers what is stored", stored, { nonceUsed: false, recordKept: true }, { action: "deliver" }],
  ["direct: answers again what the store lost", stored, { nonceUsed: false, recordKept: false }, { action: "answer" }],
  [
    "direct: asks the chain where its nonce is used",
    stored,
    { nonceUsed: true, recordKept: true },
    { action: "look-up" },
  ],
  [
    "direct: gives up what the model refuses",
    {},
    { nonceUsed: false, refusal: { code: "prompt_too_long", message: "long" } },
    { action: "give-up", code: "prompt_too_long", message: "long" },
  ],

  ["assigned: submits", unsubmitted, { nonceUsed: false }, { action: "submit" }],
  ["assigned: never submits a used nonce again", unsubmitted, { nonceUsed: true }, { action: "look-up" }],
  ["assigned: answers what is ours", assigned, { onChain: onChain() }, { action: "answer" }],
  [
    "assigned: settles what is stored",
    { ...assigned, ...stored },
    { onChain: onChain(), recordKept: true },
    { action: "settle" },
  ],
  [
    "assigned: confesses what the model refuses",
    assigned,
    { onChain: onChain(), refusal: { code: "x", message: "y" } },
    { action: "confess" },
  ],
  [
    "assigned: declines a prompt that it cannot use",
    assigned,
    { onChain: onChain(), refusal: { code: "prompt_missing", message: "y" } },
    { action: "decline" },
  ],
  [
    "assigned: shows life while a long answer is under way",
    assigned,
    { answering: true, onChain: onChain({ at: NOW - 21 }) },
    { action: "acknowledge" },
  ],
  [
    "assigned: need not, where it was seen since",
    assigned,
    { answering: true, onChain: onChain({ at: NOW - 21, seenAt: NOW - 5 }) },
    { action: "wait", until: NOW + 40 },
  ],
  [
    "assigned: looks up what the chain has ended",
    assigned,
    { onChain: onChain({ status: "completed" }) },
    { action: "look-up" },
  ],
  ["assigned: looks up what failed", assigned, { onChain: onChain({ status: "failed" }) }, { action: "look-up" }],
  [
    "assigned: submits again what the chain forgot",
    assigned,
    { onChain: onChain({ status: "none" }) },
    { action: "resubmit" },
  ],
  [
    "assigned: waits for a stranger's that the chain forgot",
    { ...assigned, origin: "chain" },
    { onChain: onChain({ status: "none" }) },
    { action: "wait" },
  ],
  ["assigned: ends its own too late one", assigned, { onChain: onChain({ at: NOW - 100 }) }, { action: "expire" }],
  [
    "assigned: leaves a stranger's too late one",
    { ...assigned, origin: "chain" },
    { onChain: onChain({ at: NOW - 100 }) },
    { action: "wait" },
  ],
  ["queued: tries to assign", assigned, { onChain: onChain({ status: "queued", validator: 0 }) }, { action: "assign" }],
  [
    "queued: stops trying",
    { ...assigned, attempts: 8 },
    { onChain: onChain({ status: "queued", validator: 0 }) },
    { action: "wait", until: NOW + 304 },
  ],
  [
    "queued: ends it after the window",
    assigned,
    { onChain: onChain({ status: "queued", validator: 0, at: NOW - 306 }) },
    { action: "expire" },
  ],
  [
    "queued: goes on trying where our own validator is free",
    { ...assigned, attempts: 8 },
    { onChain: onChain({ status: "queued", validator: 0, eligible: true }) },
    { action: "assign" },
  ],
  [
    "queued: lets go of what was taken from us",
    assigned,
    { answering: true, onChain: onChain({ status: "queued", validator: 0 }) },
    { action: "abandon" },
  ],
  [
    "queued: leaves a stranger's that is not for us",
    stranger,
    { onChain: onChain({ status: "queued", validator: 0 }) },
    { action: "wait" },
  ],
  [
    "queued: leaves a stranger's to its keeper at first",
    stranger,
    { onChain: onChain({ status: "queued", validator: 0, eligible: true }) },
    { action: "wait", until: NOW - 1 + 5 + turn },
  ],
  [
    "queued: takes a stranger's that nobody assigned",
    stranger,
    { onChain: onChain({ status: "queued", validator: 0, eligible: true, at: NOW - 20 }) },
    { action: "assign" },
  ],
  [
    "queued: leaves a stranger's whose time is over",
    stranger,
    { onChain: onChain({ status: "queued", validator: 0, eligible: true, at: NOW - 301 }) },
    { action: "wait" },
  ],
  [
    "cancelling: posts what is stored",
    { ...assigned, ...stored },
    { onChain: onChain({ cancelling: true }), recordKept: true },
    { action: "settle" },
  ],
  [
    "cancelling: ends what is being drawn",
    assigned,
    { answering: true, onChain: onChain({ cancelling: true }) },
    { action: "cut" },
  ],
  [
    "cancelling: lets go of what is not begun",
    assigned,
    { onChain: onChain({ cancelling: true }) },
    { action: "confess" },
  ],
  [
    "cancelling: blames no prompt",
    assigned,
    { onChain: onChain({ cancelling: true }), refusal: { code: "prompt_missing", message: "y" } },
    { action: "confess" },
  ],
  [
    "cancelling: ends what it could not post in time, whoever asked",
    { ...stranger, ...stored },
    { onChain: onChain({ cancelling: true, at: NOW - 36 }), recordKept: true },
    { action: "expire" },
  ],
  [
    "cancelling: answers on where the chain took that back",
    assigned,
    { onChain: onChain(), refusal: { code: "cancelled", message: "y" } },
    { action: "answer" },
  ],
  [
    "another's: drops what it answers",
    assigned,
    { answering: true, onChain: onChain({ validator: 5 }) },
    { action: "abandon" },
  ],
  [
    "another's: drops a stranger's too",
    stranger,
    { answering: true, onChain: onChain({ validator: 5 }) },
    { action: "abandon" },
  ],
  [
    "another's: waits for the windows to begin after a backoff",
    assigned,
    { onChain: onChain({ validator: 5, at: NOW + 2 }) },
    { action: "wait", until: NOW + 37 },
  ],
  [
    "another's: waits for the cancellation's half minute",
    assigned,
    { onChain: onChain({ validator: 5, cancelling: true, seenAt: NOW }) },
    { action: "wait", until: NOW + 34 },
  ],
  [
    "another's: ends a cancelled one after that",
    assigned,
    { onChain: onChain({ validator: 5, cancelling: true, at: NOW - 36, seenAt: NOW }) },
    { action: "expire" },
  ],
  [
    "another's: waits for its acknowledgement window",
    assigned,
    { onChain: onChain({ validator: 5 }) },
    { action: "wait", until: NOW + 34 },
  ],
  [
    "another's: waits for its execution window, where it was seen",
    assigned,
    { onChain: onChain({ validator: 5, seenAt: NOW }) },
    { action: "wait", until: NOW + 64 },
  ],
  [
    "another's: ends it after that",
    assigned,
    { onChain: onChain({ validator: 5, at: NOW - 70, seenAt: NOW }) },
    { action: "expire" },
  ],
];

describe("decide", () => {
  test.each(cases)("%s", (_name, rowMore, factsMore, expected) => {
    expect(decide(row(rowMore), facts(factsMore))).toEqual(expected);
  });

  test.each(["direct", "assigned"] as const)(
    "gives up a %s request whose deadline is over, and says that nothing was charged",
    (lane) => {
      const late = row({ lane, requestId: null, deadline: BigInt(NOW - 1) });
      expect(decide(late, facts({ nonceUsed: false }))).toMatchObject({ action: "give-up", code: "expired" });
    },
  );
});

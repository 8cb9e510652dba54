import { describe, expect, test } from "vitest";
import type { RequestRow } from "../../keeper/database/requests.ts";
import { type Decision, decide, type Facts } from "../../keeper/services/decide.ts";
import { assigned, facts, NOW, onChain, row, stored, unsubmitted } from "./support/decide.ts";

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

import { describe, expect, test } from "vitest";
import type { RequestRow } from "../../keeper/database/requests.ts";
import { type Decision, decide, type Facts } from "../../keeper/services/decide.ts";
import { assigned, facts, NOW, onChain, row, stored, stranger, turn } from "./support/decide.ts";

const cases: readonly [name: string, row: Partial<RequestRow>, facts: Partial<Facts>, expected: Decision][] = [
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

describe("decide, of a request that changes hands", () => {
  test.each(cases)("%s", (_name, rowMore, factsMore, expected) => {
    expect(decide(row(rowMore), facts(factsMore))).toEqual(expected);
  });
});

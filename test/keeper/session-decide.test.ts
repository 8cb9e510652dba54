import { parseEther, sha256, stringToBytes } from "viem";
import { describe, expect, test } from "vitest";
import { recordsRoot } from "../../keeper/chain/sessions.ts";
import type { SessionRow, SignedReceipt } from "../../keeper/database/sessions.ts";
import { decide } from "../../keeper/services/decide.ts";
import { decideSession, SETTLE_BEFORE_END, type SessionFacts } from "../../keeper/services/sessions/decide.ts";
import {
  checkReceipt,
  isExact,
  nextReceipt,
  paidBy,
  receiptFor,
  worthKeeping,
} from "../../keeper/services/sessions/receipts.ts";
import { ADDRESS, facts, HASH, NOW, row, stored } from "./support/decide.ts";

const nsd = (amount: number): bigint => parseEther(String(amount));
const receipt = (count: number, total: number): SignedReceipt => ({
  count,
  total: nsd(total),
  root: HASH,
  signature: "0x",
});
const session = (more: Partial<SessionRow> = {}): SessionRow => ({
  id: HASH,
  operator: ADDRESS,
  validator: ADDRESS,
  user: ADDRESS,
  key: ADDRESS,
  model: "m",
  cap: nsd(100),
  expiry: BigInt(NOW + 86_400),
  nonce: 0,
  deadline: BigInt(NOW),
  stage: "open",
  tokenHash: null,
  createdAt: 0,
  endsAt: NOW + 86_400,
  spent: 0n,
  prompts: 0,
  receipts: [],
  settled: 0n,
  settledPrompts: 0,
  unsettledSince: null,
  transactionId: null,
  settleTx: null,
  closeTx: null,
  error: null,
  ...more,
});
const known = (more: Partial<SessionFacts> = {}): SessionFacts => ({
  now: NOW,
  reserved: 0n,
  underWay: 0,
  settleFrom: nsd(100),
  starting: false,
  ...more,
});
const owing = { spent: nsd(12), prompts: 2, receipts: [receipt(2, 12)] };

describe("what to do about a session", () => {
  test.each<[string, Partial<SessionRow>, Partial<SessionFacts>, string]>([
    ["nothing answered", {}, {}, "wait"],
    ["little unsettled", owing, {}, "wait"],
    ["as much as is worth a transaction", owing, { settleFrom: nsd(12) }, "settle"],
    ["what the contract refused before", { ...owing, error: "RouterSettlementPaused" }, {}, "settle"],
    ["what it refused, and has taken since", { error: "RouterSettlementPaused" }, {}, "wait"],
    ["a start", owing, { starting: true }, "settle"],
    ["a start with nothing owed", {}, { starting: true }, "wait"],
    ["its end near", { ...owing, endsAt: NOW + SETTLE_BEFORE_END }, {}, "settle"],
    ["its end not near", { ...owing, endsAt: NOW + SETTLE_BEFORE_END + 1 }, {}, "wait"],
    ["a day unsettled", { ...owing, unsettledSince: (NOW - 86_401) * 1_000 }, {}, "settle"],
    ["closing, with something owed", { ...owing, stage: "closing" }, {}, "settle"],
    ["closing, settled", { ...owing, stage: "closing", settled: nsd(12), settledPrompts: 2 }, {}, "close"],
    ["closing, with an answer under way", { stage: "closing" }, { underWay: 1 }, "wait"],
    ["a transaction under way", { ...owing, stage: "closing", transactionId: 1 }, {}, "wait"],
    ["over, settled", { ...owing, settled: nsd(12), settledPrompts: 2, endsAt: NOW }, {}, "close"],
    ["over, never used: its user closes it", { endsAt: NOW }, {}, "wait"],
    ["over, not settled", { ...owing, endsAt: NOW - 10 }, {}, "settle"],
  ])("%s", (_, more, given, action) => {
    expect(decideSession(session(more), known(given)).action).toBe(action);
  });

  const ahead = { ...owing, receipts: [receipt(2, 12), receipt(2, 40)] };

  test("what pays ahead is settled at the end alone: the receipts after it would pay for it again", () => {
    const overpaid = { ...owing, receipts: [receipt(1, 40)] };
    expect(decideSession(session(overpaid), known({ settleFrom: nsd(12) })).action).toBe("wait");
    expect(decideSession(session(overpaid), known({ starting: true })).action).toBe("wait");
    for (const last of [{ stage: "closing" }, { endsAt: NOW }] as const)
      expect(decideSession(session({ ...overpaid, ...last }), known())).toMatchObject({
        receipt: { count: 1, total: nsd(40) },
      });
  });

  test("what is due is settled even beside one that pays ahead, which counts for nothing then", () => {
    const underWay = { reserved: nsd(20), underWay: 1, settleFrom: nsd(12) };
    expect(decideSession(session(ahead), known(underWay))).toMatchObject({ receipt: { total: nsd(12) } });
  });

  test("the receipt that charges least is settled", () => {
    expect(decideSession(session(ahead), known({ starting: true }))).toMatchObject({ receipt: { total: nsd(12) } });
  });

  test("never one that voids what pays for an answer under way", () => {
    const underWay = { reserved: nsd(20), underWay: 1, starting: true };
    expect(decideSession(session(ahead), known(underWay)).action).toBe("wait");
    // Near the end there is no time to wait: then what pays ahead is settled, and pays for the answer when it comes.
    const ending = decideSession(session({ ...ahead, endsAt: NOW + 10 }), known(underWay));
    expect(ending).toMatchObject({ action: "settle", receipt: { total: nsd(40) } });
  });
});

describe("how far a session is paid", () => {
  const from = nsd(100);

  test("by what the chain has taken, and would take", () => {
    expect(paidBy(session(owing), from)).toBe(nsd(12));
    expect(paidBy(session({ ...owing, settled: nsd(20), settledPrompts: 2 }), from)).toBe(nsd(20));
    const spentUp = { receipts: [receipt(2, 50)], settled: nsd(12), settledPrompts: 2, prompts: 2 };
    expect(paidBy(session(spentUp), from)).toBe(nsd(12));
  });

  test("not by a receipt that a settlement on its way may void", () => {
    const moving = { ...owing, receipts: [receipt(2, 12), receipt(2, 40)], transactionId: 7 };
    expect(paidBy(session(moving), from)).toBe(0n);
    expect(paidBy(session({ ...moving, receipts: [receipt(3, 18)] }), from)).toBe(nsd(18));
  });

  test("nor, once a settlement is due, by one that pays ahead", () => {
    const due = { ...owing, receipts: [receipt(1, 40)] };
    expect(paidBy(session(due), nsd(13))).toBe(nsd(40));
    expect(paidBy(session(due), nsd(12))).toBe(0n);
    expect(paidBy(session({ ...due, receipts: [receipt(1, 40), receipt(3, 18)] }), nsd(12))).toBe(nsd(18));
  });

  test("nor by one that pays less than 5 NSD for each prompt since the last settlement", () => {
    const settled = { settled: nsd(105), settledPrompts: 1, spent: nsd(105), prompts: 21 };
    expect(paidBy(session({ ...settled, receipts: [receipt(22, 209)] }), from)).toBe(nsd(105));
    expect(receiptFor(session({ ...settled, receipts: [receipt(22, 209)] }), nsd(110))).toBeUndefined();
    expect(paidBy(session({ ...settled, receipts: [receipt(22, 210)] }), from)).toBe(nsd(210));
  });

  test("and nothing is left to settle where the chain has taken as much", () => {
    expect(receiptFor(session({ settled: nsd(12) }), nsd(12))).toBeUndefined();
    expect(receiptFor(session(owing), nsd(13))).toBeUndefined();
  });

  test("the cheapest that covers, and the furthest, are kept", () => {
    const all = [receipt(1, 6), receipt(2, 12), receipt(2, 30), receipt(2, 40)];
    expect(worthKeeping(all, nsd(12)).map(({ total }) => total)).toEqual([nsd(12), nsd(40)]);
    expect(worthKeeping([receipt(1, 6)], nsd(6))).toHaveLength(1);
    // The exact one for the next answer charges less than what was paid ahead, once that answer is told.
    const kept = worthKeeping([...all, receipt(3, 18)], nsd(12));
    expect(receiptFor(session({ receipts: kept }), nsd(18))).toMatchObject({ count: 3, total: nsd(18) });
  });
});

describe("a receipt", () => {
  const digests = ["a", "b"].map((text) => sha256(stringToBytes(text)));
  const pending = { digest: sha256(stringToBytes("c")), price: nsd(6) };
  const counted = session(owing);

  test("for the answer that waits has the count, the total and the root that the bill says", () => {
    const next = nextReceipt(counted, digests, pending);
    expect(next).toEqual({ count: 3, total: nsd(18), root: recordsRoot([...digests, pending.digest]) });
    expect(() => checkReceipt(counted, next, digests, pending)).not.toThrow();
    expect(() => checkReceipt(counted, next, digests)).toThrow(/counts 3 prompts, and the session has 2/);
  });

  test("may pay ahead, within the cap", () => {
    const now = nextReceipt(counted, digests);
    expect(() => checkReceipt(counted, { ...now, total: nsd(100) }, digests)).not.toThrow();
    expect(() => checkReceipt(counted, { ...now, total: nsd(100) + 1n }, digests)).toThrow(/above the session's cap/);
    expect(() => checkReceipt(counted, { ...now, total: nsd(12) - 1n }, digests)).toThrow(/2 prompts cost 12/);
  });

  test("pays the 5 NSD a prompt that the contract wants since its last settlement, and is asked for so", () => {
    const settled = session({ ...owing, settled: nsd(12), settledPrompts: 1 });
    const next = nextReceipt(settled, digests, pending);
    expect(next.total).toBe(nsd(22));
    expect(() => checkReceipt(settled, { ...next, total: nsd(22) - 1n }, digests, pending)).toThrow(/cost 22/);
    expect(() => checkReceipt(settled, next, digests, pending)).not.toThrow();
  });

  test("is exact where it charges what was told, for as many prompts", () => {
    expect(isExact(counted, receipt(2, 12))).toBe(true);
    expect(isExact(counted, receipt(2, 13))).toBe(false);
    expect(isExact(counted, receipt(1, 12))).toBe(false);
  });

  test("that the chain would not take any more is refused", () => {
    const settled = session({ ...owing, settled: nsd(12), settledPrompts: 2 });
    expect(() => checkReceipt(settled, nextReceipt(settled, digests), digests)).toThrow(/has settled 2 prompts/);
  });
});

describe("what to do about a prompt", () => {
  const prompt = { lane: "session", sessionId: HASH } as const;

  test.each([
    ["new", prompt, {}, "answer"],
    ["with the model", prompt, { answering: true }, "wait"],
    ["drawn", { ...prompt, ...stored }, { recordKept: true }, "charge"],
    ["drawn, long after it was asked", { ...prompt, ...stored }, { recordKept: true, now: NOW + 9_999 }, "charge"],
    ["not drawn in time", prompt, { now: NOW + 601 }, "give-up"],
    ["refused", prompt, { refusal: { code: "wrong_model", message: "" } }, "give-up"],
  ] as const)("%s", (_, more, given, action) => {
    expect(decide(row(more), facts(given)).action).toBe(action);
  });

  test.each([NOW, NOW + 9_999])("with the model at %i is waited for, not looked at again and again", (now) => {
    expect(decide(row(prompt), facts({ answering: true, now }))).toEqual({ action: "wait" });
  });
});

import { describe, expect, test } from "vitest";
import type { PhaseBody, PhaseName, RequestBody } from "../../keeper/web/src/api/wire.ts";
import { isCancellable, type Turn } from "../../keeper/web/src/chat/model.ts";
import { outcomeOfRequest, turnOf } from "../../keeper/web/src/chat/outcome.ts";
import { holderOf, toldOf, withCancelled, withPhase } from "../../keeper/web/src/chat/progress.ts";

const ID = `0x${"1d".repeat(32)}` as const;
const UNTIL = "2026-03-01T12:00:30.000Z";
const asked: Turn = {
  key: "k",
  prompt: "Who has it?",
  at: 0,
  stage: "running",
  answer: "",
  phases: [],
  requestId: ID,
  terms: { lane: "assigned", maxTokens: 500, temperature: 0.7, paymentWei: "50000000000000000000", priority: false },
};

type Told = readonly [PhaseName, PhaseBody["detail"]?];

const moved = (told: readonly Told[], turn: Turn = asked): Turn =>
  told.reduce(
    (now, [phase, detail], seq) =>
      withPhase(now, { request_id: ID, seq, phase, at: seq, ...(detail ? { detail } : {}) }),
    turn,
  );

const failed: Told = ["attempt_failed", { validator_id: 5, class: "offline" }];
const to = (validator: number): Told => ["assigned", { validator_id: validator }];
const names = ({ phases }: Turn): PhaseName[] => phases.map(({ phase }) => phase);

describe("a request that changes hands", () => {
  test("keeps who had it and why it moved on, and forgets what counts for nothing", () => {
    const before = { ...moved([["accepted"], to(5), ["answering"]]), answer: "Half an ans" };
    expect(holderOf(before)?.validator).toBe(5);
    const between = moved([failed], before);
    expect(between).toMatchObject({ answer: "", attempts: [{ validator: 5, failure: "offline" }] });
    expect(names(between)).toEqual(["accepted", "attempt_failed"]);
    expect(holderOf(between)).toBeUndefined();
    const again = moved([["queued"], to(2)], between);
    expect(again.attempts?.map(({ validator, failure }) => [validator, failure])).toEqual([
      [5, "offline"],
      [2, undefined],
    ]);
    expect(names(again)).toEqual(["accepted", "attempt_failed", "assigned"]);
  });

  test("is told in plain words, to its end", () => {
    const turn = moved([to(5), failed, to(2)]);
    const told = (now: Turn) => (now.attempts ?? []).map((attempt) => toldOf(attempt, now));
    expect(told(turn)).toEqual(["Validator 5 did not show up.", "Validator 2 has it now."]);
    expect(told({ ...turn, outcome: { status: "completed" } }).at(-1)).toBe("Validator 2 answered.");
    expect(told({ ...turn, outcome: { status: "cancelled" } }).at(-1)).toBe("Validator 2 had it at the end.");
  });

  test("is the same where this page did not see it begin, and where a phase is told twice", () => {
    expect(moved([failed]).attempts).toEqual([{ validator: 5, at: 0, failure: "offline" }]);
    expect(moved([to(5), to(5)]).attempts).toHaveLength(1);
  });

  test("is the same as the keeper's history tells it", () => {
    const body: RequestBody = {
      request_id: ID,
      status: "failed",
      result: null,
      prompt: "Who has it?",
      model: "demo",
      user_address: "0x00",
      created_at: UNTIL,
      nsd_payment_wei: "50",
      nsd_refunded_wei: "45",
      nsd_penalty_wei: "5",
      error_code: "timeout",
      error: "Late.",
      lane: "assigned",
      priority: true,
      attempts: [
        { node: "node_validator_12", assigned_at: UNTIL, failure: "declined" },
        { node: "node_validator_3", assigned_at: UNTIL, failure: "timeout" },
      ],
    };
    const turn = turnOf(body);
    expect(turn.terms).toMatchObject({ lane: "assigned", priority: true, paymentWei: "50" });
    expect(turn.attempts?.map(({ validator, failure }) => [validator, failure])).toEqual([
      [12, "declined"],
      [3, "timeout"],
    ]);
    expect(turn.outcome).toMatchObject({ status: "failed", refundedWei: "45", penaltyWei: "5" });
    expect(outcomeOfRequest({ ...body, status: "processing" })).toBeUndefined();
  });
});

describe("a request that is taken back", () => {
  test("can be while the network has it, and neither before nor once it is answered", () => {
    expect(isCancellable(moved([["accepted"]]))).toBe(false);
    expect(isCancellable(moved([["accepted"], ["queued"]]))).toBe(true);
    expect(isCancellable(moved([["accepted"], to(5), ["answering"]]))).toBe(true);
    expect(isCancellable(moved([["accepted"], to(5), ["answering"], ["answered"]]))).toBe(false);
    expect(isCancellable(moved([to(5), ["cancelling", { until: UNTIL }]]))).toBe(false);
    expect(isCancellable({ ...moved([to(5)]), outcome: { status: "failed" } })).toBe(false);
    expect(isCancellable({ ...moved([to(5)]), terms: { ...asked.terms, lane: "direct" } })).toBe(false);
  });

  test("knows until when its validator may post, whoever told first", () => {
    const answered = withCancelled(moved([to(5)]), {
      request_id: ID,
      status: "cancelling",
      message: "",
      until: UNTIL,
      nsd_refundable_wei: "25",
    });
    const both = moved([["cancelling", { validator_id: 5, until: UNTIL }]], answered);
    expect(both.cancelling).toEqual({ until: Date.parse(UNTIL), refundableWei: "25" });
    expect(moved([to(5), ["cancelling", { until: UNTIL }]]).cancelling).toEqual({ until: Date.parse(UNTIL) });
  });

  test("is over at once where nobody has it", () => {
    const turn = withCancelled(moved([["queued"]]), {
      request_id: ID,
      status: "cancelled",
      message: "",
      nsd_refunded_wei: "50",
      nsd_penalty_wei: "0",
    });
    expect(turn).toMatchObject({
      stage: "ended",
      outcome: { status: "cancelled", refundedWei: "50", penaltyWei: "0" },
    });
    expect(names(turn)).toContain("cancelled");
  });
});

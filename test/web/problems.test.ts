import { parseEther } from "viem";
import { describe, expect, test } from "vitest";
import { Refusal } from "../../keeper/web/src/api/client.ts";
import { ClocksApart, problemOf } from "../../keeper/web/src/chat/problems.ts";

const refusal = (status: number, code: string, more: object = {}, retryAfterMs?: number): Refusal =>
  new Refusal(status, { error: { code, message: "As the keeper says it.", ...more } }, retryAfterMs);
const wei = (nsd: string): string => parseEther(nsd).toString();

test("a deadline that does not fit this device's clock is told as that", () => {
  const problem = problemOf(new ClocksApart(0, 1_000));
  expect(problem).toMatchObject({ kind: "unsafe", title: "Not signed" });
  expect(problem.detail).toMatch(
    /^By this device's clock, .* is over already\. Check the clock.* Nothing was signed\.$/,
  );
});

describe("what the keeper refuses", () => {
  test("for want of credits is a shortfall that a deposit ends", () => {
    expect(problemOf(refusal(402, "insufficient_credits", { required_wei: wei("50") }))).toMatchObject({
      kind: "credits",
      title: "Not enough credits",
      requiredWei: wei("50"),
    });
  });

  test.each([
    ["who is new", { limit_wei: wei("71"), unpaid_wei: "0" }, /^So far it trusts you with 71 NSD; that grows/],
    [
      "who did not pay",
      { limit_wei: wei("71"), unpaid_wei: wei("30") },
      /^30 NSD of earlier answers could not be charged/,
    ],
  ])("to %s beyond its trust is none, and names the other lane", (_, more, words) => {
    const problem = problemOf(refusal(402, "exposure_exceeded", more));
    expect(problem).toMatchObject({ kind: "refused", title: "More than this validator answers before it is paid" });
    expect(problem.detail).toMatch(words);
    expect(problem.detail).toContain("any validator");
    expect(problem.requiredWei).toBeUndefined();
  });

  test.each([
    [429, "rate_limited", "Too many at once"],
    [503, "storage_down", "The keeper has no room for answers"],
    [503, "submission_pending", "The keeper is busy"],
  ])("with %i %s can be sent again after the time it says", (status, code, title) => {
    const before = Date.now();
    const problem = problemOf(refusal(status, code, {}, 7_000));
    expect(problem).toMatchObject({ kind: "wait", title, detail: "As the keeper says it. Nothing was charged." });
    expect(problem.retryAt).toBeGreaterThanOrEqual(before + 7_000);
  });
});

import { parseEther } from "viem";
import { describe, expect, test } from "vitest";
import { cameBack, failureOf, moneyOf } from "../../keeper/web/src/chat/failures.ts";
import type { Outcome } from "../../keeper/web/src/chat/model.ts";

function ended(code: string, back: string, burned: string, status: Outcome["status"] = "failed"): Outcome {
  return {
    status,
    refundedWei: parseEther(back).toString(),
    penaltyWei: parseEther(burned).toString(),
    error: { code, message: "As the keeper says it." },
  };
}

describe("a request that ended without an answer", () => {
  test.each([
    ["offline", "50", "0", "Validator offline"],
    ["timeout", "47.5", "2.5", "Timeout"],
    ["error", "47.5", "2.5", "Validator error"],
    ["invalid", "45", "5", "Invalid answer"],
    ["bad_prompt", "25", "25", "Question not usable"],
    ["declined", "25", "25", "Question declined"],
    ["no_node", "50", "0", "Nobody was free"],
  ])("as %s says its class, what happened, and where each NSD went", (code, back, burned, title) => {
    const outcome = ended(code, back, burned);
    const { what, ...said } = failureOf(outcome);
    expect(said.title).toBe(title);
    expect(what).not.toContain("As the keeper");
    expect(cameBack(outcome)).toMatch(/^[\d.]+ of 50 NSD came back$/);
    expect(moneyOf(outcome)).toMatch(
      burned === "0" ? /whole payment is in your credits again/ : /NSD stay burned: nobody earns/,
    );
  });

  test("gives back less for repeats within a day, and says why", () => {
    expect(moneyOf(ended("timeout", "47.5", "2.5"))).not.toContain("24 hours");
    expect(moneyOf(ended("timeout", "45", "5"))).toContain(
      "The second timeout or error within 24 hours gives back 90\u00a0%",
    );
    expect(moneyOf(ended("error", "42.5", "7.5"))).toContain(
      "Every later timeout or error within 24 hours gives back 85\u00a0%",
    );
    // Of the other classes none does: what is kept there has another reason.
    expect(moneyOf(ended("invalid", "45", "5"))).not.toContain("24 hours");
    expect(moneyOf(ended("timeout", "25", "25", "cancelled"))).not.toContain("24 hours");
  });

  test("by its user says whether anybody worked on it", () => {
    const at = { validator: 5, at: 0 };
    expect(failureOf(ended("cancelled", "50", "0", "cancelled")).what).toContain("nobody worked on it");
    expect(failureOf(ended("cancelled", "25", "25", "cancelled"), [at]).what).toContain("posted no answer");
    const waited = failureOf(ended("cancelled", "47.5", "2.5", "cancelled"), [{ ...at, failure: "timeout" }]);
    expect(waited.what).toContain("waited for another validator");
  });

  test("of a class that this page does not know says what the keeper wrote", () => {
    expect(failureOf(ended("prompt_too_long", "0", "0"))).toMatchObject({
      title: "Failed",
      what: "As the keeper says it.",
    });
    expect(failureOf(ended("constructor", "0", "0")).title).toBe("Failed");
  });

  test("that cost nothing says so", () => {
    const outcome: Outcome = { status: "failed", error: { code: "expired", message: "Too late." } };
    expect([cameBack(outcome), moneyOf(outcome)]).toEqual(["nothing was charged", ""]);
  });
});

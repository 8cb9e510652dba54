// biome-ignore-all lint/performance/useDomNodeTextContent: what a reader sees is what is tested.
/** A request that goes from one validator to another, and one that ends without an answer. */
import { parseEther } from "viem";
import { describe, expect, test } from "vitest";
import { audit, NARROW, receiptOf, WIDE } from "./support/browser.ts";
import { answering, askAny, assign, complete, end, fail, queue } from "./support/hands.ts";
import { openStage } from "./support/stage.ts";

const stage = openStage();
const { arrive, soon } = stage;

describe("a request that changes hands", () => {
  test.each([
    ["wide", WIDE, "light"],
    ["narrow", NARROW, "dark"],
  ] as const)("says who had it and why it moved on, on a %s screen", async (_name, viewport, colorScheme) => {
    stage.keeper.script.byHand = true;
    const page = await arrive({ viewport, colorScheme });
    const entry = await askAny(stage, page, "Who has it?");
    assign(entry, 5);
    await page.locator(".phases").getByText("validator 5").waitFor();
    expect(await page.locator(".attempts").innerText()).toContain("Validator 5 has it now.");
    answering(entry, "Half an ans");
    await page.locator(".answer").getByText("Half an ans").waitFor();

    fail(entry, "offline");
    queue(entry);
    const attempts = page.locator(".attempts");
    await soon(() => attempts.innerText()).toMatch(/Validator 5 did not show up\.\s+Another validator is looked for\./);
    expect(await page.locator(".answer").innerText()).toBe("");
    expect(await page.locator("[role=status]").innerText()).toBe(
      "Validator 5 did not show up. Another validator is looked for.",
    );
    expect(await page.locator(".phases").innerText()).toMatch(/Waiting\s+for another validator/);
    expect(await audit(page)).toEqual([]);

    assign(entry, 3);
    await page.locator(".phases").getByText("validator 3").waitFor();
    fail(entry, "declined");
    assign(entry, 1);
    await soon(() => attempts.innerText()).toMatch(
      /Validator 3 declined the question\.[\s\S]+Validator 1 has it now\./,
    );
    answering(entry, "There it ");
    await page.locator(".answer").getByText("There it").waitFor();
    const place = await page.locator(".receipt").boundingBox();

    complete(entry, "There it ");
    await page.getByText("paid,").waitFor();
    expect(await attempts.innerText()).toContain("Validator 1 answered.");
    expect(await page.locator(".receipt").boundingBox()).toEqual(place);
    expect(await audit(page)).toEqual([]);
    await page.reload();
    await page.locator(".thread").or(page.locator(".turn")).first().waitFor();
    await soon(() => attempts.innerText()).toContain("Validator 5 did not show up.");
    expect(stage.open?.troubles).toEqual([]);
  });
});

describe("a request that ends without an answer", () => {
  test.each([
    ["offline", "Validator offline", 100, /The whole payment is in your credits again/],
    ["timeout", "Timeout", 95, /The other 2\.50 NSD stay burned: nobody earns from a failure/],
    ["timeout", "Timeout", 90, /The second timeout or error within 24 hours gives back 90\s% instead of 95\s%/],
    ["error", "Validator error", 85, /Every later timeout or error within 24 hours gives back 85\s%/],
    ["invalid", "Invalid answer", 90, /did not stand its audit/],
    ["bad_prompt", "Question not usable", 50, /Whoever had it declined it/],
    ["no_node", "Nobody was free", 100, /within five minutes/],
  ] as const)(
    "as %s shows %s, and where the payment went, of which %i percent came back",
    async (failure, title, percent, words) => {
      stage.keeper.script.byHand = true;
      const page = await arrive();
      const entry = await askAny(stage, page, "Will it answer?");
      if (failure === "no_node") queue(entry);
      else assign(entry, 5);
      end(entry, failure, percent);
      const card = page.getByLabel("Receipt of a failed request");
      await soon(() => card.innerText()).toContain(title);
      const back = (parseEther("50") * BigInt(percent)) / 100n;
      expect((await receiptOf(page)).legs).toEqual({ Burned: parseEther("50") - back, "Back to you": back });
      expect(await card.locator(".headline").innerText()).toMatch(/, [\d.]+ of 50 NSD came back$/);
      expect(await card.innerText()).toMatch(words);
      expect(await card.getByRole("button", { name: "Ask again" }).isEnabled()).toBe(true);
      expect(await audit(page)).toEqual([]);
      await page.getByRole("button", { name: "History" }).click();
      await page.getByRole("button", { name: "Requests" }).click();
      await soon(() => page.locator(".entries").innerText()).toContain(`${title}, `);
    },
  );

  test("is asked again the way it was asked", async () => {
    stage.keeper.script.byHand = true;
    const page = await arrive();
    const entry = await askAny(stage, page, "Once more?");
    queue(entry);
    end(entry, "no_node", 100);
    await page.getByRole("button", { name: "Ask again" }).click();
    await soon(() => stage.keeper.kept.size).toBe(2);
    const [, again] = [...stage.keeper.kept.values()];
    expect(again?.state).toMatchObject({ lane: "assigned", prompt: "Once more?", payment: parseEther("50") });
  });
});

// biome-ignore-all lint/performance/useDomNodeTextContent: what a reader sees is what is tested.
/** Where everything of an account is. */
import type { Page } from "playwright-core";
import { parseEther } from "viem";
import { describe, expect, test } from "vitest";
import type { Position } from "../../keeper/services/types.ts";
import { audit, NARROW, WIDE, weiOf } from "./support/browser.ts";
import { askAny, newest, queue } from "./support/hands.ts";
import { openStage } from "./support/stage.ts";

const stage = openStage();
const { arrive, soon } = stage;
const AT = new Date("2026-03-01T12:00:00Z");
const TOMORROW = new Date("2026-03-02T12:00:00Z");

const position = (token: Position["token"], kind: Position["kind"], amount: string, more: Partial<Position> = {}) => ({
  token,
  kind,
  amount: parseEther(amount),
  contract: "router" as const,
  availableAt: AT,
  by: "owner" as const,
  note: "As the keeper says it.",
  ...more,
});

function holding(...positions: readonly Position[]): void {
  stage.keeper.services.reads.locate = async (address) => ({ address, block: 18_422n, at: AT, positions });
}

const table = (page: Page) => page.locator("dialog .places");

describe("where everything is", () => {
  test.each([
    ["wide", WIDE, "light"],
    ["narrow", NARROW, "dark"],
  ] as const)(
    "is one table that adds up, with its times in local time, on a %s screen",
    async (name, viewport, colorScheme) => {
      holding(
        position("NSD", "wallet", "998000"),
        position("NSD", "credits", "1749.7", { availableAt: TOMORROW }),
        position("NSD", "till", "63.123456"),
        position("NST", "stake", "50000", { availableAt: undefined } as never),
        position("LCAI", "accrued", "2"),
      );
      const page = await arrive({ viewport, colorScheme, timezoneId: "America/New_York" });
      if (name === "narrow") await page.getByRole("button", { name: "Your balances" }).click();
      await page.getByRole("button", { name: "Where everything is" }).click();
      await table(page).waitFor();
      const rows = await table(page)
        .locator("tbody")
        .first()
        .locator("tr:not(.note) td:nth-of-type(1)")
        .allInnerTexts();
      const [total = "", ...parts] = rows;
      expect(total).toBe("999,812.823456");
      expect(parts.reduce((sum, part) => sum + weiOf(part), 0n)).toBe(weiOf(total));
      const text = await table(page).innerText();
      expect(text).toMatch(/Your wallet\s+998,000\.00\s+now/);
      expect(text).toContain("Mar 2, 07:00");
      expect(text).toMatch(/Staked[\s\S]+50,000\.00\s+–/);
      expect(text).not.toMatch(/As the keeper says it|\(uint256\)/);
      expect(await audit(page)).toEqual([]);
      await table(page).getByRole("button", { name: "Withdraw" }).click();
      await page.getByLabel("Withdraw", { exact: true }).waitFor();
      expect(stage.open?.troubles).toEqual([]);
    },
  );

  test("shows the question that holds a part of it", async () => {
    stage.keeper.script.byHand = true;
    const page = await arrive();
    queue(await askAny(stage, page, "What do I wait for?"));
    await page.getByRole("button", { name: "New chat" }).click();
    await page.locator(".first").waitFor();
    holding(position("NSD", "request", "50", { id: newest(stage.keeper).id, availableAt: TOMORROW }));
    await page.getByRole("button", { name: "Where everything is" }).click();
    await table(page).getByRole("button", { name: "Show it" }).click();
    await page.locator("dialog").waitFor({ state: "detached" });
    await page.locator(".me").getByText("What do I wait for?").waitFor();
  });

  test("offers nothing that the page cannot do, and says so where there is nothing at all", async () => {
    holding(position("NSD", "till", "1"), position("LCAI", "accrued", "1"), position("NST", "stake", "1"));
    const page = await arrive();
    await page.getByRole("button", { name: "Where everything is" }).click();
    await table(page).waitFor();
    expect(await table(page).getByRole("button").count()).toBe(0);
    await page.keyboard.press("Escape");
    holding();
    await page.getByRole("button", { name: "Where everything is" }).click();
    await soon(() => page.locator("dialog").innerText()).toContain("Nothing yet, in no token.");
  });
});

// biome-ignore-all lint/performance/useDomNodeTextContent: what a reader sees is what is tested.
/** What is set beside a question: who answers it, and with which priority. */
import type { Page, Route } from "playwright-core";
import { parseEther } from "viem";
import { describe, expect, test } from "vitest";
import { audit, NARROW } from "./support/browser.ts";
import { anyValidator, newest } from "./support/hands.ts";
import { openStage } from "./support/stage.ts";

const stage = openStage();
const { arrive, ask, soon } = stage;

describe("priority", () => {
  test("tells its price before it is chosen, and is carried from the quote to the receipt", async () => {
    const page = await arrive();
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByText("served sooner, for up to 82.50 NSD, not 55").waitFor();
    await page.getByLabel("Payment ceiling").fill("100");
    await page.getByText("at most 55 NSD").waitFor();
    await page.getByLabel("Priority").check();
    await soon(() => page.locator(".cost").innerText()).toMatch(/at most 82\.50 NSD, about \$0\.083?, with priority/);
    expect(await audit(page)).toEqual([]);

    await ask(page, "Me first?");
    await soon(() => page.locator(".receipt .headline").innerText()).toBe(
      "82.50 NSD paid, 5.40 used, with priority at one and a half times the price",
    );
    const { state } = newest(stage.keeper);
    expect(state).toMatchObject({ priority: true, payment: parseEther("82.5") });

    // The history knows it too, where this browser does not.
    await page.evaluate("localStorage.clear()");
    await page.addInitScript("localStorage.clear()");
    await page.reload();
    await page.locator(".thread").first().click();
    await soon(() => page.locator(".receipt .headline").innerText()).toContain("with priority");
  });

  test("keeps its place on a narrow screen, while it is asked too", async () => {
    stage.keeper.script.byHand = true;
    const page = await arrive({ viewport: NARROW });
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByLabel("Priority").check();
    await soon(() => page.locator(".cost").innerText()).toContain("with priority");
    expect(await audit(page)).toEqual([]);
    await ask(page, "Is there room?");
    await page.getByRole("button", { name: "Stop following" }).waitFor();
    expect(await audit(page)).toEqual([]);
  });

  test("that the keeper leaves out of what is signed, or adds to it, is not signed", async () => {
    const { requests } = stage.keeper.services;
    const prepare = requests.prepare.bind(requests);
    requests.prepare = (lane, fields) => prepare(lane, { ...fields, priority: !fields.priority });
    const page = await arrive();
    await ask(page, "Who asked for that?");
    await page
      .locator("main")
      .getByText(/priority is true, and false was asked/)
      .waitFor();
    expect(stage.keeper.kept.size).toBe(0);
  });
});

describe("who answers", () => {
  test("brings the models of the network, and the bound of its lane", async () => {
    const { reads } = stage.keeper.services;
    const quote = reads.quote.bind(reads);
    reads.quote = async (...asked) => ({ ...(await quote(...asked)), commitFrom: parseEther("200") });
    const page = await arrive({ viewport: NARROW, colorScheme: "dark" });
    await page.getByRole("button", { name: "Settings" }).click();
    expect(await page.getByLabel("Model").count()).toBe(0);
    await page.getByLabel("Answered by").selectOption("assigned");
    await soon(() => page.getByLabel("Model").inputValue()).toBe("llama-2-7b-q4");
    expect(await page.getByLabel("Model").locator("option").allInnerTexts()).toEqual(["gpt-2-q4", "llama-2-7b-q4"]);
    expect(await audit(page)).toEqual([]);
    await page.getByLabel("Payment ceiling").fill("600");
    await page.getByLabel("Longest answer").fill("2048");
    await page.getByText("Ceiling: below 200 NSD where any validator may answer").waitFor();
    await page.getByLabel("Your question").fill("May I?");
    expect(await page.getByRole("button", { name: "Send" }).isDisabled()).toBe(true);
    // The smaller model's whole answer costs less than that, whatever the ceiling.
    await page.getByLabel("Model").selectOption("gpt-2-q4");
    await soon(() => page.locator(".cost").innerText()).toContain("at most 104.90 NSD");
    // Directly there is no such bound, and only this keeper's model.
    await page.getByLabel("Answered by").selectOption("direct");
    await soon(() => page.locator(".cost").innerText()).toContain("at most 209.80 NSD");
  });

  test("is asked of the network where any validator may, with nobody named in what is signed", async () => {
    stage.keeper.script.byHand = true;
    const page = await arrive();
    await anyValidator(page);
    await ask(page, "Anybody?");
    await page.locator(".phases").getByText("Accepted").waitFor();
    expect(newest(stage.keeper).state).toMatchObject({ lane: "assigned", prompt: "Anybody?" });
    expect(await page.getByRole("button", { name: "Cancel", exact: true }).count()).toBe(0);
  });

  describe("and the answer to it is lost on its way", () => {
    /** What the page hears once it has sent what was signed. */
    async function hearing(page: Page, heard: (route: Route) => Promise<void>): Promise<void> {
      await page.route("**/api/llm/generate", (route) =>
        route.request().postData()?.includes("signature") ? heard(route) : route.continue(),
      );
      await anyValidator(page);
      await ask(page, "Did you get that?");
    }

    test("follows it all the same, where the keeper has it", async () => {
      const page = await arrive();
      await hearing(page, async (route) => {
        await route.fetch();
        await route.abort();
      });
      await page.getByText("paid,").waitFor();
      expect(stage.keeper.kept.size).toBe(1);
    });

    test("says that nothing was charged, where it has not", async () => {
      const page = await arrive();
      await hearing(page, (route) => route.abort());
      await page.locator("main").getByText("The keeper does not know this request. Nothing was charged.").waitFor();
    });

    test("follows no request but its own", async () => {
      const page = await arrive();
      await hearing(page, (route) =>
        route.fulfill({ status: 202, json: { request_id: `0x${"ef".repeat(32)}`, status: "queued" } }),
      );
      await page.locator("main").getByText("named another request than the one you signed").waitFor();
    });
  });
});

// biome-ignore-all lint/performance/useDomNodeTextContent: what a reader sees is what is tested.
/** What the network assigns, on a real chain: taken back before anybody has it, and answered by whoever is picked. */
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { parseEther } from "viem";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Keeper } from "../../keeper/main.ts";
import { account, OPERATOR_INDEX, setOpen, startChain, type TestChain } from "../keeper/support/chain.ts";
import { dataFolder, keeperOn } from "../keeper/support/keeper.ts";
import { modelProcess } from "../keeper/support/model-process.ts";
import { audit, launch, leave, priced, ready, receiptOf, type Visit, visit, weiOf } from "./support/browser.ts";
import { anyValidator } from "./support/hands.ts";

const WEB = join(import.meta.dirname, "..", "..", "dist", "web");

const model = modelProcess();
let browser: Browser;
let chain: TestChain;
let folder: Awaited<ReturnType<typeof dataFolder>>;
let keeper: Keeper;
let open: Visit;

beforeAll(async () => {
  [browser, chain, folder] = await Promise.all([launch(), startChain(), dataFolder()]);
  // Before its keeper runs: a heartbeat that this sends as it starts would want the same nonce of the operator's.
  await serve(false);
  keeper = await keeperOn(chain, folder.path, {}, { webRoot: WEB, log: model.log });
});
afterAll(async () => {
  await keeper?.stop();
  await chain?.stop();
  await folder?.remove();
  await browser?.close();
});
afterEach(async (test) => {
  model.release();
  await leave(open, test);
});

const soon = <T>(read: () => T) => expect.poll(read, { timeout: 30_000 });

const serve = (open: boolean) => setOpen(chain, account(OPERATOR_INDEX), open);

async function ask(page: Page, prompt: string): Promise<void> {
  await ready(page);
  await anyValidator(page);
  await priced(page);
  await page.getByLabel("Your question").fill(prompt);
  await page.keyboard.press("Enter");
}

/** Rows of the table: where, and how much. */
async function located(page: Page): Promise<Map<string, bigint>> {
  await page.getByRole("button", { name: "Where everything is" }).click();
  await page.locator(".places").waitFor();
  expect(await audit(page)).toEqual([]);
  const cells = await page.evaluate<[string, string][]>(`
    [...document.querySelectorAll(".places tbody tr:not(.note)")]
      .map(({ cells }) => [cells[0].textContent, cells[1].textContent])`);
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  return new Map(cells.map(([name, amount]) => [name, weiOf(amount)]));
}

describe("a question to any validator", () => {
  test("is taken back while nobody is there to have it, and all of it comes back", async () => {
    open = await visit(browser, keeper.url);
    const { page } = open;
    await page.locator(".first").waitFor();
    const before = await located(page);
    await ask(page, "Is anybody there?");
    await page.locator(".phases").getByText("for a validator").waitFor();
    const during = await located(page);
    expect(during.get("An open request")).toBe(parseEther("50"));
    expect(during.get("NSD")).toBe(before.get("NSD"));

    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByLabel("Before you cancel").getByText("all 50 NSD, at once").waitFor();
    await page.getByRole("button", { name: "Cancel the request" }).click();
    const receipt = page.getByLabel("Receipt of a cancelled request");
    await soon(() => receipt.innerText()).toContain("50 of 50 NSD came back");
    expect((await receiptOf(page)).legs).toEqual({ Burned: 0n, "Back to you": parseEther("50") });
    expect(await receipt.innerText()).toMatch(/Ended in\s*0x/);
    expect(await located(page)).toEqual(before);
    expect(open.troubles).toEqual([]);
  });

  test("is answered by whom the network picks, and its receipt names the validator", async () => {
    await serve(true);
    open = await visit(browser, keeper.url);
    const { page } = open;
    await ask(page, "Who answers this?");
    await page.getByText("paid,").waitFor();
    const { legs, headline } = await receiptOf(page);
    expect(Object.values(legs).reduce((sum, leg) => sum + leg, 0n)).toBe(weiOf(headline));
    expect(await page.locator(".attempts").innerText()).toContain(`Validator ${keeper.validatorId} answered.`);
    expect(await page.locator(".phases").innerText()).toMatch(
      /Accepted\s+Answered\s+\d+ tokens?.*\s+Stored\s+Settled/s,
    );
    expect((await located(page)).get("Earned")).toBe(parseEther("1"));
    expect(open.troubles).toEqual([]);
  });

  test("is taken back while a validator has it, which posts nothing, and half of it comes back", async () => {
    model.hold();
    open = await visit(browser, keeper.url);
    const { page } = open;
    await ask(page, "Is that too long?");
    await page.locator(".phases").getByText(`validator ${keeper.validatorId}`).waitFor();
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByLabel("Before you cancel").getByText("25 of 50 NSD; the other 25 stay burned").waitFor();
    await page.getByRole("button", { name: "Cancel the request" }).click();
    const receipt = page.getByLabel("Receipt of a cancelled request");
    await soon(() => receipt.innerText()).toContain("25 of 50 NSD came back");
    expect((await receiptOf(page)).legs).toEqual({ Burned: parseEther("25"), "Back to you": parseEther("25") });
    expect(await receipt.innerText()).toContain("posted no answer");
    expect(await audit(page)).toEqual([]);
    expect(open.troubles).toEqual([]);
  });
});

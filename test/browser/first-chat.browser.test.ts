// biome-ignore-all lint/performance/useDomNodeTextContent: what a reader sees is what is tested.
/** A first visit to a real keeper on a real chain: what somebody sees who opens the page and asks. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { CID } from "multiformats/cid";
import type { Browser, Page } from "playwright-core";
import { parseEther } from "viem";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { creditsAbi } from "../../keeper/chain/contracts.ts";
import type { Keeper } from "../../keeper/main.ts";
import { account, startChain, type TestChain } from "../keeper/support/chain.ts";
import { dataFolder, keeperOn } from "../keeper/support/keeper.ts";
import { writeTinyModel } from "../keeper/support/tiny-gguf.ts";
import { audit, launch, leave, NARROW, ready, receiptOf, type Visit, visit, weiOf } from "./support/browser.ts";

const WEB = join(import.meta.dirname, "..", "..", "dist", "web");
/** Accounts of the local chain with too few credits for a question. */
const POOR = 3;
const POOR_TOO = 2;
const WITHDRAWAL_DELAY_S = 86_400;

let browser: Browser;
let chain: TestChain;
let folder: Awaited<ReturnType<typeof dataFolder>>;
let keeper: Keeper;
let open: Visit;

beforeAll(async () => {
  [browser, chain, folder] = await Promise.all([launch(), startChain(), dataFolder()]);
  await impoverish(POOR, parseEther("7.5"));
  await impoverish(POOR_TOO, parseEther("7.5"));
  // Answers that end before their limit, so that something comes back.
  await writeTinyModel(join(folder.path, "tiny.gguf"));
  keeper = await keeperOn(chain, folder.path, {}, { webRoot: WEB });
});
afterAll(async () => {
  await keeper?.stop();
  await chain?.stop();
  await folder?.remove();
  await browser?.close();
});
afterEach((test) => leave(open, test));

const soon = <T>(read: () => T) => expect.poll(read, { timeout: 20_000 });

describe("a first visit", () => {
  test("one click brings an answer, a receipt that adds up, a record that anybody can check, and 1 LCAI", async () => {
    open = await visit(browser, keeper.url);
    const { page } = open;
    await ready(page);
    expect(await page.locator(".first li button").count()).toBe(3);
    const before = await balancesOf(page);
    const shown = await watchAnswer(page);
    await page.locator(".first li button").first().click();
    await page.getByText("paid,").waitFor();

    const { legs, headline } = await receiptOf(page);
    const [payment = "", consumed = ""] = headline.split(",");
    expect(Object.keys(legs)).toEqual(["Validator", "Treasury", "Burned", "Back to you"]);
    const sum = Object.values(legs).reduce((total, leg) => total + leg, 0n);
    expect(sum).toBe(weiOf(payment));
    expect(sum - (legs["Back to you"] ?? 0n)).toBe(weiOf(consumed));
    expect(await shownSum(page)).toBe(weiOf(payment));
    const texts = await shown();
    expect(texts.at(-1)?.startsWith(texts[0] ?? "-")).toBe(true);
    expect(await page.locator(".phases").innerText()).toMatch(
      /Accepted\s+Answered\s+\d+ tokens?.*\s+Stored\s+Settled/s,
    );
    expect(await page.locator(".receipt").innerText()).toContain("+1 LCAI");

    await soon(async () => (await balancesOf(page)).credits).toBe(before.credits - (sum - (legs["Back to you"] ?? 0n)));
    await soon(async () => (await balancesOf(page)).lcai).toBe(before.lcai + parseEther("1"));
    await page.locator(".live").getByText("+1 LCAI").waitFor();
    await checkRecord(page);
    expect(await audit(page)).toEqual([]);
    expect(open.troubles).toEqual([]);
  });

  test("stays after a reload, and in another browser too", async () => {
    open = await visit(browser, keeper.url);
    await open.page.locator(".thread").first().click();
    await open.page.getByText("paid,").waitFor();
    const kept = await receiptOf(open.page);
    await open.page.reload();
    await open.page.getByText("paid,").waitFor();
    expect(await receiptOf(open.page)).toEqual(kept);
    await open.page.getByRole("button", { name: "History" }).click();
    await open.page.locator(".entries").getByText("+1 LCAI").waitFor();
    expect(open.troubles).toEqual([]);
  });
});

describe("by keyboard alone, on a narrow dark screen", () => {
  test("asks, reads the receipt, and opens and closes the sheets", async () => {
    open = await visit(browser, keeper.url, { viewport: NARROW, colorScheme: "dark", reducedMotion: "reduce" });
    const { page } = open;
    await ready(page);
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("Skip to the question");
    await page.keyboard.press("Enter");
    await page.keyboard.type("First line");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("second line");
    expect(await page.getByLabel("Your question").inputValue()).toBe("First line\nsecond line");
    await page.keyboard.press("Enter");
    await page.getByText("paid,").waitFor();
    expect(await shownSum(page)).toBe(weiOf((await receiptOf(page)).headline));
    expect(await audit(page)).toEqual([]);

    await page.getByRole("button", { name: "Your balances" }).focus();
    await page.keyboard.press("Enter");
    await page.locator("dialog .units").waitFor();
    expect(await audit(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    expect(await focused(page)).toBe("Your balances");
    expect(open.troubles).toEqual([]);
  });
});

describe("money", () => {
  test("what is missing is deposited in place, and the question is sent", async () => {
    open = await visit(browser, keeper.url);
    const { page } = open;
    await ready(page);
    await choose(page, POOR);
    await soon(async () => (await balancesOf(page)).credits).toBe(parseEther("7.5"));
    await page.getByLabel("Your question").fill("Can I afford it?");
    await page.keyboard.press("Enter");
    const card = page.getByLabel("Not enough credits");
    await soon(() => card.getByLabel("Deposit").inputValue()).toBe("42.50");
    const transactions = await chain.client.getTransactionCount({ address: account(POOR).address });
    await card.getByRole("button", { name: "Deposit and send" }).click();
    await page.getByText("paid,").waitFor();
    expect(await chain.client.getTransactionCount({ address: account(POOR).address })).toBe(transactions + 1);
    expect(open.troubles).toEqual([]);
  });

  test("a deposit counts though balances from before it are still on their way", async () => {
    open = await visit(browser, keeper.url);
    const { page } = open;
    await ready(page);
    await choose(page, POOR_TOO);
    await soon(async () => (await balancesOf(page)).credits).toBe(parseEther("7.5"));
    const old = await holdBalances(page, 1);
    await page.getByLabel("Your question").fill("Is it there yet?");
    await page.keyboard.press("Enter");
    const card = page.getByLabel("Not enough credits");
    await soon(() => card.getByLabel("Deposit").inputValue()).toBe("42.50");
    await old.held;
    // What is given up on its way has no text.
    const mined = page.waitForResponse(async (response) =>
      /"status":"0x1"/.test(await response.text().catch(() => "")),
    );
    await card.getByRole("button", { name: "Deposit and send" }).click();
    await mined;
    await old.deliver();
    await page.getByText("paid,").waitFor();
    expect(open.troubles).toEqual([]);
  });

  test("credits are announced for withdrawal, and can be kept", async () => {
    open = await visit(browser, keeper.url);
    const { page } = open;
    await page.getByRole("button", { name: "Withdraw" }).click();
    await page.locator(".money input").fill("25");
    await page.locator(".money").getByRole("button", { name: "Withdraw" }).click();
    await page.getByText("25 being withdrawn").waitFor();
    await page.getByRole("button", { name: "Keep it" }).click();
    await page.getByText("25 being withdrawn").waitFor({ state: "detached" });
    expect(open.troubles).toEqual([]);
  });

  test("credits that are all announced pay for no direct question until they are kept", async () => {
    open = await visit(browser, keeper.url);
    const { page } = open;
    await ready(page);
    await balancesOf(page);
    await page.getByRole("button", { name: "Withdraw" }).click();
    await page.locator(".money").getByRole("button", { name: "Withdraw" }).click();
    await page.getByText("being withdrawn").waitFor();
    await chain.client.increaseTime({ seconds: 60 });
    await chain.client.mine({ blocks: 1 });
    await soon(async () => (await keeper.services.reads.balances(account(0).address)).nsd.usable).toBe(0n);
    await page.getByLabel("Your question").fill("Will it be answered?");
    await page.keyboard.press("Enter");
    const card = page.getByLabel("Not enough credits");
    await card.getByRole("button", { name: "Keep it and send" }).click();
    await page.getByText("paid,").waitFor();
    expect(await page.getByText("being withdrawn").count()).toBe(0);
    expect(open.troubles).toEqual([]);
  });
});

/** Leaves a user with so few credits, by the way that everybody has: a withdrawal. */
async function impoverish(index: number, left: bigint): Promise<void> {
  const user = account(index);
  const { credits } = chain.book.contracts;
  const held = await chain.client.readContract({
    address: credits,
    abi: creditsAbi,
    functionName: "creditsOf",
    args: [user.address],
  });
  await chain.write(user, credits, creditsAbi, "requestWithdrawal", [held - left]);
  await chain.client.increaseTime({ seconds: WITHDRAWAL_DELAY_S });
  await chain.write(user, credits, creditsAbi, "withdraw", []);
}

/** Reads balances for the page as ever, and delivers one answer, after so many others, only when told to. */
async function holdBalances(page: Page, others: number): Promise<{ held: Promise<void>; deliver(): Promise<void> }> {
  const held = Promise.withResolvers<void>();
  const told = Promise.withResolvers<void>();
  const delivered = Promise.withResolvers<void>();
  let seen = 0;
  await page.route("**/api/balances/*", async (route) => {
    if (seen++ !== others) return route.continue();
    const response = await route.fetch();
    held.resolve();
    await told.promise;
    // Nobody waits for it any more where the page has asked anew.
    await route.fulfill({ response }).catch(() => undefined);
    delivered.resolve();
  });
  return {
    held: held.promise,
    deliver() {
      told.resolve();
      return delivered.promise;
    },
  };
}

async function choose(page: Page, index: number): Promise<void> {
  await page.locator("header .account").click();
  await page.getByRole("button", { name: `Account ${index + 1}` }).click();
  await page.locator("dialog").waitFor({ state: "detached" });
}

async function balancesOf(page: Page): Promise<{ credits: bigint; lcai: bigint }> {
  await page.locator(".units b[title]").first().waitFor();
  const [credits = "", , lcai = ""] = await Promise.all(
    (await page.locator(".units b").all()).map((unit) => unit.getAttribute("title")),
  );
  return { credits: weiOf(credits ?? ""), lcai: weiOf(lcai ?? "") };
}

/** The sum of the legs as they are written, not as they are exactly. */
async function shownSum(page: Page): Promise<bigint> {
  const shown = await page.locator(".receipt").last().locator(".legs dd").allInnerTexts();
  return shown.reduce((sum, text) => sum + weiOf(text), 0n);
}

/** Notes the answer whenever the page shows more of it. */
async function watchAnswer(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(`{
    window.shown = [];
    new MutationObserver(() => {
      const text = document.querySelector(".answer")?.textContent ?? "";
      if (text !== "" && text !== window.shown.at(-1)) window.shown.push(text);
    }).observe(document.querySelector(".log"), { childList: true, characterData: true, subtree: true });
  }`);
  return () => page.evaluate("window.shown");
}

/** Opens the stored record as a reader would, and holds its bytes against their name. */
async function checkRecord(page: Page): Promise<void> {
  const link = page.locator(".receipt a[href^='/ipfs/']");
  const [record] = await Promise.all([page.waitForEvent("popup"), link.click()]);
  await record.waitForLoadState();
  const cid = new URL(record.url()).pathname.split("/").at(-1) ?? "";
  const bytes = Buffer.from(await (await fetch(record.url())).arrayBuffer());
  expect(CID.parse(cid).multihash.digest).toEqual(new Uint8Array(createHash("sha256").update(bytes).digest()));
  const { answer } = JSON.parse(bytes.toString("utf8")) as { answer: string };
  expect(squeezed(await page.locator(".answer").innerText())).toContain(squeezed(answer).slice(0, 200));
  await record.close();
}

const squeezed = (text: string): string => text.replace(/\s+/g, " ").trim();

const focused = (page: Page): Promise<string> =>
  page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent");

// biome-ignore-all lint/performance/useDomNodeTextContent: what a reader sees is what is tested.
/** What the page shows when something is in the way. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import type { Page } from "playwright-core";
import { type Address, parseEther } from "viem";
import { describe, expect, onTestFinished, test } from "vitest";
import { ApiError } from "../../keeper/services/errors.ts";
import type { Kept } from "../keeper/support/fake-reads.ts";
import { listening, outside } from "../keeper/support/http.ts";
import { audit, NARROW, visit, WIDE } from "./support/browser.ts";
import { answering, complete, newest, say, TRANSACTION } from "./support/hands.ts";
import { openStage, WEB } from "./support/stage.ts";

const USER: Address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const stage = openStage();
const { arrive, ask, soon } = stage;

describe("a request that does not come through", () => {
  test("shows its class, what came back and what to do", async () => {
    stage.keeper.script.fail = { code: "timeout", message: "The validator did not answer in time. Ask again." };
    const page = await arrive();
    await ask(page, "Will it answer?");
    const card = page.getByLabel("Receipt of a failed request");
    await soon(() => card.innerText()).toContain("Timeout");
    expect(await card.innerText()).toMatch(/came back|nothing was charged/);
    expect(await card.innerText()).toMatch(/ask again/i);
    expect(await audit(page)).toEqual([]);
    stage.keeper.script.fail = undefined;
    await card.getByRole("button", { name: "Ask again" }).click();
    await page.getByText("paid,").waitFor();
  });

  test("asks for a deposit of what is missing before anything is signed", async () => {
    stage.keeper.script.credits = parseEther("12.5");
    const page = await arrive();
    await ask(page, "Can I afford it?");
    const card = page.getByLabel("Not enough credits");
    await card.waitFor();
    await soon(() => card.getByLabel("Deposit").inputValue()).toBe("37.50");
    expect(stage.keeper.kept.size).toBe(0);
    expect(await audit(page)).toEqual([]);
  });

  test("counts down where there were too many, and lets it be sent again", async () => {
    const prepare = stage.keeper.services.requests.prepare;
    stage.keeper.services.requests.prepare = async () => {
      throw new ApiError(429, "rate_limited", "Ten requests in a minute is the limit.", {}, 40);
    };
    const page = await arrive();
    // The page's clock stands still until it is told: a busy machine must not sleep through the countdown.
    await page.clock.install();
    await page.clock.pauseAt(await page.evaluate(() => Date.now() + 30_000));
    await ask(page, "One too many?");
    const again = page.getByRole("button", { name: /^Send again/ });
    await soon(() => again.innerText()).toMatch(/in (40|39) s/);
    await page
      .locator(".cost")
      .getByText(/wait \d\d s/)
      .waitFor();
    expect(await page.locator(".cost [aria-live]").innerText()).toBe("Too many at once");
    expect(await again.isDisabled()).toBe(true);
    await page.clock.runFor(10_000);
    await soon(() => again.innerText()).toMatch(/in (30|29) s/);
    stage.keeper.services.requests.prepare = prepare;
    await page.clock.runFor(31_000);
    await soon(() => again.isEnabled()).toBe(true);
    await again.click();
    await page.getByText("paid,").waitFor();
  });

  test("never signs something else than what was asked", async () => {
    const prepare = stage.keeper.services.requests.prepare.bind(stage.keeper.services.requests);
    stage.keeper.services.requests.prepare = (lane, fields) =>
      prepare(lane, { ...fields, payment: fields.payment * 10n });
    const page = await arrive();
    await ask(page, "What do I sign?");
    await page
      .locator("main")
      .getByText(/asked for a signature on something else/)
      .waitFor();
    expect(stage.keeper.kept.size).toBe(0);
  });
});

describe("a keeper that goes away", () => {
  /** Leads to the keeper that is there: a port that one gave back may be another process's when the next wants it. */
  async function doorTo(port: () => number): Promise<string> {
    const door = createServer((visitor) => {
      const keeper = connect(port(), "127.0.0.1");
      visitor.on("error", () => keeper.destroy()).once("close", () => keeper.destroy());
      keeper.on("error", () => visitor.destroy()).once("close", () => visitor.destroySoon());
      visitor.pipe(keeper).pipe(visitor);
    }).listen(0, "127.0.0.1");
    await once(door, "listening");
    onTestFinished(() => void door.close());
    return `http://127.0.0.1:${(door.address() as AddressInfo).port}`;
  }

  test("is missed with the time, and found again", async () => {
    let port = Number(new URL(stage.url).port);
    stage.url = await doorTo(() => port);
    const page = await arrive();
    await soon(() => stage.keeper.listenerCount()).toBeGreaterThan(0);
    // The page's clock stands still until it is told: it must not try again by itself meanwhile.
    await page.clock.install();
    await page.clock.pauseAt(await page.evaluate(() => Date.now() + 30_000));
    await stage.keeper.app.close();
    await page.locator("header").getByText("Offline since").waitFor();
    await page.clock.runFor(2_000);
    const alert = page.getByRole("alert");
    await alert.getByText(/has not answered since \d\d:\d\d:\d\d/).waitFor();
    await page.getByText(/Trying again in \d s/).waitFor();
    // Who hears the page is not told every second of it.
    expect(await alert.innerText()).not.toMatch(/again/);
    expect(await audit(page)).toEqual([]);
    stage.keeper = await outside({}, WEB);
    ({ port } = await listening(stage.keeper.app));
    await page.getByRole("button", { name: "Try now" }).click();
    await page.getByText(/has not answered since/).waitFor({ state: "detached" });
  });

  test("Escape stops following; the request goes on and can be followed again", async () => {
    const page = await arrive();
    const entry = await beginning(page);
    await page.keyboard.press("Escape");
    await page.getByText("Not followed any more").waitFor();
    expect(stage.keeper.kept.size).toBe(1);
    await page.getByRole("button", { name: "Follow again" }).click();
    await page.locator(".phases").getByText("Accepted").waitFor();
    await rest(page, entry);
  });
});

describe("everything that opens", () => {
  test.each(["light", "dark"] as const)("has names, labels and contrast in the %s theme", async (colorScheme) => {
    const page = await arrive({ colorScheme });
    expect(await audit(page)).toEqual([]);
    await page.getByRole("button", { name: "Settings" }).click();
    for (const form of ["Deposit", "Withdraw"]) {
      await page.locator(".actions").getByRole("button", { name: form }).click();
      await page.locator(".yours").getByLabel(form).waitFor();
      expect(await audit(page)).toEqual([]);
    }
    for (const opener of [page.locator("header .account"), page.getByRole("button", { name: "History" })]) {
      await opener.click();
      await page.locator("dialog").waitFor();
      expect(await audit(page)).toEqual([]);
      await page.keyboard.press("Escape");
      await page.locator("dialog").waitFor({ state: "detached" });
    }
    expect(stage.open?.troubles).toEqual([]);
  });

  test("a setting out of range is named, and holds the question back", async () => {
    const page = await arrive();
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByLabel("Your question").fill("May I?");
    await page.getByLabel("Payment ceiling").fill("2");
    await page.getByText("Ceiling: at least 5 NSD").waitFor();
    expect(await page.getByRole("button", { name: "Send" }).isDisabled()).toBe(true);
    await page.getByLabel("Payment ceiling").fill("10");
    await page.getByText("at most 10 NSD").waitFor();
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("10 NSD paid").waitFor();
  });
});

describe("a price that is not known", () => {
  test("is said, holds back what could be asked, and is asked for again", async () => {
    const { reads } = stage.keeper.services;
    const quote = reads.quote.bind(reads);
    reads.quote = async () => {
      throw new ApiError(404, "not_found", "No price today.");
    };
    stage.open = await visit(stage.browser, stage.url);
    const { page } = stage.open;
    await page.locator(".cost").getByText("The price is not known yet").waitFor();
    const [suggestion, send] = [page.locator(".first li button").first(), page.getByRole("button", { name: "Send" })];
    await page.getByLabel("Your question").fill("What does it cost?");
    expect([await suggestion.isDisabled(), await send.isDisabled()]).toEqual([true, true]);
    expect(await audit(page)).toEqual([]);
    reads.quote = quote;
    await soon(() => page.locator(".cost").innerText()).toContain("at most 50 NSD");
    expect(await suggestion.isEnabled()).toBe(true);
    await send.click();
    await page.getByText("paid,").waitFor();
  });
});

describe("settling", () => {
  test.each([
    ["wide", WIDE],
    ["narrow", NARROW],
  ])("moves nothing on a %s screen", async (_name, viewport) => {
    stage.keeper.script.settleDelayMs = 1_500;
    const page = await arrive({ viewport });
    await ask(page, "Does anything jump?");
    await page.locator(".phases").getByText("Settling").waitFor();
    const places = async () =>
      Promise.all(
        [".phases", ".answer", ".receipt", ".legs", ".proofs"].map((part) => page.locator(part).boundingBox()),
      );
    const before = await places();
    await page.getByText("paid,").waitFor();
    expect(await places()).toEqual(before);
  });
});

describe("a page that is closed too early", () => {
  test("finds the rest of the answer when it is opened again", async () => {
    const page = await arrive();
    const entry = await beginning(page);
    await page.reload();
    await page.locator(".answer").getByText("word1").waitFor();
    await rest(page, entry);
    expect(await page.locator(".turn").count()).toBe(1);
  });
});

/** Asks, and hears the beginning of an answer. */
async function beginning(page: Page): Promise<Kept> {
  stage.keeper.script.byHand = true;
  await ask(page, "Tell me a lot");
  await soon(() => stage.keeper.kept.size).toBe(1);
  const entry = newest(stage.keeper);
  answering(entry, "word0 ");
  say(entry, "word1 ");
  await page.locator(".answer").getByText("word1").waitFor();
  return entry;
}

/** Hears the rest of it, and what came before once. */
async function rest(page: Page, entry: Kept): Promise<void> {
  say(entry, "word2 ");
  await page.locator(".answer").getByText("word2").waitFor();
  complete(entry, entry.state.response);
  await page.getByText("paid,").waitFor();
  expect(await page.locator(".answer").innerText()).toBe("word0 word1 word2");
}

describe("what arrives by itself", () => {
  const reward = (amount: bigint, at: number): void =>
    stage.keeper.notify({ type: "reward", address: USER, at, data: { token: "LCAI", amount_wei: amount } } as never);

  test("rewards appear as they happen", async () => {
    const page = await arrive();
    await soon(() => stage.keeper.listenerCount()).toBeGreaterThan(0);
    reward(parseEther("1"), Date.now());
    await page.locator(".live").getByText("+1 LCAI").waitFor();
  });

  test("the same twice in one moment is two rows, which make room for what is newer", async () => {
    const page = await arrive();
    await soon(() => stage.keeper.listenerCount()).toBeGreaterThan(0);
    const rows = page.locator(".live li");
    const at = Date.now();
    reward(parseEther("1"), at);
    reward(parseEther("1"), at);
    await soon(() => rows.count()).toBe(2);
    for (let more = 2; more < 15; more++) reward(parseEther(String(more)), at);
    await page.locator(".live").getByText("+14 LCAI").waitFor();
    expect(await rows.locator("span").allInnerTexts()).toEqual(
      Array.from({ length: 12 }, (_, index) => `+${14 - index} LCAI`),
    );
  });

  test("the history keeps two equal rewards of one transaction apart", async () => {
    const equal = { token: "LCAI" as const, amount: parseEther("1"), transaction: TRANSACTION, at: new Date(0) };
    const earned = [equal, equal];
    stage.keeper.services.reads.rewards = async () => earned;
    const page = await arrive();
    await soon(() => stage.keeper.listenerCount()).toBeGreaterThan(0);
    await page.getByRole("button", { name: "History" }).click();
    const rows = page.locator(".entries li");
    await soon(() => rows.count()).toBe(2);
    earned.unshift({ ...equal, amount: parseEther("3"), transaction: `0x${"03".repeat(32)}` });
    reward(parseEther("3"), Date.now());
    await page.locator(".entries").getByText("+3 LCAI").waitFor();
    expect(await rows.locator(".good").allInnerTexts()).toEqual(["+3 LCAI", "+1 LCAI", "+1 LCAI"]);
  });
});

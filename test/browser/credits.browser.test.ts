// biome-ignore-all lint/performance/useDomNodeTextContent: what a reader sees is what is tested.
/** What the forms for money show, and how they follow the balances. */
import type { Page } from "playwright-core";
import { type Address, parseEther } from "viem";
import { beforeEach, describe, expect, test } from "vitest";
import type { Balances } from "../../keeper/services/types.ts";
import { audit } from "./support/browser.ts";
import { openStage } from "./support/stage.ts";

const USER: Address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const stage = openStage();
const { arrive, ask, soon } = stage;

let nsd: Partial<Balances["nsd"]>;

beforeEach(() => {
  nsd = {};
  const { reads } = stage.keeper.services;
  const balances = reads.balances.bind(reads);
  reads.balances = async (address) => {
    const found = await balances(address);
    return { ...found, nsd: { ...found.nsd, wallet: parseEther("998000"), ...nsd } };
  };
});

/** Tells the page that its balances moved. */
function moved(next: Partial<Balances["nsd"]>): void {
  Object.assign(nsd, next);
  stage.keeper.notify({ type: "deposit", address: USER, at: Date.now(), data: {} } as never);
}

async function listening(page: Page): Promise<void> {
  await soon(() => stage.keeper.listenerCount()).toBeGreaterThan(0);
  await page.locator(".units b[title]").first().waitFor();
}

describe("credits that are there, and cannot pay", () => {
  test("since they are being withdrawn are told of before anything is signed, and can be kept", async () => {
    nsd = { credits: parseEther("2000"), usable: 0n, withdrawing: parseEther("2000") };
    const page = await arrive();
    await ask(page, "Can it pay?");
    const card = page.getByLabel("Not enough credits");
    await card.getByText("0 NSD of your credits can pay for it.").waitFor();
    await card.getByText("2,000 NSD of your credits are being withdrawn.").waitFor();
    expect(await card.getByRole("button", { name: "Keep it and send" }).isEnabled()).toBe(true);
    expect(await card.getByRole("button", { name: "Send it" }).count()).toBe(0);
    expect(await card.getByLabel("Deposit").inputValue()).toBe("50");
    expect(stage.keeper.kept.size).toBe(0);
    expect(await audit(page)).toEqual([]);
  });

  test("since answers wait to be settled can pay once these are", async () => {
    nsd = { credits: parseEther("80"), owed: parseEther("50"), usable: parseEther("30") };
    const page = await arrive();
    await listening(page);
    await ask(page, "And now?");
    const card = page.getByLabel("Not enough credits");
    await card.getByText("50 NSD wait for answers that are not settled yet.").waitFor();
    expect(await card.getByLabel("Deposit").inputValue()).toBe("20");
    moved({ credits: parseEther("75"), owed: 0n, usable: parseEther("75") });
    await card.getByRole("button", { name: "Send it" }).click();
    await page.getByText("paid,").waitFor();
  });
});

describe("what is suggested for a deposit", () => {
  test("is shown once the balances are known, and follows them until somebody changes it", async () => {
    nsd = { credits: parseEther("12.5"), usable: parseEther("12.5") };
    const page = await arrive();
    await ask(page, "Can I afford it?");
    const amount = page.getByLabel("Not enough credits").getByLabel("Deposit");
    await soon(() => amount.inputValue()).toBe("37.50");
    const told = Promise.withResolvers<void>();
    await page.route("**/api/balances/*", async (route) => {
      await told.promise;
      await route.continue();
    });
    // What moves below must be told to the page that is here then, and not to the one before, which hangs up late.
    await page.goto("about:blank");
    await soon(() => stage.keeper.listenerCount()).toBe(0);
    await page.goto(stage.url);
    await page.getByLabel("Not enough credits").getByText("Reading your credits").waitFor();
    expect(await amount.count()).toBe(0);
    told.resolve();
    await soon(() => amount.inputValue()).toBe("37.50");
    await soon(() => stage.keeper.listenerCount()).toBeGreaterThan(0);
    moved({ credits: parseEther("7.5"), usable: parseEther("7.5") });
    await soon(() => amount.inputValue()).toBe("42.50");
    await amount.fill("60");
    moved({ credits: parseEther("5"), usable: parseEther("5") });
    await page.locator(".units").getByText("5 NSD", { exact: true }).waitFor();
    expect(await amount.inputValue()).toBe("60");
  });
});

describe("the forms", () => {
  const form = (page: Page) => page.locator(".yours .money");
  const open = (page: Page, name: string) => page.locator(".actions").getByRole("button", { name }).click();

  test("say why nothing can be withdrawn, follow the credits, and forget what was typed for another account", async () => {
    nsd = { credits: parseEther("1749.7"), usable: parseEther("1749.7") };
    const page = await arrive();
    await listening(page);
    await open(page, "Withdraw");
    const amount = form(page).getByLabel("Withdraw");
    const button = form(page).getByRole("button", { name: "Withdraw" });
    expect(await amount.inputValue()).toBe("1749.70");
    moved({ credits: parseEther("1744.7"), usable: parseEther("1744.7") });
    await soon(() => amount.inputValue()).toBe("1744.70");
    expect(await button.isEnabled()).toBe(true);
    await amount.fill("1,744.70");
    expect(await button.isEnabled()).toBe(true);
    await amount.fill("1,749.70");
    await form(page).getByText("Your credits are 1,744.70 NSD.").waitFor();
    expect(await button.isDisabled()).toBe(true);
    await amount.fill("1000,500");
    await form(page).getByText("Enter an amount such as 50 or 1,000.50.").waitFor();
    expect(await button.isDisabled()).toBe(true);
    expect(await audit(page)).toEqual([]);
    await page.locator("header .account").click();
    await page.getByRole("button", { name: "Account 2" }).click();
    await page.locator("dialog").waitFor({ state: "detached" });
    await soon(() => amount.inputValue()).toBe("1744.70");
  });

  test("say why nothing can be deposited", async () => {
    const page = await arrive();
    await listening(page);
    await open(page, "Deposit");
    const amount = form(page).getByLabel("Deposit");
    const button = form(page).getByRole("button", { name: "Deposit" });
    expect(await amount.inputValue()).toBe("1000");
    for (const [typed, told] of [
      ["0", "Enter more than 0."],
      ["998,000.01", "Your wallet holds 998,000 NSD."],
      ["a lot", "Enter an amount such as 50 or 1,000.50."],
    ] as const) {
      await amount.fill(typed);
      await form(page).getByText(told, { exact: true }).waitFor();
      expect(await button.isDisabled()).toBe(true);
    }
    await amount.fill("998,000");
    expect(await button.isEnabled()).toBe(true);
  });

  test("let a withdrawal be taken out by the clock of the chain, and say the day until then", async () => {
    const readyAt = new Date(Date.now() + 3 * 86_400_000);
    nsd = { withdrawing: parseEther("25"), withdrawableAt: readyAt };
    const page = await arrive();
    await listening(page);
    await open(page, "Withdraw");
    const button = form(page).locator("button.main");
    await soon(() => button.innerText()).toMatch(/^Ready at [A-Z][a-z]{2} \d+, \d\d:\d\d$/);
    expect(await button.isDisabled()).toBe(true);
    stage.keeper.services.reads.locate = async (address) => ({ address, block: 1n, at: readyAt, positions: [] });
    moved({});
    await soon(() => button.innerText()).toBe("Take it out");
    expect(await button.isEnabled()).toBe(true);
  });
});

// biome-ignore-all lint/performance/useDomNodeTextContent: what a reader sees is what is tested.
import type { Page } from "playwright-core";
import { parseEther } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { describe, expect, test } from "vitest";
import { audit, NARROW, priced } from "./support/browser.ts";
import { openStage } from "./support/stage.ts";
import { type Extension, visitWithWallet } from "./support/wallet.ts";

const stage = openStage();
const { ask, soon } = stage;

describe("a wallet of the browser's own", () => {
  const extension = (chainId: number): Extension => ({
    account: privateKeyToAccount("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"),
    chainId,
    signed: [],
    declines: false,
  });

  async function connect(wallet: Extension, options = {}): Promise<Page> {
    stage.open = await visitWithWallet(stage.browser, stage.url, wallet, options);
    const { page } = stage.open;
    await priced(page);
    await page.locator("header .account").click();
    await page.getByRole("button", { name: "Test wallet" }).click();
    await page.locator("dialog").waitFor({ state: "detached" });
    return page;
  }

  test("is told the most it can cost and who answers before it signs what the page checked", async () => {
    const wallet = extension(31_337);
    const page = await connect(wallet);
    await ask(page, "Who are you?");
    const card = page.getByLabel("Before you sign");
    await soon(() => card.innerText()).toContain("50 NSD, about $0.05");
    expect(await card.innerText()).toContain("validator 1");
    expect(await card.innerText()).toContain("public");
    expect(await audit(page)).toEqual([]);
    expect(wallet.signed).toEqual([]);
    await page.keyboard.press("Enter");
    await page.getByText("paid,").waitFor();
    expect(wallet.signed).toHaveLength(1);
    expect(wallet.signed[0]?.message).toMatchObject({
      user: wallet.account.address.toLowerCase(),
      payment: parseEther("50").toString(),
    });
    await page.reload();
    await soon(() => page.locator("header .account").innerText()).toContain("0x7099");
  });

  test("does not take the keyboard from who writes the next question already", async () => {
    const { requests } = stage.keeper.services;
    const prepare = requests.prepare.bind(requests);
    const told = Promise.withResolvers<void>();
    requests.prepare = async (lane, fields) => {
      await told.promise;
      return prepare(lane, fields);
    };
    const wallet = extension(31_337);
    const page = await connect(wallet);
    await ask(page, "Who are you?");
    await page.keyboard.type("And");
    told.resolve();
    await page.getByLabel("Before you sign").waitFor();
    await page.keyboard.type(" then?");
    expect(await page.getByLabel("Your question").inputValue()).toBe("And then?");
    expect(await page.getByLabel("Before you sign").count()).toBe(1);
    expect(wallet.signed).toEqual([]);
  });

  test("may decline, and nothing was sent", async () => {
    const wallet = { ...extension(31_337), declines: true };
    const page = await connect(wallet);
    await ask(page, "Shall I?");
    await page.getByRole("button", { name: "Sign and send" }).click();
    await page.locator("main").getByText("You declined the signature").waitFor();
    expect(stage.keeper.kept.size).toBe(0);
  });

  test("is offered to switch where it looks at another chain", async () => {
    const wallet = extension(1);
    const page = await connect(wallet, { viewport: NARROW });
    await page.getByText("Test wallet is on chain 1").waitFor();
    await page.getByLabel("Your question").fill("Where am I?");
    expect(await page.getByRole("button", { name: "Send" }).isDisabled()).toBe(true);
    expect(await audit(page)).toEqual([]);
    await page.getByRole("button", { name: "Switch" }).click();
    await page.getByText("Test wallet is on chain 1").waitFor({ state: "detached" });
    expect(wallet.chainId).toBe(31_337);
  });
});

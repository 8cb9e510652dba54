// biome-ignore-all lint/performance/useDomNodeTextContent: what a reader sees is what is tested.
/** Taking back what the network was asked: what is told before, what is signed, and what comes of it. */
import type { Page } from "playwright-core";
import { type Hex, parseEther } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { describe, expect, test } from "vitest";
import { ApiError } from "../../keeper/services/errors.ts";
import type { CancelOffer } from "../../keeper/services/types.ts";
import { audit, NARROW, priced, receiptOf, WIDE } from "./support/browser.ts";
import { answering, anyValidator, askAny, assign, cancelling, complete, end, newest, queue } from "./support/hands.ts";
import { openStage } from "./support/stage.ts";
import { type Extension, visitWithWallet } from "./support/wallet.ts";

const stage = openStage();
const { arrive, ask, soon } = stage;
const UNTIL = new Date(2030, 0, 1, 12, 0, 30);

const asked = (page: Page) => askAny(stage, page, "Shall I wait?");

function offering(refundPercent: number): void {
  const { requests } = stage.keeper.services;
  const prepare = requests.prepareCancel.bind(requests);
  requests.prepareCancel = async (id) => ({ ...((await prepare(id)) as CancelOffer), refundPercent });
}

/** As the chain has it where a validator is at work: it may post until then. */
function leavingTime(): { id?: Hex; signature?: Hex } {
  const seen: { id?: Hex; signature?: Hex } = {};
  stage.keeper.services.requests.cancel = async (id, _deadline, signature) => {
    Object.assign(seen, { id, signature });
    const entry = newest(stage.keeper);
    cancelling(entry, UNTIL);
    return { ...entry.state };
  };
  return seen;
}

describe("a request that nobody has yet", () => {
  test("is taken back by keyboard, with everything, and its receipt says so", async () => {
    stage.keeper.script.byHand = true;
    const page = await arrive();
    const entry = await asked(page);
    expect(await page.getByRole("button", { name: "Cancel", exact: true }).count()).toBe(0);
    queue(entry);
    await page.locator(".phases").getByText("for a validator").waitFor();
    const opener = page.getByRole("button", { name: "Cancel", exact: true });
    await opener.focus();
    await page.keyboard.press("Enter");
    const card = page.getByLabel("Before you cancel");
    await soon(() => card.innerText()).toContain("all 50 NSD, at once");
    expect(await card.innerText()).toContain("nobody yet");
    expect(await audit(page)).toEqual([]);

    await page.keyboard.press("Escape");
    await card.waitFor({ state: "detached" });
    await soon(() => page.evaluate("document.activeElement.textContent")).toBe("Cancel");
    expect(await page.getByText("Not followed any more").count()).toBe(0);

    await page.keyboard.press("Enter");
    await soon(() => card.getByRole("button", { name: "Cancel the request" }).isEnabled()).toBe(true);
    await card.getByRole("button", { name: "Cancel the request" }).click();
    const receipt = page.getByLabel("Receipt of a cancelled request");
    await soon(() => receipt.innerText()).toContain("Cancelled, 50 of 50 NSD came back");
    expect((await receiptOf(page)).legs).toEqual({ Burned: 0n, "Back to you": parseEther("50") });
    expect(entry.state.status).toBe("cancelled");
    expect(await page.locator(".phases").innerText()).toMatch(/Accepted\s+Cancelled/);
    expect(await audit(page)).toEqual([]);
    expect(stage.open?.troubles).toEqual([]);
  });
});

describe("a request that a validator works on", () => {
  test("is told what comes back and what its validator may still do, as that changes", async () => {
    stage.keeper.script.byHand = true;
    const page = await arrive();
    const entry = await asked(page);
    queue(entry);
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    const card = page.getByLabel("Before you cancel");
    await soon(() => card.innerText()).toContain("all 50 NSD");
    const button = card.getByRole("button", { name: "Cancel the request" });
    await button.focus();
    const { requests } = stage.keeper.services;
    const prepare = requests.prepareCancel.bind(requests);
    const told = Promise.withResolvers<void>();
    requests.prepareCancel = async (id) => {
      await told.promise;
      return { ...((await prepare(id)) as CancelOffer), refundPercent: 50 };
    };
    assign(entry, 3);
    await card.getByText("validator 3").waitFor();
    expect(await card.innerText()).toContain("asking the keeper");
    expect(await button.isDisabled()).toBe(true);
    told.resolve();
    await soon(() => card.innerText()).toContain("25 of 50 NSD; the other 25 stay burned");
    expect(await button.isEnabled()).toBe(true);
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Cancel the request");
    expect(await card.innerText()).toContain("within 30 seconds");
    await card.getByRole("button", { name: "Keep waiting" }).click();
    complete(entry, "There it is.");
    await page.getByText("paid,").waitFor();
    expect(await page.getByRole("button", { name: "Cancel", exact: true }).count()).toBe(0);
  });

  test.each([
    ["wide", WIDE],
    ["narrow", NARROW],
  ])("still answers, is paid, and nothing jumps on a %s screen", async (_name, viewport) => {
    stage.keeper.script.byHand = true;
    const page = await arrive({ viewport });
    const entry = await asked(page);
    assign(entry, 3);
    answering(entry, "There it ");
    offering(50);
    leavingTime();
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByRole("button", { name: "Cancel the request" }).click();
    const receipt = page.locator(".receipt");
    await soon(() => receipt.innerText()).toContain("Validator 3 may post what it has until 12:00:30");
    expect(await receipt.innerText()).toContain("25 NSD come back and 25 stay burned");
    expect(await audit(page)).toEqual([]);
    const places = async () =>
      Promise.all([".phases", ".receipt", ".legs", ".proofs"].map((part) => page.locator(part).boundingBox()));
    const before = await places();
    complete(entry, "There it is.", { finishReason: "cancelled" });
    await page.getByText("paid,").waitFor();
    expect(await receipt.innerText()).toContain("Validator 3 still posted what it had within its 30 seconds");
    expect(await receipt.innerText()).toContain("50 NSD paid, 5.40 used");
    expect(await places()).toEqual(before);
  });

  test("posts nothing, and half comes back; a reload finds the same", async () => {
    stage.keeper.script.byHand = true;
    const page = await arrive();
    const entry = await asked(page);
    assign(entry, 3);
    offering(50);
    leavingTime();
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByRole("button", { name: "Cancel the request" }).click();
    await page.locator(".receipt").getByText("You cancelled it.").waitFor();
    await page.reload();
    await page.locator(".receipt").getByText("may post what it has until 12:00:30").waitFor();
    end(entry, "cancelled", 50);
    const receipt = page.getByLabel("Receipt of a cancelled request");
    await soon(() => receipt.innerText()).toContain("25 of 50 NSD came back");
    expect((await receiptOf(page)).legs).toEqual({ Burned: parseEther("25"), "Back to you": parseEther("25") });
    expect(await receipt.innerText()).toContain("posted no answer");
  });

  test("was faster: the page says so, and the answer stands", async () => {
    stage.keeper.script.byHand = true;
    const page = await arrive();
    const entry = await asked(page);
    assign(entry, 3);
    offering(50);
    stage.keeper.services.requests.cancel = async () => {
      throw new ApiError(409, "already_ended", "There is nothing left to cancel: the request is answered and settled");
    };
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByRole("button", { name: "Cancel the request" }).click();
    await page.getByLabel("Before you cancel").getByText("There is nothing left to cancel").waitFor();
    complete(entry, "There it is.");
    await page.getByText("paid,").waitFor();
  });
});

describe("what is signed to cancel", () => {
  const wallet = (): Extension => ({
    account: privateKeyToAccount("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"),
    chainId: 31_337,
    signed: [],
    declines: false,
  });

  async function askedWith(extension: Extension) {
    stage.keeper.script.byHand = true;
    stage.open = await visitWithWallet(stage.browser, stage.url, extension);
    const { page } = stage.open;
    await priced(page);
    await page.locator("header .account").click();
    await page.getByRole("button", { name: "Test wallet" }).click();
    await page.locator("dialog").waitFor({ state: "detached" });
    await anyValidator(page);
    await ask(page, "Who are you?");
    const card = page.getByLabel("Before you sign");
    await soon(() => card.innerText()).toContain("whichever validator the network picks");
    expect(await card.innerText()).toContain("all of it until the request ends");
    await page.keyboard.press("Enter");
    await page.locator(".phases").getByText("Accepted").waitFor();
    const entry = newest(stage.keeper);
    queue(entry);
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    return { page, entry };
  }

  test("is the request and nothing else, in the wallet of the browser's own", async () => {
    const extension = wallet();
    const { page, entry } = await askedWith(extension);
    await page.getByRole("button", { name: "Cancel the request" }).click();
    await page.getByLabel("Receipt of a cancelled request").waitFor();
    const [question, cancellation] = extension.signed;
    expect(question?.primaryType).toBe("Request");
    expect(cancellation).toMatchObject({ primaryType: "Cancel", message: { request: entry.id } });
  });

  test("may be declined, and the request goes on", async () => {
    const extension = wallet();
    const { page, entry } = await askedWith(extension);
    extension.declines = true;
    await page.getByRole("button", { name: "Cancel the request" }).click();
    const card = page.getByLabel("Before you cancel");
    await card.getByText("You declined it").waitFor();
    expect(entry.state.status).toBe("queued");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Cancel the request");
    await page.keyboard.press("Escape");
    await card.waitFor({ state: "detached" });
    expect(await page.getByText("Not followed any more").count()).toBe(0);
    await page.keyboard.press("Escape");
    await page.getByText("Not followed any more").waitFor();
    expect(await page.getByRole("button", { name: "Cancel", exact: true }).count()).toBe(1);
  });

  test("is never another request than this one", async () => {
    const extension = wallet();
    const { requests } = stage.keeper.services;
    const prepare = requests.prepareCancel.bind(requests);
    const other = `0x${"ef".repeat(32)}` as const;
    requests.prepareCancel = async (id) => {
      const offer = (await prepare(id)) as CancelOffer;
      return { ...offer, data: { ...offer.data, message: { ...offer.data.message, request: other } } };
    };
    const { page, entry } = await askedWith(extension);
    await page.getByRole("button", { name: "Cancel the request" }).click();
    await page.getByLabel("Before you cancel").getByText("asked for a signature on something else").waitFor();
    expect(extension.signed).toHaveLength(1);
    expect(entry.state.status).toBe("queued");
  });
});

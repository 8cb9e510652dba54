// biome-ignore-all lint/performance/useDomNodeTextContent: what a reader sees is what is tested.
/** Chromium on this machine, driven over its own protocol, and pages that remember what went wrong in them. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { TestContext } from "vitest";

const PLACES = [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const AUDIT = readFileSync(join(import.meta.dirname, "audit.js"), "utf8").replace("export ", "");

export const WIDE = { width: 1280, height: 800 };
export const NARROW = { width: 390, height: 844 };

export async function launch(): Promise<Browser> {
  const executablePath = PLACES.find((place) => place !== undefined && existsSync(place)) ?? onPath();
  if (executablePath === undefined) {
    throw new Error("No Chromium was found. Install it (Debian: apt-get install chromium), or name it in CHROMIUM.");
  }
  return chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
  });
}

function onPath(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(":");
  return folders.flatMap((folder) => [join(folder, "chromium"), join(folder, "google-chrome")]).find(existsSync);
}

export interface Visit {
  readonly page: Page;
  /** Errors in the console, exceptions, and breaches of the content policy; refusals that the page handles are none. */
  readonly troubles: string[];
  close(): Promise<void>;
}

/** A visitor who was never here: own storage, own page. */
export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: WIDE, ...options });
  const page = await context.newPage();
  const troubles = watched(page);
  await page.goto(url);
  return { page, troubles, close: () => context.close() };
}

/** Waits until a question has a price: before that nothing is sent. */
export async function priced(page: Page): Promise<void> {
  await page.locator(".cost").getByText("at most").waitFor();
}

/** Waits until a question can be sent, where nobody has to connect a wallet for it. */
export async function ready(page: Page): Promise<void> {
  await priced(page);
  await page.getByRole("button", { name: "Send", exact: true }).waitFor();
}

/** Ends a visit; where its test failed, what was on the screen is told first. */
export async function leave(open: Visit | undefined, { task }: TestContext): Promise<void> {
  if (open && !open.page.isClosed() && task.result?.state === "fail") {
    const shown = await open.page.locator("body").innerText();
    const told = [`--- ${task.name}: the page showed`, shown, "--- and wrote", ...open.troubles, "---"];
    process.stderr.write(`${told.join("\n")}\n`);
  }
  await open?.close();
}

export function watched(page: Page): string[] {
  const troubles: string[] = [];
  page.on("pageerror", (error) => troubles.push(error.message));
  page.on("console", (message) => {
    // The browser itself writes down every answer of 400 and more, whatever the page makes of it.
    const handled = /Failed to load resource: the server responded with a status of (401|402|404|429)/.test(
      message.text(),
    );
    if (message.type() === "error" && !handled) troubles.push(message.text());
  });
  return troubles;
}

/** What a reader without eyes, mouse or good contrast would stumble over; empty where nothing. */
export function audit(page: Page): Promise<string[]> {
  return page.evaluate(`(${AUDIT})()`);
}

/** The numbers of a receipt, in wei of 18 decimals. */
export async function receiptOf(page: Page): Promise<{ legs: Record<string, bigint>; headline: string }> {
  const receipt = page.locator(".receipt").last();
  const legs: Record<string, bigint> = {};
  for (const leg of await receipt.locator(".legs > div").all()) {
    const name = await leg.locator("dt").innerText();
    legs[name] = weiOf((await leg.locator("dd").getAttribute("title")) ?? "");
  }
  return { legs, headline: await receipt.locator(".headline").innerText() };
}

export function weiOf(text: string): bigint {
  const match = /([\d,]+)(?:\.(\d+))?/.exec(text);
  if (!match) throw new Error(`"${text}" is no amount`);
  return BigInt((match[1] ?? "").replaceAll(",", "")) * 10n ** 18n + BigInt((match[2] ?? "").padEnd(18, "0"));
}

/**
 * A browser before a keeper whose faults are scripted: its core is the one in memory, everything from its routes on is
 * real.
 */
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { listening, type Outside, outside } from "../../keeper/support/http.ts";
import { launch, leave, ready, type Visit, visit } from "./browser.ts";

export const WEB = join(import.meta.dirname, "..", "..", "..", "dist", "web");

export interface Stage {
  browser: Browser;
  keeper: Outside;
  url: string;
  open: Visit | undefined;
  arrive(options?: BrowserContextOptions): Promise<Page>;
  ask(page: Page, prompt: string): Promise<void>;
  soon<T>(read: () => T): ReturnType<typeof expect.poll<T>>;
}

/** One browser for the file, one keeper for each of its tests. */
export function openStage(): Stage {
  const stage = {
    open: undefined,
    async arrive(options = {}) {
      stage.open = await visit(stage.browser, stage.url, options);
      await stage.open.page.locator(".first").waitFor();
      await ready(stage.open.page);
      return stage.open.page;
    },
    async ask(page, prompt) {
      await page.getByLabel("Your question").fill(prompt);
      await page.keyboard.press("Enter");
    },
    soon: (read) => expect.poll(read, { timeout: 10_000 }),
  } as Stage;
  beforeAll(async () => {
    stage.browser = await launch();
  });
  beforeEach(async () => {
    stage.keeper = await outside({ answerTimeoutMs: 30_000, settlementTimeoutMs: 30_000 }, WEB);
    stage.url = (await listening(stage.keeper.app)).url;
  });
  afterEach(async (test) => {
    await leave(stage.open, test);
    stage.open = undefined;
    await stage.keeper?.app.close();
  });
  afterAll(() => stage.browser?.close());
  return stage;
}

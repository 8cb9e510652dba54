/**
 * Takes the README's picture of the page from a running keeper, for which a fresh `npm start` is best:
 *
 *   node test/browser/picture.ts http://127.0.0.1:4173 docs/page.png
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { launch, visit } from "./support/browser.ts";

const [url = "http://127.0.0.1:4173", path = "docs/page.png"] = process.argv.slice(2);
const browser = await launch();
const { page } = await visit(browser, url, { viewport: { width: 1280, height: 720 } });
await page.locator(".first li button").first().click();
await page.getByText("paid,").waitFor();
await page.locator(".live").getByText("+1 LCAI").waitFor();
await page.mouse.move(0, 0);
await page.waitForTimeout(1_500);
mkdirSync(dirname(path), { recursive: true });
await page.screenshot({ path });
await browser.close();

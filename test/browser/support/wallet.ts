/** A wallet extension as a page sees one: announced by EIP-6963, signing with a key that stays outside of the page. */
import type { Browser, BrowserContextOptions } from "playwright-core";
import { type Hex, hexToNumber, numberToHex } from "viem";
import type { PrivateKeyAccount } from "viem/accounts";
import { type Visit, WIDE, watched } from "./browser.ts";

export interface Extension {
  readonly account: PrivateKeyAccount;
  chainId: number;
  /** What was signed, as the wallet showed it. */
  readonly signed: { primaryType: string; message: Record<string, unknown> }[];
  declines: boolean;
}

/** Runs in the page before anything of it. */
const ANNOUNCER = `(() => {
  const listeners = {};
  const provider = {
    request: async (call) => {
      const { result, error } = await window.extensionRequest(call);
      if (error) throw Object.assign(new Error(error.message), { code: error.code });
      if (call.method === "wallet_switchEthereumChain") {
        for (const listener of listeners.chainChanged ?? []) listener(call.params[0].chainId);
      }
      return result;
    },
    on: (event, listener) => { (listeners[event] ??= new Set()).add(listener); },
    removeListener: (event, listener) => { listeners[event]?.delete(listener); },
  };
  const info = { uuid: "3f1e6a4e-6f7b-4d0e-8a44-0d9f6f6f6f6f", name: "Test wallet", rdns: "org.example.wallet",
    icon: "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>" };
  const announce = () => dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
  addEventListener("eip6963:requestProvider", announce);
  announce();
})()`;

export async function visitWithWallet(
  browser: Browser,
  url: string,
  extension: Extension,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({ viewport: WIDE, ...options });
  const page = await context.newPage();
  const troubles = watched(page);
  await page.exposeFunction("extensionRequest", (call: { method: string; params?: unknown[] }) =>
    answer(extension, call),
  );
  await page.addInitScript(ANNOUNCER);
  await page.goto(url);
  return { page, troubles, close: () => context.close() };
}

async function answer(
  extension: Extension,
  { method, params = [] }: { method: string; params?: unknown[] },
): Promise<unknown> {
  switch (method) {
    case "eth_accounts":
    case "eth_requestAccounts":
      return { result: [extension.account.address] };
    case "wallet_requestPermissions":
      return { result: [{ caveats: [{ value: [extension.account.address] }] }] };
    case "eth_chainId":
      return { result: numberToHex(extension.chainId) };
    case "wallet_switchEthereumChain":
      extension.chainId = hexToNumber((params[0] as { chainId: Hex }).chainId);
      return { result: null };
    case "eth_signTypedData_v4": {
      if (extension.declines) return { error: { code: 4001, message: "User rejected the request." } };
      const data = JSON.parse(String(params[1]));
      extension.signed.push(data);
      return { result: await extension.account.signTypedData(data) };
    }
    default:
      return { error: { code: 4200, message: `${method} is not supported` } };
  }
}

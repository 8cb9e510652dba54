/** What every command that speaks to a keeper has in common: where it is, who asks, and how it ends. */
import { existsSync, readFileSync } from "node:fs";
import type { Hex, LocalAccount } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { readSettings } from "../config.ts";
import { developmentAccount } from "./accounts.ts";
import { ChatError, EXIT } from "./chat-client.ts";
import { dataFolder } from "./data-folder.ts";
import { printable } from "./format.ts";
import { readRecord } from "./processes.ts";

export interface Signer {
  readonly account: string;
  readonly key?: string;
}

export function accountOf({ key, account }: Signer): LocalAccount {
  if (key === undefined) {
    if (!/^[0-9]$/.test(account)) throw usage("--account must be 0 to 9.");
    return developmentAccount(Number(account));
  }
  const text = existsSync(key) ? readFileSync(key, "utf8").trim() : key;
  if (!/^0x[0-9a-fA-F]{64}$/.test(text)) throw usage("--key must be 0x and 64 hex digits, or a file that holds them.");
  return privateKeyToAccount(text as Hex);
}

/** The keeper that is named, or the one that was started on this machine. */
export async function urlOf({ url, data }: { readonly url?: string; readonly data?: string }): Promise<string> {
  if (url !== undefined) {
    if (!/^https?:\/\//.test(url) || !URL.canParse(url))
      throw usage("--url must be an address such as http://127.0.0.1:4173.");
    return url.replace(/\/+$/, "");
  }
  const settings = readSettings(data === undefined ? {} : { DATA_DIR: data });
  const started = await readRecord(dataFolder(settings.dataDir).record);
  return started?.url ?? `http://127.0.0.1:${settings.port}`;
}

export function requestIdOf(text: string): Hex {
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase() as Hex;
  throw usage("The request's id is 0x and 64 hex digits.", "It is what `chat` shows as Request.");
}

export function usage(message: string, advice?: string): ChatError {
  return new ChatError("usage", message, EXIT.usage, advice);
}

/** Runs a command, and ends the process as it went. */
export async function ending(options: { readonly json?: boolean }, command: () => Promise<number>): Promise<void> {
  process.stdout.on("error", leaveQuietly);
  try {
    process.exitCode = await command();
  } catch (error) {
    process.exitCode = report(error, options.json === true);
  }
}

/** Who reads may stop reading: `neuroswarm chat … | head`. */
function leaveQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
}

function report(error: unknown, json: boolean): number {
  const { code, exitCode, advice, details } =
    error instanceof ChatError ? error : { code: "failed", exitCode: EXIT.failed, advice: undefined, details: {} };
  const message = error instanceof Error ? error.message : String(error);
  if (json) process.stdout.write(`${JSON.stringify({ error: { code, message, ...details } })}\n`);
  else process.stderr.write(`${printable(`Error: ${message}`)}\n${advice === undefined ? "" : `${advice}\n`}`);
  return exitCode;
}

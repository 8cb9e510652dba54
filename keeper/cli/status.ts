import type { Command } from "commander";
import { readSettings } from "../config.ts";
import { bold, CliError, complain, dim, green, red, say, yellow } from "./console.ts";
import { dataFolder } from "./data-folder.ts";
import { readRecord } from "./processes.ts";

interface Component {
  readonly state?: string;
  readonly detail?: string;
  readonly [name: string]: unknown;
}

interface Health {
  readonly status?: string;
  readonly components?: Readonly<Record<string, Component>>;
}

/** `neuroswarm status`: asks a running keeper how it is. */
export function registerStatusCommand(program: Command): void {
  program
    .command("status")
    .description("ask a running keeper how it is")
    .option("--url <url>", "address of the keeper; the one that was started on this machine when absent")
    .option("--data <folder>", "data folder of the start that is meant (.neuroswarm in the project)")
    .option("--json", "print the answer as it comes")
    .action(async (options: { url?: string; data?: string; json?: boolean }) => {
      try {
        process.exitCode = await status(options);
      } catch (error) {
        complain(error);
        process.exitCode = error instanceof CliError ? error.exitCode : 1;
      }
    });
}

async function status(options: { url?: string; data?: string; json?: boolean }): Promise<number> {
  const settings = readSettings(options.data === undefined ? {} : { DATA_DIR: options.data });
  const recorded = await readRecord(dataFolder(settings.dataDir).record);
  const url = (options.url ?? recorded?.url ?? `http://127.0.0.1:${settings.port}`).replace(/\/$/, "");
  let response: Response;
  try {
    response = await fetch(`${url}/api/health`, { signal: AbortSignal.timeout(10_000) });
  } catch {
    throw new CliError(`Nothing answers at ${url}.`, "Start one with `npm start`, or name another with --url.");
  }
  const text = await response.text();
  if (options.json) say(text);
  else show(url, text);
  return response.ok ? 0 : 1;
}

function show(url: string, text: string): void {
  let health: Health;
  try {
    health = JSON.parse(text) as Health;
  } catch {
    throw new CliError(`What answers at ${url} is no keeper.`, text.slice(0, 200));
  }
  say(`${bold(url)} ${paint(health.status)}`);
  for (const [name, { state, detail, ...rest }] of Object.entries(health.components ?? {})) {
    const facts = Object.entries(rest).map(([key, value]) => `${key} ${String(value)}`);
    say(`  ${name.padEnd(9)} ${paint(state)} ${dim([detail, ...facts].filter(Boolean).join(", "))}`);
  }
}

function paint(state = "unknown"): string {
  return state === "ok" ? green(state) : state === "degraded" ? yellow(state) : red(state);
}

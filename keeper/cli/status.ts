import type { Command } from "commander";
import { EXIT, KeeperClient } from "./chat-client.ts";
import { ending, requestIdOf, urlOf } from "./client-options.ts";
import { bold, CliError, complain, dim, green, red, say, yellow } from "./console.ts";
import { painter, type RequestReport, requestLines } from "./format.ts";

interface Component {
  readonly state?: string;
  readonly detail?: string;
  readonly [name: string]: unknown;
}

interface Health {
  readonly status?: string;
  readonly components?: Readonly<Record<string, Component>>;
}

const HELP = `
Of a request: who had it and why each of them did not answer, what it cost, and what came back.

Ends with 0 when the keeper is well, or the request is answered or on its way; 1 when it is not;
2 for wrong arguments; 3 when no keeper answers a question about a request.`;

interface Options {
  readonly url?: string;
  readonly data?: string;
  readonly json?: boolean;
}

/** `neuroswarm status [request_id]`: asks a running keeper how it is, or where a request stands. */
export function registerStatusCommand(program: Command): void {
  program
    .command("status")
    .description("ask a running keeper how it is, or where a request stands")
    .argument("[request_id]", "the request, as `chat` shows it; the keeper itself when absent")
    .option("--url <url>", "address of the keeper; the one that was started on this machine when absent")
    .option("--data <folder>", "data folder of the start that is meant (.neuroswarm in the project)")
    .option("--json", "print the answer as it comes")
    .addHelpText("after", HELP)
    .action(async (id: string | undefined, options: Options) => {
      if (id !== undefined) return ending(options, () => requestStatus(id, options));
      try {
        process.exitCode = await status(options);
      } catch (error) {
        complain(error);
        process.exitCode = error instanceof CliError ? error.exitCode : 1;
      }
    });
}

async function requestStatus(text: string, options: Options): Promise<number> {
  const id = requestIdOf(text);
  const request = await new KeeperClient(await urlOf(options)).get<RequestReport>(`/api/llm/status/${id}`);
  if (options.json) process.stdout.write(`${JSON.stringify(request)}\n`);
  else process.stdout.write(`${requestLines(request, painter(process.stdout, process.env)).join("\n")}\n`);
  return request.status === "failed" || request.status === "cancelled" ? EXIT.failed : 0;
}

async function status(options: Options): Promise<number> {
  const url = await urlOf(options);
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

import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import type { Hex } from "viem";
import { type Cancelled, KeeperClient } from "./chat-client.ts";
import { accountOf, ending, requestIdOf, type Signer, urlOf, usage } from "./client-options.ts";
import { painter, printable, type RequestReport, units } from "./format.ts";
import { checkCancelData, type Network, signCancel } from "./typed-data.ts";

interface Options extends Signer {
  readonly url?: string;
  readonly json?: boolean;
  readonly yes?: boolean;
}

const HELP = `
A request that nobody works on ends at once. One that is being answered leaves its node 30 seconds
to post what it has, which is then charged by its length; where it posts nothing, half comes back.

Ends with 0 when it is cancelled or cancelling, 1 when it cannot be, 2 for wrong arguments, 3 when
no keeper answers.`;

/** `neuroswarm cancel <request_id>`: signs that a request is taken back, and lets the keeper bring that to the chain. */
export function registerCancelCommand(program: Command): void {
  program
    .command("cancel")
    .description("take a request back, and see what of its payment returns")
    .argument("<request_id>", "the request, as `chat` shows it")
    .option("--url <url>", "address of the keeper; the one that was started on this machine when absent")
    .option("--json", "print one JSON object and nothing else")
    .option("--yes", "do not ask whether it is meant")
    .option("--account <n>", "number of the development account that asked, 0 to 9", "0")
    .option("--key <key>", "private key that asked: 0x and 64 hex digits, or a file that holds it")
    .addHelpText("after", HELP)
    .action((id: string, options: Options) => ending(options, () => cancel(id, options)));
}

async function cancel(text: string, options: Options): Promise<number> {
  const id = requestIdOf(text);
  const account = accountOf(options);
  const keeper = new KeeperClient(await urlOf(options));
  const question = await keeper.prepareCancel(id);
  if (!("typed_data" in question)) return show(question, options);
  const network = await keeper.get<Network>("/api/network");
  checkCancelData(question.typed_data, network, id);
  if (options.yes !== true) await confirm(keeper, id, question.refund_percent, options);
  const signature = await signCancel(account, question.typed_data);
  return show(await keeper.cancel(id, { deadline: question.typed_data.message["deadline"], signature }), options);
}

/** What it costs is known before it is done. */
async function confirm(keeper: KeeperClient, id: Hex, percent: number, { json }: Options): Promise<void> {
  const { nsd_burned_wei } = await keeper.get<RequestReport>(`/api/llm/status/${id}`);
  const back = units((BigInt(nsd_burned_wei) * BigInt(percent)) / 100n);
  const what = `Cancelling gives back ${back} of ${units(nsd_burned_wei)} NSD (${percent} %), or what an answer leaves.`;
  if (json === true || process.stdin.isTTY !== true || process.stdout.isTTY !== true)
    throw usage(`${what} Nobody is here to agree to that.`, "Say so with --yes.");
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`${what} Cancel it? [y/N] `).finally(() => terminal.close());
  if (!/^y(es)?$/i.test(answer.trim())) throw usage("Nothing was cancelled.");
}

function show(cancelled: Cancelled, { json }: Options): number {
  const paint = painter(process.stdout, process.env);
  const { status, message } = cancelled;
  process.stdout.write(
    json === true
      ? `${JSON.stringify(cancelled)}\n`
      : `${status === "cancelled" ? paint.green("Cancelled.") : paint.yellow("Cancelling.")} ${printable(message)}\n`,
  );
  return 0;
}

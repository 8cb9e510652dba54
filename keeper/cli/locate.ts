import type { Command } from "commander";
import { KeeperClient } from "./chat-client.ts";
import { accountOf, ending, type Signer, urlOf, usage } from "./client-options.ts";
import { type PositionReport, painter, positionLines, units } from "./format.ts";

interface Options extends Signer {
  readonly url?: string;
  readonly json?: boolean;
}

interface Report {
  readonly address: string;
  readonly block: number;
  readonly at: string;
  readonly totals: Readonly<Record<string, number | string>>;
  readonly positions: readonly PositionReport[];
}

const HELP = `
Wallet, credits, what open requests, sessions and bonds hold, stake, earnings on their way, and
rewards that are not minted yet: read at one block, each with when and by which call it is had.

Ends with 0 when it is found, 2 for wrong arguments, 3 when no keeper answers.`;

/** `neuroswarm locate [address]`: every unit that the protocol holds for an address. */
export function registerLocateCommand(program: Command): void {
  program
    .command("locate")
    .alias("balance")
    .description("show every NSD, NST and LCAI of an address, where it is and how it is had")
    .argument("[address]", "0x and 40 hex digits; that of --account or --key when absent")
    .option("--url <url>", "address of the keeper; the one that was started on this machine when absent")
    .option("--json", "print one JSON object and nothing else")
    .option("--account <n>", "number of the development account that is meant, 0 to 9", "0")
    .option("--key <key>", "private key whose address is meant: 0x and 64 hex digits, or a file that holds it")
    .addHelpText("after", HELP)
    .action((address: string | undefined, options: Options) => ending(options, () => locate(address, options)));
}

async function locate(text: string | undefined, options: Options): Promise<number> {
  if (text !== undefined && !/^0x[0-9a-fA-F]{40}$/.test(text)) throw usage("An address is 0x and 40 hex digits.");
  const address = text ?? accountOf(options).address;
  const report = await new KeeperClient(await urlOf(options)).get<Report>(`/api/account/${address}`);
  if (options.json) {
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return 0;
  }
  const paint = painter(process.stdout, process.env);
  const { totals } = report;
  const sums = ["nsd", "nst", "lcai", "choir"]
    .filter((token) => totals[`${token}_wei`] !== "0")
    .map((token) => `${units(totals[`${token}_wei`])} ${token.toUpperCase()}`);
  const head = `${paint.bold(report.address)} at block ${report.block}: ${sums.join(", ") || "nothing"}`;
  process.stdout.write(`${[head, ...positionLines(report.positions, Date.parse(report.at), paint)].join("\n")}\n`);
  return 0;
}

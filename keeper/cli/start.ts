import type { Command } from "commander";
import type { StartOptions } from "./start/plan.ts";

/** `neuroswarm start`, which is also `npm start`. */
export function registerStartCommand(program: Command): void {
  program
    .command("start")
    .description("start a chain, the contracts, a validator, the API and the page on this machine")
    .option("--port <number>", "port of API and page; 4173, or the next free one, when absent; 0 for any free one")
    .option("--host <address>", "address to listen on; this machine alone (127.0.0.1) when absent")
    .option("--data <folder>", "where chain, database and records are kept (.neuroswarm in the project)")
    .option("--fresh", "begin anew: what an earlier start left is set aside")
    .option("--model <file|URL>", "GGUF model to run, with an optional #sha256=...; a small one ships with NeuroSwarm")
    .option("--model-name <name>", "the model's name in the catalogue; taken from the file's when absent")
    .option("--lora <file|URL...>", "LoRA adapters for the model, each with an optional :scale")
    .option("--rpc <url>", "use the chain at this address in the place of a local one")
    .option("--verbose", "say more: the keeper's log, and where an error came from")
    .addHelpText("after", "\nEvery other setting comes from the environment; keeper/config.ts lists them.")
    .action(async (options: StartOptions) => {
      const { start } = await import("./start/start.ts");
      process.exit(await start(options));
    });
}

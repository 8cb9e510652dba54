import type { Command } from "commander";
import type { RunOptions } from "../../deploy/run-deployment.ts";
import { complain } from "./console.ts";

/** `neuroswarm deploy`, which is also `npm run deploy --`. */
export function registerDeployCommand(program: Command): void {
  program
    .command("deploy")
    .description("deploy the contracts, and read everything back")
    .requiredOption("--network <name>", "network, as deploy/parameters/<name>.json describes it")
    .option("--rpc <url>", "the network's JSON-RPC endpoint; RPC_URL when absent")
    .option("--keystore <file>", "Web3 keystore of the account that deploys; KEYSTORE when absent")
    .option("--check", "deploy nothing, and read back what was deployed")
    .option("--yes", "do not ask before sending transactions")
    .addHelpText(
      "after",
      "\nThe keystore's password comes from KEYSTORE_PASSWORD_FILE or KEYSTORE_PASSWORD; DEPLOYER_KEY holds a bare key instead.",
    )
    .action(async (options: RunOptions) => {
      try {
        const { runDeployment } = await import("../../deploy/run-deployment.ts");
        await runDeployment(options);
      } catch (error) {
        complain(error);
        process.exitCode = 1;
      }
    });
}

import type { Command } from "commander";
import { readSettings } from "../config.ts";
import { CliError, complain, green, say } from "./console.ts";

/** `neuroswarm gpu`: brings the inference engine of the GPU that this machine has. */
export function registerGpuCommand(program: Command): void {
  program
    .command("gpu")
    .description("install the inference engine of this machine's GPU, where it has one")
    .option("--data <folder>", "data folder, where the engine is kept (.neuroswarm in the project)")
    .option("--dry-run", "say what would be done, and do nothing")
    .action(async (options: { data?: string; dryRun?: boolean }) => {
      try {
        await gpu(options);
      } catch (error) {
        complain(error instanceof Error && !(error instanceof CliError) ? new CliError(error.message) : error);
        process.exitCode = 1;
      }
    });
}

async function gpu(options: { data?: string; dryRun?: boolean }): Promise<void> {
  const { installGpu } = await import("../inference/gpu.ts");
  const { dataDir } = readSettings(options.data === undefined ? {} : { DATA_DIR: options.data });
  const { outcome, packages, version, report } = await installGpu({
    dataFolder: dataDir,
    dryRun: options.dryRun ?? false,
    onProgress: say,
  });
  const named = packages.map((name) => `${name}@${version}`).join(", ");
  if (outcome === "nothing")
    say(
      report.best === undefined
        ? "No GPU can be used: the model runs on the CPU."
        : `${report.best} needs nothing more.`,
    );
  else if (outcome === "already") say(`${green("Installed already:")} ${named}.`);
  else if (outcome === "planned") say(`Nothing was done. Without --dry-run this would bring ${named}.`);
  else say(`${green("Installed:")} ${named}. The next start uses it.`);
}

#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { registerCancelCommand } from "./cancel.ts";
import { registerChatCommand } from "./chat.ts";
import { registerConsentCommand } from "./consent.ts";
import { complain } from "./console.ts";
import { registerDeployCommand } from "./deploy.ts";
import { registerGpuCommand } from "./gpu.ts";
import { registerLocateCommand } from "./locate.ts";
import { registerStartCommand } from "./start.ts";
import { registerStatusCommand } from "./status.ts";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const program = new Command("neuroswarm")
  .description("A network of validators that answer prompts, settle on chain and remember.")
  .version(version)
  .showHelpAfterError("Run it with --help to see what there is.");

registerStartCommand(program);
registerStatusCommand(program);
registerChatCommand(program);
registerCancelCommand(program);
registerLocateCommand(program);
registerConsentCommand(program);
registerDeployCommand(program);
registerGpuCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  complain(error);
  process.exitCode = 1;
}

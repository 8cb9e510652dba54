import { Command } from "commander";
import { registerDeployCommand } from "../keeper/cli/deploy.ts";

// `npm run deploy -- --network <name>`: the command line's own command, without its name in front.
const program = new Command("npm run deploy --");
registerDeployCommand(program);
await program.parseAsync(["deploy", ...process.argv.slice(2)], { from: "user" });

#!/usr/bin/env node
// Starts the command line under the project's own Node, whichever Node runs this file.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");

function findNode() {
  const windows = process.platform === "win32";
  const name = `node-${windows ? "win" : process.platform}-${process.arch}`;
  const own = windows ? join(modules, name, "bin", "node.exe") : join(modules, ".bin", "node");
  if (existsSync(own)) return own;
  return Number(process.versions.node.split(".")[0]) >= 24 ? process.execPath : undefined;
}

function stop(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

if (!existsSync(join(modules, ".neuroswarm-install"))) {
  stop(`NeuroSwarm is not installed yet (${modules} is missing or incomplete): run npm start first.`);
}
const node = findNode();
if (!node) stop(`NeuroSwarm needs Node 24 on this platform, and this is Node ${process.versions.node}.`);

const child = spawn(node, [join(root, "keeper", "cli", "main.ts"), ...process.argv.slice(2)], { stdio: "inherit" });

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2"]) {
  process.on(signal, () => {
    // A terminal sends Ctrl-C to both processes: passing it on would tell the child twice.
    if (signal === "SIGINT" && process.stdin.isTTY) return;
    child.kill(signal);
  });
}
child.on("error", (error) => stop(`NeuroSwarm could not start: ${error.message}`));
child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));

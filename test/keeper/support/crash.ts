/** A keeper in a process of its own, that ends where its plan says. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const PATIENCE_MS = 90_000;

/** Runs a file of this folder with its plan; resolves with the signal that ended it. */
export async function crashOf(file: string, plan: object): Promise<NodeJS.Signals | null> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, [path, JSON.stringify(plan)], { stdio: ["ignore", "inherit", "inherit"] });
  const giveUp = setTimeout(() => child.kill("SIGTERM"), PATIENCE_MS);
  const signal = await new Promise<NodeJS.Signals | null>((resolve) => child.once("exit", (_code, by) => resolve(by)));
  clearTimeout(giveUp);
  return signal;
}

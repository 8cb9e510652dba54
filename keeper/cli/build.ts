import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { CliError } from "./console.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const WEB_ROOT = join(ROOT, "dist", "web");
const STAMP = join(ROOT, "dist", ".web-sources");
/** What the page is made of: its own files, the contracts' types, and the packages that the lockfile pins. */
const FOLDERS = [join("keeper", "web"), "typechain-types"];
const FILES = ["package-lock.json"];

/** Builds the page where something that it is made of changed since the last time; false where nothing did. */
export async function buildPage(signal: AbortSignal): Promise<boolean> {
  const before = hash();
  if (existsSync(join(WEB_ROOT, "index.html")) && existsSync(STAMP) && readFileSync(STAMP, "utf8") === before)
    return false;
  const vite = join(ROOT, "node_modules", "vite", "bin", "vite.js");
  const child = spawn(process.execPath, [vite, "build", join("keeper", "web"), "--logLevel", "warn"], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
    signal,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output = (output + chunk).slice(-10_000);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new CliError("The page could not be built.", output.trim());
  mkdirSync(dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, before);
  return true;
}

function hash(): string {
  const digest = createHash("sha256");
  for (const file of [...FOLDERS.flatMap(filesIn), ...FILES].sort()) {
    digest.update(file.split(sep).join("/")).update("\0");
    digest.update(readFileSync(join(ROOT, file))).update("\0");
  }
  return digest.digest("hex");
}

function filesIn(folder: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes("node_modules"))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

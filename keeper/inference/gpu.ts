import { spawn } from "node:child_process";
import { lstat, mkdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { detectGpu, type GpuProbes, type GpuReport } from "./gpu-detection.ts";

/** What the root's overrides put in the place of a GPU's engine. */
const PLACEHOLDER = "empty-npm-package";

export interface GpuInstallOptions {
  readonly dataFolder: string;
  readonly dryRun?: boolean;
  readonly probes?: GpuProbes;
  /** The folder where the keeper's own packages are; found by itself. */
  readonly nodeModules?: string;
  /** Runs npm and reports its lines. */
  readonly npm?: (args: readonly string[], onLine: (line: string) => void) => Promise<void>;
  /** What happens, line by line. */
  readonly onProgress?: (line: string) => void;
}

export interface GpuInstallResult {
  readonly report: GpuReport;
  readonly version: string;
  /** `nothing`: no GPU, or its engine needs no package. */
  readonly outcome: "nothing" | "already" | "planned" | "installed";
  readonly packages: readonly string[];
}

/**
 * Brings the engine of the GPU that was found. The root's overrides keep a gigabyte of engines out of everybody's
 * install, and refuse them under their own names too: so they get a folder of their own, linked into node_modules.
 */
export async function installGpu(options: GpuInstallOptions): Promise<GpuInstallResult> {
  const say = options.onProgress ?? (() => undefined);
  const nodeModules = options.nodeModules ?? ownNodeModules();
  const version = await packageVersion(join(nodeModules, "node-llama-cpp"));
  if (version === undefined) throw new Error(`node-llama-cpp is not installed in ${nodeModules}`);
  const report = await detectGpu(options.probes);
  for (const { kind, usable, detail } of report.findings) say(`${kind}: ${usable ? "found" : "not found"}, ${detail}`);
  const { packages } = report;
  const result = (outcome: GpuInstallResult["outcome"]): GpuInstallResult => ({ report, version, outcome, packages });
  if (packages.length === 0) return result("nothing");
  const prefix = join(resolve(options.dataFolder), "gpu");
  const missing = await filterAsync(
    packages,
    async (name) => (await packageVersion(join(nodeModules, name), name)) !== version,
  );
  if (missing.length === 0) return result("already");
  const wanted = await filterAsync(
    missing,
    async (name) => (await packageVersion(join(prefix, "node_modules", name), name)) !== version,
  );
  for (const name of wanted)
    say(`${options.dryRun ? "would install" : "installing"} ${name}@${version} into ${prefix}`);
  for (const name of missing) say(`${options.dryRun ? "would link" : "linking"} ${join(nodeModules, name)} to it`);
  if (options.dryRun) return result("planned");
  if (wanted.length > 0) await bring(prefix, packages, version, options.npm ?? runNpm, say);
  for (const name of missing) await link(join(prefix, "node_modules", name), join(nodeModules, name), name);
  return result("installed");
}

/** One line for the start where a GPU would be left idle; undefined where nothing is to be said. */
export async function gpuNotice(
  options: Pick<GpuInstallOptions, "probes" | "nodeModules"> = {},
): Promise<string | undefined> {
  const { best, packages, findings } = await detectGpu(options.probes);
  const nodeModules = options.nodeModules ?? ownNodeModules();
  const version = await packageVersion(join(nodeModules, "node-llama-cpp"));
  const missing = await filterAsync(
    packages,
    async (name) => (await packageVersion(join(nodeModules, name), name)) !== version,
  );
  if (missing.length === 0) return undefined;
  const detail = findings.find(({ kind }) => kind === best)?.detail ?? best;
  return `A GPU is here (${best}: ${detail}), but its engine is not installed: run "npx neuroswarm gpu".`;
}

function ownNodeModules(): string {
  const entry = createRequire(import.meta.url).resolve("node-llama-cpp");
  return entry.slice(0, entry.lastIndexOf("node_modules") + "node_modules".length);
}

async function packageVersion(folder: string, name?: string): Promise<string | undefined> {
  try {
    const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
      name?: string;
      version?: string;
    };
    return name === undefined || manifest.name === name ? manifest.version : undefined;
  } catch {
    return undefined;
  }
}

async function filterAsync<T>(items: readonly T[], keep: (item: T) => Promise<boolean>): Promise<T[]> {
  const kept = await Promise.all(items.map(keep));
  return items.filter((_, index) => kept[index]);
}

async function bring(
  prefix: string,
  packages: readonly string[],
  version: string,
  npm: NonNullable<GpuInstallOptions["npm"]>,
  say: (line: string) => void,
): Promise<void> {
  await mkdir(prefix, { recursive: true });
  // A manifest of its own keeps npm from taking a folder further up, with its overrides, for the project.
  await writeFile(join(prefix, "package.json"), `${JSON.stringify({ name: "neuroswarm-gpu", private: true })}\n`);
  await npm(
    [
      "install",
      "--prefix",
      prefix,
      "--no-audit",
      "--no-fund",
      "--save-exact",
      ...packages.map((name) => `${name}@${version}`),
    ],
    say,
  );
  for (const name of packages) {
    const got = await packageVersion(join(prefix, "node_modules", name), name);
    if (got !== version) throw new Error(`npm brought ${name} ${got ?? "not at all"}, expected ${version}`);
  }
}

/** Replaces the placeholder or an older link, and nothing that somebody put there on purpose. */
async function link(target: string, path: string, name: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there?.isSymbolicLink()) {
    if (resolve(dirname(path), await readlink(path)) === target) return;
    await rm(path);
  } else if (there !== undefined) {
    const manifest = JSON.parse(await readFile(join(path, "package.json"), "utf8")) as { name?: string };
    if (manifest.name !== PLACEHOLDER && manifest.name !== name)
      throw new Error(`${path} holds ${manifest.name}; move it away first`);
    await rm(path, { recursive: true });
  }
  await mkdir(dirname(path), { recursive: true });
  await symlink(target, path, process.platform === "win32" ? "junction" : "dir");
}

function runNpm(args: readonly string[], onLine: (line: string) => void): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn("npm", [...args], { stdio: ["ignore", "pipe", "pipe"], shell: process.platform === "win32" });
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", onLine);
    child.once("error", (error) => fail(new Error("npm could not be started", { cause: error })));
    child.once("close", (code) => (code === 0 ? done() : fail(new Error(`npm ended with code ${code}`))));
  });
}

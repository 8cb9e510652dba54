import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Artifact, ArtifactResolver } from "@nomicfoundation/ignition-core";
import type { Abi, Hex } from "viem";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUT = join(ROOT, "artifacts", "forge");
const STAMP = join(OUT, ".sources");
/** deploy/Foundations.sol names what OpenZeppelin gives as it is: the manager and the proxy. */
const SOURCES = ["contracts", join("deploy", "Foundations.sol")];
const LOCK = join(ROOT, "artifacts", ".compiling");
const LOCKED_AT_MOST_MS = 10 * 60_000;
const SETTINGS = ["foundry.toml", "remappings.txt", join("scripts", "solc.mjs")];
const PACKAGES = ["@openzeppelin/contracts", "@openzeppelin/contracts-upgradeable", "solady", "solc"];

/** Compiled code, as forge writes it. */
export interface Compiled {
  readonly abi: Abi;
  readonly bytecode: Hex;
  readonly deployedBytecode: Hex;
  /** Where immutables lie in the deployed code. */
  readonly immutables: readonly { readonly start: number; readonly length: number }[];
  readonly selectors: Readonly<Record<string, string>>;
  readonly source: string;
}

interface ForgeFile {
  readonly abi: Abi;
  readonly bytecode: { readonly object: Hex };
  readonly deployedBytecode: {
    readonly object: Hex;
    readonly immutableReferences?: Record<string, { start: number; length: number }[]>;
  };
  readonly methodIdentifiers: Record<string, string>;
  readonly metadata?: { readonly settings?: { readonly compilationTarget?: Record<string, string> } };
}

/** Hash of everything that the bytecode follows from: sources, settings, compiler and libraries. */
export function sourcesHash(): string {
  const hash = createHash("sha256");
  for (const file of [...SOURCES.flatMap(solidityFiles), ...SETTINGS].sort()) {
    hash.update(file.split(sep).join("/")).update("\0");
    hash.update(readFileSync(join(ROOT, file))).update("\0");
  }
  for (const name of PACKAGES) {
    const { version } = JSON.parse(readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8")) as {
      version: string;
    };
    hash.update(`${name}@${version}\0`);
  }
  return hash.digest("hex");
}

function solidityFiles(path: string): string[] {
  if (path.endsWith(".sol")) return [path];
  return readdirSync(join(ROOT, path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".sol"))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

/** Whether the artifacts are of these very sources. */
export function isCompiled(): boolean {
  return existsSync(STAMP) && readFileSync(STAMP, "utf8") === sourcesHash();
}

export class CompileError extends Error {
  constructor(output: string) {
    super(`The contracts do not compile:\n${output}`);
    this.name = "CompileError";
  }
}

/** Compiles where something changed since the last time; false where nothing did. */
export async function compileContracts(signal?: AbortSignal): Promise<boolean> {
  if (isCompiled()) return false;
  const unlock = await lock(signal);
  try {
    const before = sourcesHash();
    if (isCompiled()) return true;
    await forgeBuild(signal);
    // Sources that changed under the compiler leave the stamp of the state before: the next call compiles again.
    writeFileSync(STAMP, before);
    return true;
  } finally {
    unlock();
    forgetArtifacts();
  }
}

/** Tests in parallel, or a start beside them, must not compile into one folder at once. */
async function lock(signal?: AbortSignal): Promise<() => void> {
  mkdirSync(dirname(LOCK), { recursive: true });
  for (;;) {
    try {
      writeFileSync(LOCK, String(process.pid), { flag: "wx" });
      return () => rmSync(LOCK, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      if (isStale()) rmSync(LOCK, { force: true });
      else await sleep(200, undefined, signal === undefined ? {} : { signal });
    }
  }
}

/** A compiler that was killed leaves its lock; one that works longer than this does not exist. */
function isStale(): boolean {
  try {
    const pid = Number(readFileSync(LOCK, "utf8"));
    const age = Date.now() - statSync(LOCK).mtimeMs;
    // Cut off while it was written: it names nobody.
    if (!Number.isInteger(pid) || pid <= 0) return age > 2_000;
    process.kill(pid, 0);
    return age > LOCKED_AT_MOST_MS;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

async function forgeBuild(signal?: AbortSignal): Promise<void> {
  const forge = join(ROOT, "node_modules", ".bin", process.platform === "win32" ? "forge.cmd" : "forge");
  // The script that is the compiler runs on the first Node of the PATH: it has to be this one.
  const path = `${join(ROOT, "node_modules", ".bin")}${process.platform === "win32" ? ";" : ":"}${process.env["PATH"] ?? ""}`;
  const child = spawn(forge, ["build", "--color", "never", ...SOURCES], {
    cwd: ROOT,
    env: { ...process.env, PATH: path, FOUNDRY_PROFILE: "default" },
    stdio: ["ignore", "pipe", "pipe"],
    signal,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output = (output + chunk).slice(-20_000);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new CompileError(output.trim());
}

const cache = new Map<string, Compiled>();
let index: Map<string, string> | undefined;

/** Loads the artifact of a contract by its name. */
export function compiled(name: string): Compiled {
  const known = cache.get(name);
  if (known !== undefined) return known;
  index ??= indexArtifacts();
  const path = index.get(name);
  if (path === undefined) throw new Error(`${name} is not among the compiled contracts in ${relative(ROOT, OUT)}`);
  const file = JSON.parse(readFileSync(path, "utf8")) as ForgeFile;
  const result: Compiled = {
    abi: file.abi,
    bytecode: file.bytecode.object,
    deployedBytecode: file.deployedBytecode.object,
    immutables: Object.values(file.deployedBytecode.immutableReferences ?? {}).flat(),
    selectors: file.methodIdentifiers,
    source: Object.keys(file.metadata?.settings?.compilationTarget ?? {})[0] ?? `${name}.sol`,
  };
  cache.set(name, result);
  return result;
}

function forgetArtifacts(): void {
  cache.clear();
  index = undefined;
}

function indexArtifacts(): Map<string, string> {
  const found = new Map<string, string>();
  if (!existsSync(OUT)) return found;
  for (const folder of readdirSync(OUT, { withFileTypes: true })) {
    // A contract lies in the file of its own name; helpers beside it are deployed by nobody.
    const name = folder.name.replace(/\.sol$/, "");
    const path = join(OUT, folder.name, `${name}.json`);
    if (folder.isDirectory() && existsSync(path)) found.set(name, path);
  }
  return found;
}

/** What Ignition asks for an artifact by name. */
export function artifactResolver(): ArtifactResolver {
  return {
    loadArtifact: async (name): Promise<Artifact> => {
      const { abi, bytecode, deployedBytecode, source } = compiled(name);
      return {
        _format: "hh3-artifact-1",
        contractName: name,
        sourceName: source,
        abi,
        bytecode,
        deployedBytecode,
        linkReferences: {},
        deployedLinkReferences: {},
      };
    },
    getBuildInfo: async () => undefined,
  };
}

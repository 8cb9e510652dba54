// Makes dist/package: what integrators install. `npm run package` puts it into dist/neuroswarm-<version>.tgz.
//
//   lib/         client/ and what it imports, as JavaScript with types
//   abi/         the ABIs as JSON, for tools that are not TypeScript
//   contracts/   what a contract imports, and what that imports; sources only
//   harness/     the Foundry harness, with the deployment that it replays
//
// A package of its own and not the repository's: that one installs a node, with a model's engine and a compiler, 1.1 GB.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { compileContracts } from "../deploy/artifacts.ts";
import * as abis from "../typechain-types/index.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, "dist", "package");
/** Everything else that is shipped of contracts/ is imported by these. */
const ROOTS = ["contracts/consumer", "contracts/examples", "contracts/interfaces", "harness/InferenceHarness.sol"];
const OWN = "neuroswarm/";

interface RepositoryManifest {
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

const read = (path: string): string => readFileSync(join(root, path), "utf8");

function put(path: string, text: string): void {
  const file = join(target, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function run(command: string, args: readonly string[]): void {
  const path = `${join(root, "node_modules", ".bin")}${delimiter}${process.env["PATH"] ?? ""}`;
  const env = { ...process.env, PATH: path };
  const shell = process.platform === "win32";
  if (spawnSync(command, args, { cwd: root, env, shell, stdio: ["ignore", "inherit", "inherit"] }).status !== 0)
    throw new Error(`${command} ${args.join(" ")} failed`);
}

function sourcesOf(path: string): string[] {
  if (path.endsWith(".sol")) return [path];
  return readdirSync(join(root, path), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".sol"))
    .map((file) => posix.join(path, file.replaceAll("\\", "/")));
}

/** The files of this repository that `path` imports; what others publish is theirs to install. */
function importsOf(path: string): string[] {
  const imports = [...read(path).matchAll(/^(?:import|\}) [^;]*?from "([^"]+)";|^import "([^"]+)";/gms)];
  return imports
    .map(([, from, whole]) => from ?? whole ?? "")
    .flatMap((name) => {
      if (name.startsWith(".")) return [posix.join(posix.dirname(path), name)];
      return name.startsWith(OWN) ? [name.slice(OWN.length)] : [];
    });
}

function solidity(): string[] {
  const shipped = new Set(ROOTS.flatMap(sourcesOf));
  for (const path of shipped) for (const imported of importsOf(path)) shipped.add(imported);
  const pinned = [...shipped].filter((path) => /^pragma solidity [\d.]+;/m.test(read(path)));
  if (pinned.length > 0) throw new Error(`only one compiler takes ${pinned.join(", ")}: let the pragma begin with ^`);
  return [...shipped].sort();
}

function manifest(): object {
  const { version, description, license, dependencies } = JSON.parse(read("package.json")) as RepositoryManifest;
  const entry = (name: string) => ({ types: `./lib/client/${name}.d.ts`, default: `./lib/client/${name}.js` });
  return {
    name: "neuroswarm",
    version,
    description: `${description}: contracts, ABIs and a Foundry harness for integrators`,
    license,
    type: "module",
    sideEffects: false,
    engines: { node: ">=20" },
    exports: {
      ".": entry("index"),
      "./addresses": entry("addresses"),
      "./local": entry("local"),
      "./abi/*.json": "./abi/*.json",
      "./contracts/*": "./contracts/*",
      "./harness/*": "./harness/*",
      "./package.json": "./package.json",
    },
    files: ["lib", "abi", "contracts", "harness"],
    // Of the contracts only examples and token interfaces import it.
    dependencies: { "@openzeppelin/contracts": dependencies["@openzeppelin/contracts"] },
    // Who writes contracts alone needs no viem.
    peerDependencies: { viem: `^${dependencies["viem"]}` },
    peerDependenciesMeta: { viem: { optional: true } },
  };
}

rmSync(target, { recursive: true, force: true });
await compileContracts();
run("node", ["scripts/harness.ts"]);
run("tsc", ["-p", "tsconfig.package.json"]);
for (const path of solidity()) {
  mkdirSync(dirname(join(target, path)), { recursive: true });
  copyFileSync(join(root, path), join(target, path));
}
for (const [name, abi] of Object.entries(abis)) {
  const contract = name.replace(/Abi$/, "");
  if (/^I[A-Z]/.test(contract) || contract === "NST") put(`abi/${contract}.json`, `${JSON.stringify(abi, null, 2)}\n`);
}
put("README.md", read("client/README.md"));
put("LICENSE", read("LICENSE"));
put("package.json", `${JSON.stringify(manifest(), null, 2)}\n`);
console.info("dist/package is ready");

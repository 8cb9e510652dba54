// Writes typechain-types/: every contract's ABI `as const`, so that viem infers the types of arguments and results, and
// the creation code of what can be deployed, each in a file of its own, so that the page can take an ABI alone.
// TypeChain's own factories carry the same ABIs, but import ethers when they run; nothing else here needs it.
//
//   node scripts/typechain.ts           builds the contracts and writes the files
//   node scripts/typechain.ts --check   builds the contracts and fails when a file differs from what would be written
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Hex, keccak256 } from "viem";

type Artifact = {
  abi: { type: string; name?: string }[];
  bytecode: { object: Hex; linkReferences: Record<string, unknown> };
  deployedBytecode: { object: Hex };
  metadata?: {
    settings: { compilationTarget: Record<string, string> };
    sources: Record<string, { keccak256: Hex }>;
  };
};

type Contract = { name: string; source: string; artifact: Artifact };

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const artifacts = join(root, "artifacts", "forge");
const target = join(root, "typechain-types");
const header = "// Generated from the contracts by `npm run build:types`. Changes made here are lost.\n";

function build(): void {
  const path = `${join(root, "node_modules", ".bin")}${delimiter}${process.env.PATH}`;
  const env = { ...process.env, PATH: path, FOUNDRY_PROFILE: "default" };
  const result = spawnSync("forge", ["build"], { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] });
  if (result.status !== 0) throw new Error("forge could not build the contracts");
}

/** What deploy/Foundations.sol imports: contracts of others that are deployed as they are. */
function foundations(): Set<string> {
  const path = join(root, "deploy", "Foundations.sol");
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  return new Set(
    [...text.matchAll(/^import \{[^}]*\} from "([^"]+)";/gm)].map(([, source]) => `node_modules/${source}`),
  );
}

/** The contracts of contracts/ and the foundations, as forge compiled them; leftovers of sources that were changed or deleted are passed over. */
function readContracts(): Contract[] {
  const contracts = new Map<string, Contract>();
  const others = foundations();
  for (const file of readdirSync(artifacts, { recursive: true, encoding: "utf8" }).sort()) {
    if (!file.endsWith(".json") || file.startsWith("build-info")) continue;
    const artifact: Artifact = JSON.parse(readFileSync(join(artifacts, file), "utf8"));
    const [source, name] = Object.entries(artifact.metadata?.settings.compilationTarget ?? {})[0] ?? [];
    if (source === undefined || name === undefined) continue;
    if (!source.startsWith("contracts/") && !others.has(source)) continue;
    if (artifact.abi.length === 0 || !isCurrent(source, artifact)) continue;
    const other = contracts.get(name);
    if (other) throw new Error(`two contracts are called ${name}: in ${other.source} and in ${source}`);
    // An abstract contract is part of one that is listed by itself; an interface is what callers talk to.
    if (artifact.bytecode.object.length <= 2 && !/^I[A-Z]/.test(name)) continue;
    contracts.set(name, { name, source, artifact });
  }
  if (contracts.size === 0) throw new Error("artifacts/forge holds no contract of contracts/");
  return [...contracts.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isCurrent(source: string, artifact: Artifact): boolean {
  const path = join(root, source);
  return existsSync(path) && keccak256(readFileSync(path)) === artifact.metadata?.sources[source]?.keccak256;
}

/** Interfaces and abstract contracts have no code; a library's starts with the place of its own address. */
function isDeployable({ artifact }: Contract): boolean {
  return artifact.bytecode.object.length > 2 && !artifact.deployedBytecode.object.startsWith(`0x73${"0".repeat(40)}`);
}

function abiFile({ source, artifact }: Contract): string {
  const items = artifact.abi.map((item) => `  ${JSON.stringify(item)},\n`).join("");
  return `${header}// ${source}\nexport const abi = [\n${items}] as const;\n`;
}

function bytecodeFile({ name, source, artifact }: Contract): string {
  if (Object.keys(artifact.bytecode.linkReferences).length > 0) {
    throw new Error(`${name} must be linked with a library; make the library's functions internal`);
  }
  return `${header}// ${source}\nexport const bytecode = "${artifact.bytecode.object}";\n`;
}

function indexFile(contracts: Contract[], constant: "abi" | "bytecode", suffix: string): string {
  const lines = contracts.map(({ name }) => `export { ${constant} as ${name}${suffix} } from "./${name}.ts";\n`);
  return header + lines.join("");
}

function generate(): Map<string, string> {
  const contracts = readContracts();
  const deployable = contracts.filter(isDeployable);
  return new Map([
    ["index.ts", indexFile(contracts, "abi", "Abi")],
    ["bytecode/index.ts", indexFile(deployable, "bytecode", "Bytecode")],
    ...contracts.map((contract): [string, string] => [`${contract.name}.ts`, abiFile(contract)]),
    ...deployable.map((contract): [string, string] => [`bytecode/${contract.name}.ts`, bytecodeFile(contract)]),
  ]);
}

function present(): string[] {
  if (!existsSync(target)) return [];
  const files = readdirSync(target, { recursive: true, encoding: "utf8" });
  return files.filter((file) => file.endsWith(".ts")).map((file) => file.replaceAll("\\", "/"));
}

function differences(wanted: Map<string, string>): string[] {
  const changed = [...wanted].filter(([file, text]) => {
    const path = join(target, file);
    return !existsSync(path) || readFileSync(path, "utf8") !== text;
  });
  return [...changed.map(([file]) => file), ...present().filter((file) => !wanted.has(file))].sort();
}

build();
const wanted = generate();
const differing = differences(wanted);
if (process.argv.includes("--check")) {
  for (const file of differing) console.error(`typechain-types/${file} differs from the contracts`);
  if (differing.length > 0) console.error("Run `npm run build:types` and commit what it writes.");
  process.exitCode = differing.length > 0 ? 1 : 0;
} else {
  for (const file of differing) {
    const text = wanted.get(file);
    const path = join(target, file);
    if (text === undefined) rmSync(path);
    else {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
  }
}
const count = [...wanted.keys()].filter(
  (file) => !file.startsWith("bytecode/") && basename(file) !== "index.ts",
).length;
console.info(
  `typechain-types: ${count} contracts, ${differing.length} files ${process.argv.includes("--check") ? "differ" : "written"}`,
);

// Storage layouts of the contracts behind proxies, as audits/layouts/ records them: the fields of every ERC-7201 namespace
// with slot, offset and type. An upgrade may append to a layout, and nothing else.
//
//   node scripts/layouts.ts           fails where the sources cannot follow what is recorded, or are not recorded yet
//   node scripts/layouts.ts --write   records what the sources say: before the first deployment, and with every upgrade
//   node scripts/layouts.ts --write --force   also where it breaks what was recorded: no proxy may hold it any more
//
// The rules are those of OpenZeppelin's upgrades-core. It sees types, not what is packed inside of a word: where bits move
// within `type Till is uint256`, tests of the words tell, not this.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import {
  getContractVersion,
  getErrors,
  getStorageLayout,
  getStorageUpgradeReport,
  makeNamespacedInput,
  type SolcInput,
  type SolcOutput,
  type StorageLayout,
  solcInputOutputDecoder,
  type ValidationRunData,
  validate,
  withValidationDefaults,
} from "@openzeppelin/upgrades-core";
import { keccak256, stringToHex } from "viem";
import { compile, remappings, root, solcVersion, withImports } from "./compile.ts";

const recorded = join(root, "audits", "layouts");

/** A namespace's fields, in order: what is compared when two layouts differ in the numbers of their types alone. */
export interface Layout {
  readonly contract: string;
  readonly layout: StorageLayout;
}

export interface Upgradeable extends Layout {
  /** What upgrades-core finds unsafe: kind and source line. */
  readonly unsafe: readonly { kind: string; src: string }[];
}

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".sol"))
    .map((file) => relative(root, join(folder, file)).replaceAll("\\", "/"))
    .sort();
}

/** What the compiler and upgrades-core say of these sources, and which contracts can be deployed. No code is generated, so it takes seconds. */
function examine(files: readonly string[]): { data: ValidationRunData; concrete: ReadonlySet<string> } {
  const input = {
    language: "Solidity",
    sources: withImports(files),
    settings: { remappings, evmVersion: "prague", outputSelection: { "*": { "*": ["storageLayout"], "": ["ast"] } } },
  };
  const output = compile<SolcOutput>(input);
  for (const [file, contracts] of Object.entries(output.contracts)) {
    for (const [name, contract] of Object.entries(contracts)) {
      // upgrades-core names a version of a contract by its code, which nothing here needs to be generated for.
      const object = keccak256(stringToHex(`${file}:${name}`)).slice(2);
      contract.evm = { bytecode: { object: `${object}0000`, linkReferences: {} } };
    }
  }
  const version = solcVersion();
  const namespaced = compile<SolcOutput>(makeNamespacedInput(input as SolcInput, output, version));
  const decode = solcInputOutputDecoder(input as SolcInput, output, root);
  const concrete = new Set<string>();
  for (const [file, { ast }] of Object.entries(output.sources)) {
    for (const node of ast.nodes) {
      if (node.nodeType === "ContractDefinition" && !node.abstract) concrete.add(`${file}:${node.name}`);
    }
  }
  return { data: validate(output, decode, version, input as SolcInput, namespaced), concrete };
}

/** Type identifiers end in numbers of the syntax tree, which every edit of any source changes. */
function renumbered(layout: StorageLayout): StorageLayout {
  const numbers = new Map<string, number>();
  const text = JSON.stringify({
    storage: layout.storage,
    types: layout.types,
    namespaces: layout.namespaces,
  });
  const plain = text.replace(/(\))(\d+)(?=_storage|_memory|_calldata|[,)"])/g, (_, bracket: string, id: string) => {
    if (!numbers.has(id)) numbers.set(id, numbers.size + 1);
    return `${bracket}${numbers.get(id)}`;
  });
  return sorted(JSON.parse(plain, (key, value) => (key === "src" || key === "astId" ? undefined : value)));
}

function sorted<T>(value: T): T {
  if (Array.isArray(value)) return value.map(sorted) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  ) as T;
}

/** Contracts of these files that run in a proxy's storage: those that can be upgraded, and those that they delegate to. */
export function upgradeables(files: readonly string[]): Upgradeable[] {
  const { data, concrete } = examine(files);
  const found: Upgradeable[] = [];
  for (const [key, { layout }] of Object.entries(data)) {
    const [file = "", contract = ""] = key.split(":");
    if (!files.includes(file) || !concrete.has(key) || Object.keys(layout.namespaces ?? {}).length === 0) continue;
    const named = getContractVersion(data, key);
    const unsafe = getErrors(data, named, { kind: "uups" }).map(({ kind, src }) => ({ kind, src }));
    found.push({ contract, layout: renumbered(getStorageLayout(data, named)), unsafe });
  }
  return found.sort((a, b) => (a.contract < b.contract ? -1 : 1));
}

export const currentLayouts = (): Upgradeable[] => upgradeables(sourcesIn(join(root, "contracts")));

export function recordedLayouts(): Layout[] {
  if (!existsSync(recorded)) return [];
  return readdirSync(recorded)
    .filter((file) => file.endsWith(".json"))
    .map((file) => JSON.parse(readFileSync(join(recorded, file), "utf8")) as Layout);
}

/** Why `updated` cannot follow `original` behind the same proxy; undefined where it can. */
export function incompatibility(original: StorageLayout, updated: StorageLayout): string | undefined {
  const report = getStorageUpgradeReport(original, updated, withValidationDefaults({ kind: "uups" }));
  const missing = Object.keys(original.namespaces ?? {}).filter((name) => !updated.namespaces?.[name]);
  if (missing.length > 0) return `namespace ${missing.join(", ")} is gone`;
  return report.ok ? undefined : report.explain(false);
}

export const isRecorded = (original: Layout | undefined, current: Layout): boolean =>
  original !== undefined && JSON.stringify(sorted(original.layout)) === JSON.stringify(current.layout);

function main(args: readonly string[]): number {
  const write = args.includes("--write");
  const force = args.includes("--force");
  const before = new Map(recordedLayouts().map((entry) => [entry.contract, entry]));
  const now = currentLayouts();
  let failed = 0;
  for (const { contract, layout } of now) {
    const original = before.get(contract);
    const broken = original && incompatibility(original.layout, layout);
    if (broken && !(write && force)) {
      failed += 1;
      console.error(`${contract}: cannot follow what is recorded\n${broken}`);
    } else if (!isRecorded(original, { contract, layout })) {
      if (!write) failed += 1;
      console.info(
        `${contract}: ${original ? (broken ? "replaced" : "appended to") : "new"}${write ? ", recorded" : ", not recorded: node scripts/layouts.ts --write"}`,
      );
      if (!write) continue;
      mkdirSync(recorded, { recursive: true });
      writeFileSync(join(recorded, `${contract}.json`), `${JSON.stringify({ contract, layout }, null, 2)}\n`);
    }
    before.delete(contract);
  }
  for (const contract of before.keys()) {
    if (now.some((entry) => entry.contract === contract)) continue;
    if (write && force) rmSync(join(recorded, `${contract}.json`));
    else failed += 1;
    console.error(`${contract}: recorded, and no longer in contracts/${write && force ? "; record removed" : ""}`);
  }
  console.info(`${now.length - failed} layouts as recorded, ${failed} not`);
  return failed > 0 ? 1 : 0;
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));

// `npm run proof:slither`: Slither on contracts/, and its findings against audits/slither.md. A finding of high or medium impact
// that has no explanation there fails; those of lower impact are listed there by --write. What OpenZeppelin and Solady
// wrote is left out.
//
//   npm run proof:slither             fails on what is not explained
//   npm run proof:slither -- --write  also writes the list of lower findings, and an empty place for every new one
//
// Needs slither (pip install slither-analyzer). Slither reads syntax trees alone, so no code is generated for it: seconds
// instead of a minute.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile, remappings, root, solcVersion, withImports } from "./compile.ts";

const report = join(root, "audits", "slither.md");
const build = join(root, "artifacts", "slither");
const write = process.argv.includes("--write");
const LISTED = "<!-- written by npm run proof:slither -- --write -->";

function fail(text) {
  console.error(text);
  console.info("0 passed, 1 failed");
  process.exit(1);
}

/** What forge would have written for these sources, without code. */
function writeBuildInfo() {
  const files = readdirSync(join(root, "contracts"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".sol"))
    .map((file) => join("contracts", file).replaceAll("\\", "/"));
  const outputSelection = { "*": { "*": ["abi", "devdoc", "userdoc", "evm.methodIdentifiers"], "": ["ast"] } };
  const input = {
    language: "Solidity",
    sources: withImports(files),
    settings: { remappings, evmVersion: "prague", viaIR: true, optimizer: { enabled: true }, outputSelection },
  };
  const output = compile(input);
  const empty = { object: "", opcodes: "", sourceMap: "", linkReferences: {} };
  for (const contracts of Object.values(output.contracts)) {
    for (const contract of Object.values(contracts)) {
      contract.evm = { ...contract.evm, bytecode: empty, deployedBytecode: empty };
    }
  }
  const version = solcVersion();
  rmSync(build, { recursive: true, force: true });
  mkdirSync(join(build, "build-info"), { recursive: true });
  const info = {
    id: "1",
    _format: "hh-sol-build-info-1",
    solcVersion: version,
    solcLongVersion: version,
    input,
    output,
  };
  writeFileSync(join(build, "build-info", "1.json"), JSON.stringify(info));
}

/** Where a finding lies, without line numbers, which every edit moves. */
function elementOf({ elements }) {
  const [first, ...others] = elements;
  if (!first) return "";
  const { parent, signature } = first.type_specific_fields ?? {};
  const within =
    parent?.type === "contract" ? parent.name : (parent?.type_specific_fields?.parent?.name ?? parent?.name);
  const function_ = parent?.type === "function" ? `${within}.${parent.name}` : within;
  const name = [function_, signature ?? first.name].filter(Boolean).join(".");
  const nodes = others.filter(({ type }) => type === "node").map(({ name: node }) => node);
  return nodes.length > 0 ? `${name}: ${nodes.join("; ")}` : name;
}

writeBuildInfo();
const json = join(build, "findings.json");
const args = [
  ".",
  "--ignore-compile",
  "--foundry-out-directory",
  "artifacts/slither",
  "--filter-paths",
  "node_modules",
];
const run = spawnSync("slither", [...args, "--json", json], {
  cwd: root,
  encoding: "utf8",
  env: { ...process.env, FOUNDRY_PROFILE: "default" },
});
if (run.error)
  fail(
    "slither is not on PATH: pip install slither-analyzer, or ../shared/tools/setup.sh slither where that folder is.",
  );
if (!existsSync(json)) fail(`${run.stdout}${run.stderr}`);
const { success, error, results } = JSON.parse(readFileSync(json, "utf8"));
if (!success) fail(error);

const findings = new Map();
for (const finding of results.detectors ?? []) {
  const key = `${finding.check}: ${elementOf(finding)}`.replace(/\s+/g, " ").trim();
  findings.set(key, { impact: finding.impact, key });
}
const grave = [...findings.values()].filter(({ impact }) => impact === "High" || impact === "Medium");
const lower = [...findings.values()].filter(({ impact }) => impact !== "High" && impact !== "Medium");

const text = existsSync(report) ? readFileSync(report, "utf8") : "# Slither\n\n## High and medium\n\n## Lower\n\n";
/** Each explanation stands under a heading of the third level, which is the finding. */
const explained = new Map();
for (const [, key = "", body = ""] of text.matchAll(/^### `?(.+?)`?\n([\s\S]*?)(?=^#|$(?![\s\S]))/gm)) {
  explained.set(key, body.trim());
}

const open = grave.filter(({ key }) => !explained.get(key));
const stale = [...explained.keys()].filter((key) => !findings.has(key));
for (const { impact, key } of open)
  console.error(`Not explained in audits/slither.md, ${impact.toLowerCase()}: ${key}`);
for (const key of stale) console.error(`Explained in audits/slither.md, and no longer found: ${key}`);

if (write) {
  const places = grave.filter(({ key }) => !explained.has(key)).map(({ key }) => `### \`${key}\`\n\n`);
  const kept = text
    .split(LISTED)[0]
    ?.replace(/\n## Lower\n[\s\S]*$/, "")
    .trimEnd();
  const version = spawnSync("slither", ["--version"], { encoding: "utf8" }).stdout.trim();
  const counts = Object.entries(Object.groupBy(lower, ({ key }) => key.split(":")[0] ?? "")).sort();
  const lines = [
    kept,
    "",
    ...places,
    "## Lower",
    "",
    LISTED,
    "",
    `Slither ${version}, ${new Date().toISOString().slice(0, 10)}: ${grave.length} of high and medium impact, ${lower.length} lower or informational.`,
    "",
  ];
  for (const [check, list = []] of counts) {
    lines.push(`- ${check}, ${list[0]?.impact.toLowerCase()}: ${list.length}`);
    if (list[0]?.impact === "Low") lines.push(...list.map(({ key }) => `  - \`${key.slice(check.length + 2, 200)}\``));
  }
  writeFileSync(report, `${lines.join("\n")}\n`);
}

console.info(`${grave.length} of high and medium impact, ${lower.length} lower`);
console.info(`${grave.length - open.length + (grave.length === 0 ? 1 : 0)} passed, ${open.length} failed`);
process.exitCode = open.length > 0 ? 1 : 0;

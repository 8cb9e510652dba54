// `npm run proof:mutation`: changes one thing at a time in the contracts, and asks the tests whether they notice. Works in a copy of
// the tree under cache/mutation; what is known of a mutant is kept there, so a run can be stopped and goes on.
//
//   npm run proof:mutation                          words and libraries, then audits/mutation.md
//   npm run proof:mutation -- --contract Seat       one file, by its name; also those that have to be deployed
//   npm run proof:mutation -- --sample 20 --seed 7  so many of them, the same for the same seed
//   npm run proof:mutation -- --again               survivors once more, after a test was added
//   npm run proof:mutation -- --slice               a few that must be noticed, in two minutes; no report
//
// Words and libraries are compiled with their tests, many mutants at a time. The other contracts are built via IR, since without it
// the stack of the router is too deep, and deployed: a minute or more each, so they are sampled.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import { compile, remappings, root, withImports } from "./compile.ts";
import { applied, mutantsOf } from "./mutants.ts";

const work = join(root, "cache", "mutation");
const stateFile = join(work, "state.json");
const report = join(root, "audits", "mutation.md");
const BATCH = 12;

const argument = (name) => {
  const at = process.argv.indexOf(name);
  return at === -1 ? undefined : process.argv[at + 1];
};
const slice = process.argv.includes("--slice");
const again = process.argv.includes("--again");
const only = argument("--contract");
const sample = argument("--sample");
const seed = argument("--seed") ?? "1";

const solidity = (folder) =>
  readdirSync(join(root, folder))
    .filter((file) => file.endsWith(".sol"))
    .map((file) => `${folder}/${file}`)
    .sort();
const unit = "test/contracts";
const router = [`${unit}/router/**`, `${unit}/**`];

/** Files that are mutated, and the tests that are asked: those of pure code are files, those of the others are forge's paths, in turn. */
const pure = new Map(
  [...solidity("contracts/words"), ...solidity("contracts/libraries")].map((file) => {
    const name = basename(file, ".sol");
    const tests = [`${unit}/words/Words.t.sol`];
    if (file.includes("/libraries/")) tests[0] = `${unit}/libraries/${name}.t.sol`;
    if (name === "Account") tests[0] = `${unit}/words/Account.t.sol`;
    return [file, tests];
  }),
);
const deployed = new Map([
  ["contracts/ModelAccessCredits.sol", [`${unit}/ModelAccessCredits.t.sol`, `${unit}/**`]],
  ["contracts/ValidatorRegistry.sol", [`${unit}/ValidatorRegistry.t.sol`, `${unit}/**`]],
  ["contracts/InferenceRouter.sol", router],
  ...solidity("contracts/router").map((file) => [file, router]),
]);

const env = {
  ...process.env,
  NO_COLOR: "1",
  PATH: `${join(root, "node_modules", ".bin")}${delimiter}${process.env.PATH}`,
};
const state = existsSync(stateFile) ? JSON.parse(readFileSync(stateFile, "utf8")) : {};
const hash = (text) => createHash("sha256").update(text).digest("hex").slice(0, 16);
/** The same change of the same source is the same mutant, wherever its tests have gone. */
const keyOf = (mutant) => hash(`${hash(readFileSync(join(root, mutant.file)))}${mutant.id}`);

function note(mutant, status, by) {
  state[keyOf(mutant)] = { status, by };
  mkdirSync(work, { recursive: true });
  writeFileSync(stateFile, JSON.stringify(state));
}

function link(tree) {
  mkdirSync(tree, { recursive: true });
  for (const file of ["foundry.toml", "remappings.txt", "package.json"]) cpSync(join(root, file), join(tree, file));
  mkdirSync(join(tree, "scripts"), { recursive: true });
  cpSync(join(root, "scripts", "solc.mjs"), join(tree, "scripts", "solc.mjs"));
  if (!existsSync(join(tree, "node_modules"))) symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
}

const forge = (tree, args, more) =>
  spawnSync("forge", args, { cwd: tree, env: { ...env, ...more }, encoding: "utf8", maxBuffer: 2 ** 28 });

// ---- words and libraries

/** forge-std's Test without what these tests do not use: three quarters of the time would go into compiling that. */
const LIGHT_TEST = `// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;
import {StdAssertions} from "std/StdAssertions.sol";
import {StdUtils} from "std/StdUtils.sol";
import {Vm} from "std/Vm.sol";
abstract contract Test is StdAssertions, StdUtils {
    bool public IS_TEST = true;
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
}
`;

/** Whether the compiler takes it: what it refuses is no mutant. */
function compiles(mutant) {
  const sources = withImports([mutant.file]);
  sources[mutant.file] = { content: applied(mutant).toString("utf8") };
  try {
    compile({ language: "Solidity", sources, settings: { remappings, evmVersion: "prague", outputSelection: {} } });
    return true;
  } catch {
    return false;
  }
}

/** A file's test contracts that are about this one alone: the others would only be compiled. */
function aboutIt(text, name) {
  const blocks = text.split(/^(?=(?:\/\/\/[^\n]*\n)*(?:abstract )?contract )/m);
  const about = blocks.filter((block) => new RegExp(`^contract ${name}\\w*Test `, "m").test(block));
  return about.length > 0 ? [blocks[0], ...about].join("") : text;
}

/** Compiles these mutants side by side with their tests; resolves each to what noticed it, or to undefined where it does not build. */
function tryTogether(mutants) {
  const tree = join(work, "pure");
  rmSync(join(tree, "all"), { recursive: true, force: true });
  link(tree);
  mkdirSync(join(tree, "light"), { recursive: true });
  writeFileSync(join(tree, "light", "Test.sol"), LIGHT_TEST);
  const std = remappings.find((line) => line.startsWith("forge-std/"))?.split("=")[1];
  const mapped = remappings.filter((line) => !line.startsWith("forge-std/"));
  writeFileSync(join(tree, "remappings.txt"), [...mapped, "forge-std/=light/", `std/=${std}`].join("\n"));
  mutants.forEach((mutant, at) => {
    const own = join(tree, "all", `m${at}`);
    for (const test of pure.get(mutant.file)) {
      mkdirSync(join(own, dirname(test)), { recursive: true });
      writeFileSync(join(own, test), aboutIt(readFileSync(join(root, test), "utf8"), basename(mutant.file, ".sol")));
    }
    for (const folder of ["words", "libraries", "interfaces"])
      cpSync(join(root, "contracts", folder), join(own, "contracts", folder), { recursive: true });
    writeFileSync(join(own, mutant.file), applied(mutant));
  });
  const settings = {
    FOUNDRY_PROFILE: "test",
    FOUNDRY_SRC: "all",
    FOUNDRY_TEST: "all",
    FOUNDRY_SCRIPT: "all",
    FOUNDRY_FUZZ_SHOW_LOGS: "false",
  };
  const { stdout, stderr } = forge(tree, ["test", "--json"], settings);
  let suites;
  try {
    suites = JSON.parse(stdout.slice(stdout.indexOf("{")));
  } catch {
    if (mutants.length > 1) return mutants.map((mutant) => tryTogether([mutant])[0]);
    if (!/Error/.test(stdout + stderr)) throw new Error(stdout + stderr);
    return [undefined];
  }
  return mutants.map((_, at) => {
    const failed = [];
    let passed = 0;
    for (const [suite, { test_results: tests }] of Object.entries(suites)) {
      if (!suite.startsWith(`all/m${at}/`)) continue;
      for (const [test, { status }] of Object.entries(tests)) {
        if (status === "Success") passed += 1;
        else failed.push(`${suite.split(":")[1]}.${test.split("(")[0]}`);
      }
    }
    if (passed + failed.length === 0) throw new Error(`no test ran for ${mutants[at]?.id}`);
    return failed[0] ?? "";
  });
}

// ---- contracts that are deployed

const deployTree = join(work, "deployed");

function prepareDeployed() {
  link(deployTree);
  for (const folder of ["contracts", "deploy", unit]) {
    rmSync(join(deployTree, folder), { recursive: true, force: true });
    cpSync(join(root, folder), join(deployTree, folder), { recursive: true });
  }
  // The state of the forge caches is that of the last run: only what differs is compiled.
  const built = forge(deployTree, ["build"], { FOUNDRY_PROFILE: "default" });
  if (built.status !== 0) throw new Error(built.stdout + built.stderr);
  const tests = forge(deployTree, ["build"], { FOUNDRY_PROFILE: "test" });
  if (tests.status !== 0) throw new Error(tests.stdout + tests.stderr);
}

function tryDeployed(mutant) {
  const file = join(deployTree, mutant.file);
  writeFileSync(file, applied(mutant));
  try {
    if (forge(deployTree, ["build"], { FOUNDRY_PROFILE: "default" }).status !== 0) return undefined;
    for (const path of deployed.get(mutant.file)) {
      const { stdout } = forge(deployTree, ["test", "--fail-fast", "--match-path", path], { FOUNDRY_PROFILE: "test" });
      const noticed = /^\[FAIL[^\]]*\] (\w+)/m.exec(stdout)?.[1];
      if (noticed) return noticed;
      if (!/tests passed, 0 failed/.test(stdout)) return "the run itself";
    }
    return "";
  } finally {
    cpSync(join(root, mutant.file), file);
  }
}

// ---- which, and what came of it

function chosen() {
  const files = [...pure.keys(), ...deployed.keys()].filter((file) =>
    only ? basename(file, ".sol") === only : pure.has(file),
  );
  if (files.length === 0)
    throw new Error(
      `no contract ${only}: ${[...pure.keys(), ...deployed.keys()].map((file) => basename(file, ".sol")).join(", ")}`,
    );
  const all = files.flatMap((file) => mutantsOf(file));
  if (sample === undefined) return all;
  return all.sort((a, b) => (hash(seed + a.id) < hash(seed + b.id) ? -1 : 1)).slice(0, Number(sample));
}

/** One change each that would cost somebody money or place: by file and text, so that an edit elsewhere moves nothing. */
const SLICE = [
  ["contracts/libraries/FeeMath.sol", "burned = (amount * burnBps", "+", "-"],
  ["contracts/libraries/FeeMath.sol", "if (c > payment) c = payment", ">", "<="],
  ["contracts/libraries/FeeMath.sol", "return payment * refundBps / BPS", "*", "/"],
  ["contracts/libraries/ReputationMath.sol", "return earned > penalty", ">", "<="],
  ["contracts/words/Account.sol", "ok = span >= RATE_WINDOW", ">=", ">"],
  ["contracts/words/Account.sol", "if (window & bit != 0) return (self, false)", "!=", "=="],
  ["contracts/words/Seat.sol", "if (points < SUSPENDED_BELOW || load_ >= capacity_) return 0", ">=", ">"],
  ["contracts/words/Till.sol", "if (v > LEG_MAX || t > LEG_MAX) return", "||", "&&"],
];

function sliced() {
  return SLICE.map(([file, text, before, after]) => {
    const lines = readFileSync(join(root, file), "utf8").split("\n");
    const line = lines.findIndex((one) => one.includes(text)) + 1;
    const found = mutantsOf(file).find((one) => one.line === line && one.before === before && one.after === after);
    if (!found) throw new Error(`${file} has no longer: ${text}, ${before} to ${after}`);
    return found;
  });
}

const lineOf = ({ file, line }) => readFileSync(join(root, file), "utf8").split("\n")[line - 1]?.trim() ?? "";

function say(mutant, outcome) {
  const status = outcome === undefined ? "does not compile" : outcome === "" ? "SURVIVED" : "killed";
  const change = `${mutant.before.slice(0, 40)} => ${mutant.after.slice(0, 40)}`.replaceAll(/\s+/g, " ");
  console.info(
    `${status.padEnd(17)}${mutant.file.replace("contracts/", "")}:${mutant.line}  ${change}  ${outcome ?? ""}`,
  );
}

function settle(mutant, outcome) {
  if (!slice) note(mutant, outcome === undefined ? "stillborn" : outcome === "" ? "survived" : "killed", outcome);
  say(mutant, outcome);
  return outcome;
}

const wanted = slice ? sliced() : chosen();
const open = wanted.filter((mutant) => {
  const known = slice ? undefined : state[keyOf(mutant)]?.status;
  return known === undefined || (again && known === "survived");
});
console.info(`${wanted.length} mutants, ${wanted.length - open.length} known already`);
const outcomes = [];
const quick = [];
for (const mutant of open.filter(({ file }) => pure.has(file))) {
  if (compiles(mutant)) quick.push(mutant);
  else settle(mutant, undefined);
}
for (let at = 0; at < quick.length; at += BATCH) {
  const batch = quick.slice(at, at + BATCH);
  for (const [index, outcome] of tryTogether(batch).entries()) outcomes.push(settle(batch[index], outcome));
}
const slow = open.filter(({ file }) => deployed.has(file));
if (slow.length > 0) prepareDeployed();
for (const mutant of slow) outcomes.push(settle(mutant, tryDeployed(mutant)));

if (!slice) writeReport();
const killed = outcomes.filter((outcome) => outcome).length;
const survived = outcomes.filter((outcome) => outcome === "").length;
console.info(`${killed} passed, ${survived} failed`);
process.exitCode = slice && survived > 0 ? 1 : 0;

/** Everything that is known of the sources as they are; reasons that stand under a survivor's heading are kept. */
function writeReport() {
  const text = existsSync(report) ? readFileSync(report, "utf8") : "";
  const reasons = new Map();
  for (const [, key = "", body = ""] of text.matchAll(/^### `(.+)`\n([\s\S]*?)(?=^#|$(?![\s\S]))/gm)) {
    const reason = body.replace(/^```diff[\s\S]*?^```$/m, "").trim();
    if (reason) reasons.set(key, reason);
  }
  const rows = [];
  const survivors = [];
  for (const file of [...pure.keys(), ...deployed.keys()]) {
    const count = { all: 0, killed: 0, survived: 0, stillborn: 0, explained: 0 };
    for (const mutant of mutantsOf(file)) {
      count.all += 1;
      const status = state[keyOf(mutant)]?.status;
      if (status === undefined) continue;
      count[status] += 1;
      if (status !== "survived") continue;
      const key = `${basename(file)}: ${lineOf(mutant)}: ${mutant.before} => ${mutant.after}`
        .replaceAll(/\s+/g, " ")
        .replaceAll("`", "'");
      const reason = reasons.get(key);
      if (reason) count.explained += 1;
      const before = lineOf(mutant);
      const bytes = applied(mutant).toString("utf8").split("\n");
      survivors.push(
        `### \`${key}\`\n\n\`\`\`diff\n${file}:${mutant.line}\n- ${before}\n+ ${bytes[mutant.line - 1]?.trim()}\n\`\`\`\n\n${reason ? `${reason}\n\n` : ""}`,
      );
    }
    const tried = count.killed + count.survived;
    if (tried === 0) continue;
    const share = ((100 * count.killed) / tried).toFixed(1);
    rows.push(
      `| ${file} | ${count.all} | ${count.stillborn} | ${count.killed} | ${count.survived} | ${count.explained} | ${share} % |`,
    );
  }
  const lines = [
    "# Mutation",
    "",
    "Written by `npm run proof:mutation`, reasons by hand: what stands below a survivor's diff is kept. A mutant is one change in the source;",
    "it is *killed* when a test fails. *Explained* survivors are those that no test can tell apart, or that another part of the suite holds.",
    "Where fewer were tried than there are, the rest is unknown.",
    "",
    "| file | mutants | do not compile | killed | survived | of these explained | killed of tried |",
    "|---|---:|---:|---:|---:|---:|---:|",
    ...rows,
    "",
    "## Survivors",
    "",
    ...survivors,
  ];
  writeFileSync(report, `${lines.join("\n").trimEnd()}\n`);
}

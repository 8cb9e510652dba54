// `npm run proof:mutation`: changes one thing at a time in the contracts, and asks the tests whether they notice. Works in a copy of
// the tree under cache/mutation; what is known of a mutant is kept there, so a run can be stopped and goes on.
//
//   npm run proof:mutation                          words and libraries, then audits/mutation.md
//   npm run proof:mutation -- --contract Seat       one file, by its name; also those that have to be deployed
//   npm run proof:mutation -- --sample 20 --seed 7  so many of each file, the same for the same seed
//   npm run proof:mutation -- --again               survivors once more, after a test was added
//   npm run proof:mutation -- --deployed --sample 30   of every contract that has to be deployed
//   npm run proof:mutation -- --deployed --part 1/2    every second one: two of these run side by side
//   npm run proof:mutation -- --report              audits/mutation.md alone, from what is known
//   npm run proof:mutation -- --slice               a few that must be noticed, in two minutes; no report
//
// Words and libraries are compiled with their tests, many mutants at a time. The other contracts are deployed by path, so their tests
// stay as they are compiled: only the mutant is built, via IR with hardly any optimization, and put where the tests look for it.
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
const all = process.argv.includes("--deployed");
const [part, parts] = (argument("--part") ?? "1/1").split("/").map(Number);
const only = argument("--contract");
const sample = argument("--sample");
const seed = argument("--seed") ?? "1";

const solidity = (folder) =>
  readdirSync(join(root, folder))
    .filter((file) => file.endsWith(".sol"))
    .map((file) => `${folder}/${file}`)
    .sort();
const unit = "test/contracts";

const aboutOf = (name) => new RegExp(`^contract ${name}\\w*Test `, "m");

/** Files that are mutated, and the files of tests that are about them, by the names of the test contracts. */
const pure = new Map(
  ["words", "libraries"].flatMap((folder) =>
    solidity(`contracts/${folder}`).map((file) => {
      const about = folder === "words" ? aboutOf(basename(file, ".sol")) : /^/;
      const tests = solidity(`${unit}/${folder}`).filter((test) => about.test(readFileSync(join(root, test), "utf8")));
      return [
        file,
        folder === "words" ? tests : tests.filter((test) => basename(test) === `${basename(file, ".sol")}.t.sol`),
      ];
    }),
  ),
);
/** What no test imports is tried where it is deployed. */
const untested = [...pure].filter(([, tests]) => tests.length === 0).map(([file]) => file);
for (const file of untested) pure.delete(file);

/** What is deployed of the files that are mutated where they run. */
const DEPLOYED = [
  "contracts/ModelAccessCredits.sol",
  "contracts/ValidatorRegistry.sol",
  "contracts/InferenceRouter.sol",
  "contracts/router/RouterExtension.sol",
  "contracts/router/RouterLanes.sol",
  "contracts/router/RouterSeats.sol",
];
const deployed = new Set([...DEPLOYED, ...solidity("contracts/router"), ...untested]);

const env = {
  ...process.env,
  NO_COLOR: "1",
  PATH: `${join(root, "node_modules", ".bin")}${delimiter}${process.env.PATH}`,
};
/** What this part finds out; what the others found is read alone. */
const ownFile = parts > 1 ? join(work, `state-${part}.json`) : stateFile;
const read = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {});
const own = read(ownFile);
const found = existsSync(work) ? readdirSync(work).filter((name) => /^state.*\.json$/.test(name)) : [];
const state = Object.assign({}, ...found.map((name) => read(join(work, name))));
const hash = (text) => createHash("sha256").update(text).digest("hex").slice(0, 16);
/** The same change of the same source is the same mutant, wherever its tests have gone. */
const keyOf = (mutant) => hash(`${hash(readFileSync(join(root, mutant.file)))}${mutant.id}`);

function note(mutant, status, by) {
  const key = keyOf(mutant);
  state[key] = { status, by };
  own[key] = { status, by };
  mkdirSync(work, { recursive: true });
  writeFileSync(ownFile, JSON.stringify(own));
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
  const about = blocks.filter((block) => aboutOf(name).test(block));
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

const deployTree = join(work, `deployed-${part}`);
/** Fifty kilobytes of router in a few seconds instead of a minute: size and gas are not what these tests are asked about. */
const QUICK = {
  remappings,
  evmVersion: "prague",
  viaIR: true,
  metadata: { bytecodeHash: "none" },
  optimizer: {
    enabled: true,
    runs: 1,
    details: { yul: true, yulDetails: { stackAllocation: true, optimizerSteps: "dhfoDgvulfnTUtnIf:" } },
  },
};
/** Runs of a fuzz test, of which `npm test` makes a thousand: what is counted as noticed would be noticed there as well. */
const FEW = 64;
/** Test contracts that take nine tenths of the time, and are asked last. */
const LONG = "^(ProtocolInvariants|LongRun|Tickets|Share|Tie)Test$";
/** The artifacts of the sources as they are, built quickly, and the code behind them. */
const sound = new Map();
/** What fails on them: tests of sizes and gas. */
let unfit = [];

const artifactOf = (file) => {
  const name = basename(file, ".sol");
  return join("artifacts", "forge", `${name}.sol`, `${name}.json`);
};

/** What the compiler makes of these files: `output` of each, by its file. */
function built(files, sources, output) {
  const outputSelection = Object.fromEntries(files.map((file) => [file, { [basename(file, ".sol")]: [output] }]));
  const { contracts } = compile({ language: "Solidity", sources, settings: { ...QUICK, outputSelection } });
  return files.map((file) => [file, contracts[file][basename(file, ".sol")]]);
}

/** Builds what is deployed of `files`, and puts it where the tests look. */
function place(files, sources) {
  for (const [file, { evm }] of built(files, sources, "evm.bytecode.object")) {
    const artifact = JSON.parse(readFileSync(join(root, artifactOf(file)), "utf8"));
    artifact.bytecode = { ...artifact.bytecode, object: `0x${evm.bytecode.object}` };
    writeFileSync(join(deployTree, artifactOf(file)), JSON.stringify(artifact));
  }
}

/** A number in a name of the compiler's code: they change with every edit of the source. */
const NUMBER = /(?<=[_$"])\d+(?![\da-zA-Z])/g;

/**
 * The code of each file before it is optimized: without places in the source, its functions by name, and the numbers in names
 * counted anew. The same code makes the same contract, and optimizing it is what takes long.
 */
const codeOf = (files, sources) =>
  built(files, sources, "ir").map(([file, { ir }]) => {
    const functions = ir
      .replaceAll(/\/\*\*[\s\S]*?\*\/|\/\/\/[^\n]*/g, "")
      .split(/^(?=\s*function )/m)
      .map((text) => ({ text, unnumbered: text.replaceAll(NUMBER, "") }))
      .sort((a, b) => (a.unnumbered < b.unnumbered ? -1 : a.unnumbered > b.unnumbered ? 1 : 0));
    const numbers = new Map();
    const again = (number) => numbers.get(number) ?? numbers.set(number, numbers.size).get(number);
    return [file, hash(functions.map(({ text }) => text.replaceAll(NUMBER, again)).join(""))];
  });

/** Tests that fail, in a run that stops at the first one or goes to its end. */
function failing(more, runs) {
  const skip = ["--no-match-path", `${unit}/gas/*`];
  if (unfit.length > 0) skip.push("--no-match-test", `^(${unfit.join("|")})\\(`);
  const profile = { FOUNDRY_PROFILE: "test", FOUNDRY_FUZZ_RUNS: String(runs), FOUNDRY_INVARIANT_RUNS: "4" };
  const { stdout } = forge(deployTree, ["test", ...skip, ...more], profile);
  const names = new Set([...stdout.matchAll(/^\[FAIL[^\n]*\] (\w+)\(/gm)].map(([, name]) => name));
  if (names.size === 0 && !/tests passed, 0 failed/.test(stdout)) return ["the run itself"];
  return [...names];
}

function prepareDeployed() {
  link(deployTree);
  for (const FOUNDRY_PROFILE of ["default", "test"]) {
    if (FOUNDRY_PROFILE === "test") {
      for (const folder of ["contracts", "deploy", unit, "artifacts/forge"]) {
        rmSync(join(deployTree, folder), { recursive: true, force: true });
        cpSync(join(root, folder), join(deployTree, folder), { recursive: true, preserveTimestamps: true });
      }
    }
    // The tests are compiled in the tree itself, once: forge's cache is good for the folder that it was made in.
    const built = forge(FOUNDRY_PROFILE === "default" ? root : deployTree, ["build"], { FOUNDRY_PROFILE });
    if (built.status !== 0) throw new Error(built.stdout + built.stderr);
  }
  const sources = withImports(DEPLOYED);
  place(DEPLOYED, sources);
  for (const [file, code] of codeOf(DEPLOYED, sources))
    sound.set(file, { artifact: readFileSync(join(deployTree, artifactOf(file))), code });
  unfit = failing([], FEW);
  console.info(`not asked, since they fail on quick builds of the sources as they are: ${unfit.join(", ") || "none"}`);
}

function tryDeployed(mutant) {
  const using = DEPLOYED.filter((file) => withImports([file])[mutant.file]);
  const sources = withImports(using);
  sources[mutant.file] = { content: applied(mutant).toString("utf8") };
  let files;
  try {
    files = codeOf(using, sources).flatMap(([file, code]) => (code === sound.get(file).code ? [] : [file]));
    if (files.length === 0) return "";
    place(files, sources);
  } catch {
    return undefined;
  }
  try {
    for (const which of ["--no-match-contract", "--match-contract"]) {
      const [first] = failing(["--fail-fast", which, LONG], FEW);
      if (first) return first;
    }
    return "";
  } finally {
    for (const file of files) writeFileSync(join(deployTree, artifactOf(file)), sound.get(file).artifact);
  }
}

// ---- which, and what came of it

function chosen() {
  const files = [...pure.keys(), ...deployed].filter((file) =>
    only ? basename(file, ".sol") === only : all ? deployed.has(file) : pure.has(file),
  );
  if (files.length === 0)
    throw new Error(
      `no contract ${only}: ${[...pure.keys(), ...deployed].map((file) => basename(file, ".sol")).join(", ")}`,
    );
  const order = (mutant) => hash(seed + mutant.id);
  const each = files.map((file) => {
    const mutants = mutantsOf(file);
    if (sample === undefined) return mutants;
    return mutants.sort((a, b) => (order(a) < order(b) ? -1 : 1)).slice(0, Number(sample));
  });
  // Of a sample, one of every file in turn: a run that is stopped has then tried about as many of each.
  const turns = sample === undefined ? [] : Array.from({ length: Number(sample) }, (_, turn) => turn);
  const list =
    sample === undefined ? each.flat() : turns.flatMap((turn) => each.flatMap((mutants) => mutants[turn] ?? []));
  return list.filter((_, index) => index % parts === part - 1);
}

/** One change each that would cost somebody money or place: by file and text, so that an edit elsewhere moves nothing. */
const SLICE = [
  ["contracts/libraries/FeeMath.sol", "burned = (amount * burnBps", "+", "-"],
  ["contracts/libraries/FeeMath.sol", "if (c > payment) c = payment", ">", "<="],
  ["contracts/libraries/FeeMath.sol", "return payment * refundBps / BPS", "*", "/"],
  ["contracts/libraries/ReputationMath.sol", "return earned > penalty", ">", "<="],
  ["contracts/words/Account.sol", "ok = span >= RATE_WINDOW - self.tier()", ">=", ">"],
  ["contracts/words/Account.sol", "return (Account.wrap(word | bit), word & bit == 0)", "==", "!="],
  ["contracts/words/Seat.sol", "return self.reputation() < SUSPENDED_BELOW", "<", "<="],
  ["contracts/words/Till.sol", "if (v | t > LEG_MAX) return", "|", "&"],
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

const wanted = slice ? sliced() : process.argv.includes("--report") ? [] : chosen();
const open = wanted.filter((mutant) => {
  const known = slice ? undefined : state[keyOf(mutant)]?.status;
  return again ? known === "survived" : known === undefined;
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

if (!slice && parts === 1) writeReport();
const killed = outcomes.filter((outcome) => outcome).length;
const survived = outcomes.filter((outcome) => outcome === "").length;
console.info(`${killed} passed, ${survived} failed`);
process.exitCode = slice && survived > 0 ? 1 : 0;

/** Everything that is known of the sources as they are; reasons that stand under a survivor's heading are kept. */
function writeReport() {
  const text = existsSync(report) ? readFileSync(report, "utf8") : "";
  const reasons = new Map();
  const told = [];
  for (const [section, key = "", body = ""] of text.matchAll(/^### `(.+)`\n([\s\S]*?)(?=^#|$(?![\s\S]))/gm)) {
    const reason = body.replace(/^```diff[\s\S]*?^```$/m, "").trim();
    if (reason) reasons.set(key, reason);
    told.push(section);
  }
  const rows = [];
  const survivors = [];
  for (const file of [...pure.keys(), ...deployed]) {
    // What an earlier report knows of this very source stays, until more is known.
    const source = hash(readFileSync(join(root, file))).slice(0, 8);
    const cells = text.match(new RegExp(`^\\| ${file} \\| ${source} \\|.*$`, "m"))?.[0].split("|");
    const triedBefore = cells ? Number(cells[5]) + Number(cells[6]) : 0;
    const triedNow = mutantsOf(file).filter((one) => /killed|survived/.test(state[keyOf(one)]?.status)).length;
    if (triedBefore > triedNow) {
      rows.push(cells.join("|"));
      survivors.push(
        ...told.filter((section) => section.includes(`\n${file}:`)).map((section) => `${section.trim()}\n\n`),
      );
      continue;
    }
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
      `| ${file} | ${source} | ${count.all} | ${count.stillborn} | ${count.killed} | ${count.survived} | ${count.explained} | ${share} % |`,
    );
  }
  const lines = [
    "# Mutation",
    "",
    "Written by `npm run proof:mutation`, reasons by hand: what stands below a survivor's diff is kept. A mutant is one change in the source;",
    "it is *killed* when a test fails. *Explained* survivors are those that no test can tell apart, or that another part of the suite holds.",
    "Where fewer were tried than there are, the rest is unknown. *Source* is the beginning of the file's SHA-256.",
    "",
    "| file | source | mutants | do not compile | killed | survived | of these explained | killed of tried |",
    "|---|---|---:|---:|---:|---:|---:|---:|",
    ...rows,
    "",
    "## Survivors",
    "",
    ...survivors,
  ];
  writeFileSync(report, `${lines.join("\n").trimEnd()}\n`);
}

// `npm run proof:halmos`: proves the checks of test/contracts/symbolic for every value of their arguments, and writes
// audits/halmos.md. A check that takes long runs by itself, so that one that finds no end takes nothing from the others; quick
// ones run by contract.
//
//   npm run proof:halmos                      all, and the report
//   npm run proof:halmos -- --slice           a fixed part in under three minutes, no report
//   npm run proof:halmos -- --match REGEX     checks whose `Contract.check` matches, no report
//   npm run proof:halmos -- --seconds 300     of processor time for a query (60)
//
// Needs halmos (pip install halmos) and cvc5 (pip install cvc5): where this Python has no cvc5, it is installed into cache/.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, "artifacts", "forge-symbolic");
const report = join(root, "audits", "halmos.md");
const CVC5 = "1.4.2";
/** What the slice leaves out: these take longer than all others together. */
const SLOW =
  /LaunchPrices|Split|Refund|Nonces|Rate|Uptime|Averages|Score|BetterNever|TheFactors|ConsumedNeverFalls|TheWindow|BaseWindow/;

const argument = (name) => {
  const at = process.argv.indexOf(name);
  return at === -1 ? undefined : process.argv[at + 1];
};
const slice = process.argv.includes("--slice");
const match = argument("--match");
const seconds = Number(argument("--seconds") ?? (slice ? 20 : 60));

function give(reason, advice) {
  console.error(`${reason}\n${advice}\n0 passed, 1 failed`);
  process.exit(1);
}

function onPath(command) {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, command))
    .find((file) => existsSync(file));
}

const halmos = onPath("halmos");
if (!halmos)
  give("halmos is not on PATH.", "pip install halmos, or ../shared/tools/setup.sh halmos where that folder is.");
// Its solvers lie beside it, where pip has put both.
const tools = [dirname(realpathSync(halmos)), join(root, "node_modules", ".bin")];
const env = { ...process.env, FOUNDRY_PROFILE: "symbolic", PROOF_SECONDS: String(seconds), NO_COLOR: "1" };
env.PATH = [...tools, process.env.PATH].join(delimiter);

/** A Python that can import cvc5. */
function pythonWithCvc5() {
  const own = join(root, "cache", "cvc5");
  const candidates = [process.env.CVC5_PYTHON, join(tools[0], "python"), join(own, "bin", "python"), "python3"];
  const can = (python) => python && spawnSync(python, ["-c", "import cvc5"], { env }).status === 0;
  const found = candidates.find(can);
  if (found) return found;
  console.info(`Installing cvc5 ${CVC5} into cache/cvc5`);
  spawnSync("python3", ["-m", "venv", own], { stdio: "inherit" });
  const python = join(own, "bin", "python");
  spawnSync(python, ["-m", "pip", "install", "--quiet", `cvc5==${CVC5}`], { stdio: "inherit" });
  if (!can(python))
    give("cvc5 could not be installed.", "pip install cvc5, and CVC5_PYTHON=the interpreter that has it.");
  return python;
}

const solver = `${pythonWithCvc5()} ${join(root, "scripts", "solvers.py")}`;

// Halmos goes on with what an earlier build has left when a build fails, so it is built here, from nothing.
rmSync(out, { recursive: true, force: true });
const build = ["build", "--ast", "--extra-output", "storageLayout", "metadata", "--force"];
const built = spawnSync("forge", build, { cwd: root, env, encoding: "utf8" });
if (built.status !== 0) give(`${built.stdout}${built.stderr}`, "The symbolic checks do not compile.");

/** Contract and name of every check, with the sentence above it. */
function checks() {
  const folder = join(root, "test", "contracts", "symbolic");
  const found = [];
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith(".t.sol"))
    .sort()) {
    let contract = "";
    for (const line of readFileSync(join(folder, file), "utf8").split("\n")) {
      contract = /^contract (\w+)/.exec(line)?.[1] ?? contract;
      const name = /function (check_\w+)/.exec(line)?.[1];
      if (name) found.push({ file, contract, name });
    }
  }
  return found.filter(({ contract, name }) => {
    const id = `${contract}.${name}`;
    return match ? new RegExp(match).test(id) : !slice || !SLOW.test(id);
  });
}

let running;
process.on("exit", () => {
  try {
    if (running?.exitCode === null) process.kill(-running.pid, "SIGKILL");
  } catch {} // gone already
});
for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => process.exit(130));

const STATUS = { PASS: "passed", FAIL: "failed", ERROR: "error", TIMEOUT: "timeout" };

/**
 * Checks of one contract: each passed, failed (with a counterexample), timeout, or error. What the solvers could not decide is
 * no pass, whatever the rest of the paths gave.
 */
function prove(group) {
  const names = group.map(({ name }) => name).join("|");
  const args = [
    "--root",
    root,
    "--forge-build-out",
    "artifacts/forge-symbolic",
    "--no-status",
    "--solver-threads",
    "1",
  ];
  args.push("--contract", group[0].contract, "--match-test", `^(${names})\\(`, "--solver-command", solver);
  // The solvers count processor time themselves; this stops what hangs.
  args.push("--solver-timeout-assertion", `${seconds * 10}s`);
  return new Promise((resolve) => {
    let output = "";
    // Of processor time, like the solvers: a check may put several queries, and explores paths before it asks any.
    const limited = ["-c", `ulimit -t ${seconds * 4 + 60}; "$@"; times`, "bash", halmos, ...args];
    running = spawn("bash", limited, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    for (const stream of [running.stdout, running.stderr])
      stream.on("data", (text) => {
        output += text;
      });
    running.on("close", () => {
      const text = stripVTControlCharacters(output);
      const spent = [...text.matchAll(/(\d+)m([\d.]+)s/g)].slice(-2);
      const took = spent.reduce((sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest), 0);
      const results = group.map((check) => {
        const verdict = new RegExp(`^\\[(PASS|FAIL|TIMEOUT|ERROR)\\] ${check.name}\\(`, "m").exec(text)?.[1];
        return { ...check, status: STATUS[verdict] ?? "timeout", took: took / group.length };
      });
      if (results.some(({ status }) => status === "failed" || status === "error")) console.error(text);
      resolve(results);
    });
  });
}

const results = [];
const started = Date.now();
const groups = Object.values(
  Object.groupBy(checks(), ({ contract, name }) => {
    const id = `${contract}.${name}`;
    return SLOW.test(id) ? id : contract;
  }),
);
for (const group of groups) {
  for (const result of await prove(group)) {
    results.push(result);
    console.info(
      `${result.status.padEnd(8)}${result.took.toFixed(1).padStart(7)} s  ${result.contract}.${result.name}`,
    );
  }
}
if (results.length === 0) give("No check matches.", "test/contracts/symbolic holds them.");

const of = (status) => results.filter((result) => result.status === status);
const total = ((Date.now() - started) / 1000).toFixed(0);

if (!slice && !match) {
  const open = [...of("timeout"), ...of("failed"), ...of("error")];
  const notes = existsSync(report) ? /<!-- notes -->[\s\S]*/.exec(readFileSync(report, "utf8"))?.[0] : undefined;
  const version = spawnSync(halmos, ["--version"], { env, encoding: "utf8" }).stdout.trim();
  const lines = [
    "# Symbolic checks",
    "",
    "Written by `npm run proof:halmos`; what follows after `notes` is kept. Each check of `test/contracts/symbolic` is run by Halmos",
    "for every value of its arguments at once. *passed*: there is no counterexample. *timeout*: the solvers found neither a proof",
    "nor a counterexample in the time they had, so nothing is proven.",
    "",
    `${new Date().toISOString().slice(0, 10)}, ${version}, yices and cvc5 ${CVC5}, ${seconds} s of processor time a query: ${of("passed").length} passed, ${of("failed").length + of("error").length} failed, ${of("timeout").length} without an answer.`,
    "",
  ];
  for (const file of new Set(results.map((result) => result.file))) {
    lines.push(`## ${file}`, "", "| check | result | CPU s |", "|---|---|---:|");
    for (const { contract, name, status, took } of results.filter((result) => result.file === file)) {
      lines.push(`| ${contract}.${name} | ${status} | ${took.toFixed(1)} |`);
    }
    lines.push("");
  }
  lines.push("## Not proven", "");
  if (open.length === 0) lines.push("Every check has passed.", "");
  for (const { contract, name, status } of open) lines.push(`- ${contract}.${name}: ${status}`);
  mkdirSync(dirname(report), { recursive: true });
  writeFileSync(report, `${lines.join("\n")}\n${notes ?? "<!-- notes -->\n"}`);
}

// Where nothing was decided nothing is proven: that fails here, and the report says which.
const bad = results.length - of("passed").length;
console.info(`\n${total} s\n${of("passed").length} passed, ${bad} failed`);
process.exitCode = bad > 0 ? 1 : 0;

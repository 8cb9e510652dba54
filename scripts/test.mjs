// `npm test`: every check that needs nothing but Node and npm, one part after the other. A part that fails does not stop
// the others; a test that was skipped and a part that ran no test count as failed. What failed is named once more at the
// end, a line each that begins with "not ok"; the last line is the sum.
//
// With --again, up to three files of a part that failed run once more, alone. What passes then is named in a line that
// begins with "flaky" and does not count as failed: it hangs on chance or on speed, and is to be mended.
//
//   npm test                           everything
//   npm test -- --again                everything, and what failed a second time
//   npm test -- --only contracts,page  the named parts
//   npm run test:browser               the part that needs Chromium, never in `npm test` itself
//   npm run test:real                  the part that needs Kubo (IPFS_BIN, or `ipfs` on PATH)
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, stripVTControlCharacters } from "node:util";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const scratch = mkdtempSync(join(tmpdir(), "neuroswarm-test-"));
const colour = process.stdout.isTTY === true && !process.env.NO_COLOR;
const bold = (text) => (colour ? `\u001b[1m${text}\u001b[22m` : text);

const children = new Set();
let stoppedBy;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    stoppedBy ??= signal;
    for (const child of children) child.kill(signal);
  });
}
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

/** Runs a tool of node_modules, shows what it says unless that is to wait, and resolves to its exit code and its output. */
function run([command, ...args], env = {}, silent = false) {
  if (stoppedBy) process.exit(128 + constants.signals[stoppedBy]);
  const path = `${join(root, "node_modules", ".bin")}${delimiter}${process.env.PATH}`;
  const options = { cwd: root, env: { ...process.env, ...(colour && { FORCE_COLOR: "1" }), ...env, PATH: path } };
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(command, args, {
      ...options,
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32",
    });
    children.add(child);
    for (const [from, to] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ]) {
      from.setEncoding("utf8");
      from.on("data", (text) => {
        output += text;
        if (!silent) to.write(text);
      });
    }
    child.on("error", (error) => {
      console.error(`${command}: ${error.message}`);
      resolve({ code: 1, output });
    });
    child.on("close", (code) => {
      children.delete(child);
      if (stoppedBy) process.exit(128 + constants.signals[stoppedBy]);
      resolve({ code: code ?? 1, output: stripVTControlCharacters(output) });
    });
  });
}

/** A check that passes or fails as a whole: one command after the other. */
function check(...commands) {
  return async () => {
    for (const command of commands) {
      const { code } = await run(command);
      if (code !== 0) return { passed: 0, failed: 1, named: [`${command.join(" ")}: ended with ${code}`] };
    }
    return { passed: 1, failed: 0, named: [] };
  };
}

/** What a test runner counted; a bad exit code without a failed test is one failure, and so is a run of nothing. */
function count(code, passed, failed, skipped, named = []) {
  const said = [...named];
  if (skipped > 0) said.push(`${skipped} skipped: counted as failed`);
  if (passed + failed + skipped === 0) said.push("no test ran: counted as failed");
  else if (code !== 0 && failed + skipped === 0) said.push(`ended with ${code} though no test failed`);
  const bad = failed + skipped;
  return { passed, failed: bad === 0 && (code !== 0 || passed === 0) ? 1 : bad, named: said };
}

/** Compiling the tests of the contracts is what takes longest, on one core: it goes on beside the parts before them. */
let testsCompiled;
const compileTests = () => {
  testsCompiled ??= run(["forge", "build"], { FOUNDRY_PROFILE: "test" }, true);
  return testsCompiled;
};

async function contracts() {
  const built = await run(["forge", "build"], { FOUNDRY_PROFILE: "default" });
  if (built.code !== 0) return { passed: 0, failed: 1, named: [`forge build: ended with ${built.code}`] };
  const { code, output } = await compileTests();
  console.info(output.trim());
  if (code !== 0) return { passed: 0, failed: 1, named: [`forge build of the tests: ended with ${code}`] };
  const tested = await run(["forge", "test", "--color", colour ? "always" : "never"], { FOUNDRY_PROFILE: "test" });
  const summary = /^Ran \d+ test suites? in .*: (\d+) tests? passed, (\d+) failed, (\d+) skipped/m;
  const [, passed = 0, failed = 0, skipped = 0] = summary.exec(tested.output) ?? [];
  // Forge names a failed test where it runs and again at the end.
  const named = new Set(tested.output.split("\n").filter((line) => line.startsWith("[FAIL")));
  return count(tested.code, Number(passed), Number(failed), Number(skipped), [...named]);
}

/** Files of one part that may fail by chance at once; where there are more, something is broken. */
const MOST_FLAKY = 3;

function vitest(project, before = [], env = {}) {
  return async () => {
    const prepared = await check(...before)();
    if (prepared.failed > 0) return prepared;
    if (!existsSync(join(root, "test", project))) {
      console.error(`test/${project} does not exist`);
      return count(1, 0, 0, 0);
    }
    const first = await runVitest(project, [], env);
    const failed = [...first.files.values()].filter((file) => file.failed > 0);
    if (!again || failed.length === 0 || failed.length > MOST_FLAKY) return sumOf(first);
    console.info(`\n${bold(`Once more, alone: ${failed.map(({ name }) => name).join(", ")}`)}`);
    const second = await runVitest(
      project,
      failed.map(({ name }) => name),
      env,
    );
    const flaky = failed.filter(({ name }) => second.files.get(name)?.failed === 0).flatMap(({ named }) => named);
    return { ...sumOf({ code: second.code, files: new Map([...first.files, ...second.files]) }), flaky };
  };
}

/** One run of vitest: its exit code, and what each file counted. */
async function runVitest(project, chosen, env) {
  const report = join(scratch, `${project}.json`);
  rmSync(report, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const { code } = await run(["vitest", "run", "--project", project, ...reporters, ...chosen], env);
  const { testResults } = existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : { testResults: [] };
  return { code, files: new Map(testResults.map(countFile).map((file) => [file.name, file])) };
}

/** What one file counted, as vitest's JSON tells it; where it could not be run at all, that is a failure. */
function countFile({ name: path, status, message, assertionResults }) {
  const name = relative(root, path).replaceAll("\\", "/");
  const of = (...states) => assertionResults.filter((test) => states.includes(test.status));
  const failed = of("failed");
  const named = failed.map(({ fullName, failureMessages }) => `${name}: ${fullName}: ${failureMessages.join(" ")}`);
  if (status === "failed" && failed.length === 0) named.push(`${name}: ${message}`);
  const passed = of("passed").length;
  return { name, passed, failed: named.length, skipped: assertionResults.length - passed - failed.length, named };
}

function sumOf({ code, files }) {
  const all = [...files.values()];
  const sum = (field) => all.reduce((total, file) => total + file[field], 0);
  const named = all.flatMap((file) => file.named);
  return count(code, sum("passed"), sum("failed"), sum("skipped"), named);
}

/** One line of at most 800 characters. */
const inOneLine = (text) => stripVTControlCharacters(text).replace(/\s+/g, " ").slice(0, 800);

const { only, again } = options();

/** What was asked for on the command line. */
function options() {
  try {
    return parseArgs({ options: { only: { type: "string" }, again: { type: "boolean" } } }).values;
  } catch (error) {
    console.error(`npm test -- [--only PART,PART] [--again]: ${error.message}`);
    process.exit(2);
  }
}

const page = ["vite", "build", "keeper/web"];
const folders = readdirSync(join(root, "test"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
const projects = new Set(["keeper", "e2e", ...folders.map(({ name }) => name)]);
for (const name of ["browser", "contracts"]) projects.delete(name);

const parts = new Map([
  [
    "lint",
    check(
      ["biome", "check", "--error-on-warnings", "."],
      [
        "forge",
        "fmt",
        "--check",
        "contracts",
        "test/contracts",
        "test/package",
        "deploy",
        "harness/InferenceHarness.sol",
      ],
    ),
  ],
  ["typecheck", check(["tsc", "-p", "tsconfig.json"], ["tsc", "-p", "keeper/web/tsconfig.json"])],
  ["typechain", check(["node", "scripts/typechain.ts", "--check"])],
  ["contracts", contracts],
  ["page", check(page)],
  ...[...projects].map((name) => [name, vitest(name)]),
]);
const onDemand = new Map([
  ["browser", vitest("browser", [page])],
  ["real", vitest("keeper", [], { REAL_PARTS: "1", IPFS_BIN: process.env.IPFS_BIN ?? "ipfs" })],
]);

const names = only === undefined ? [...parts.keys()] : only.split(",");
const unknown = names.filter((name) => !parts.has(name) && !onDemand.has(name));
if (unknown.length > 0) {
  console.error(`--only takes ${[...parts.keys(), ...onDemand.keys()].join(", ")}; got ${unknown.join(", ")}`);
  process.exit(2);
}

if (names.includes("contracts")) compileTests();
const total = { passed: 0, failed: 0 };
const lines = [];
const notOk = [];
for (const name of names) {
  console.info(`\n${bold(`=== ${name} ===`)}`);
  const started = Date.now();
  const result = await (parts.get(name) ?? onDemand.get(name))();
  const line = `${name}: ${result.passed} ok, ${result.failed} not, ${((Date.now() - started) / 1000).toFixed(1)} s`;
  console.info(bold(`--- ${line}`));
  lines.push(line);
  total.passed += result.passed;
  total.failed += result.failed;
  for (const text of result.flaky ?? []) notOk.push(inOneLine(`flaky: ${name}: ${text}`));
  for (const text of result.named) notOk.push(inOneLine(`not ok: ${name}: ${text}`));
}
console.info(`\n${[...lines, ...notOk].join("\n")}\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 ? 1 : 0;

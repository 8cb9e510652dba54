// `npm run proof:deep`: the contracts' tests again, searched much further: 20,000 runs for each fuzz test, 512 histories of 256 steps
// for the invariants, from a seed of its own each time. Writes audits/deep.md. Half an hour and more on two cores.
//
//   npm run proof:deep                    all of it, and the report
//   npm run proof:deep -- --seed 0x1234   from a seed that an earlier run has named
//   npm run proof:deep -- --slice         words, libraries and invariants, from a fixed seed that `npm test` does not use; no report
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const slice = process.argv.includes("--slice");
const at = process.argv.indexOf("--seed");
const seed = slice ? "0x736c696365" : at === -1 ? `0x${randomBytes(8).toString("hex")}` : (process.argv[at + 1] ?? "");
if (!/^0x[0-9a-f]{1,64}$/i.test(seed)) {
  console.error(`--seed takes 0x and up to 64 hexadecimal digits; got ${seed}`);
  process.exit(2);
}

const env = { ...process.env, PATH: `${join(root, "node_modules", ".bin")}${delimiter}${process.env.PATH}` };
Object.assign(env, { FOUNDRY_PROFILE: "deep", FOUNDRY_FUZZ_SEED: seed, NO_COLOR: "1" });
if (slice)
  Object.assign(env, { FOUNDRY_FUZZ_RUNS: "5000", FOUNDRY_INVARIANT_RUNS: "32", FOUNDRY_INVARIANT_DEPTH: "128" });

/** A part of the tests, by suite and name: what forge says of each. */
function run(path) {
  return new Promise((resolve, reject) => {
    const args = ["test", "--json", "--match-path", path];
    const child = spawn("forge", args, { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk) => (text += chunk));
    child.on("error", reject);
    child.on("close", () => {
      try {
        resolve(JSON.parse(text.slice(text.indexOf("{"))));
      } catch {
        reject(new Error(`forge test --match-path ${path} ended without results:\n${text.slice(0, 2_000)}`));
      }
    });
  });
}

const parts = slice ? ["test/contracts/{words,libraries}/**", "test/contracts/invariant/**"] : ["test/contracts/**"];
const started = Date.now();
const tests = [];
for (const part of parts) {
  for (const [suite, { test_results: results }] of Object.entries(await run(part))) {
    for (const [name, { status, reason, kind, counterexample }] of Object.entries(results)) {
      const contract = suite.split(":")[1];
      tests.push({ contract, name: name.split("(")[0], ok: status === "Success", reason, kind, counterexample });
    }
  }
}
const minutes = ((Date.now() - started) / 60_000).toFixed(1);
const of = (kind) => tests.filter((test) => test.kind?.[kind]);
const sum = (kind, field) => of(kind).reduce((total, test) => total + (test.kind[kind][field] ?? 0), 0);
const failed = tests.filter(({ ok }) => !ok);
const number = (n) => n.toLocaleString("en-US");

const summary = [
  `seed ${seed}, ${minutes} minutes`,
  `${of("Fuzz").length} fuzz tests: ${number(sum("Fuzz", "runs"))} runs`,
  `${of("Invariant").length} invariants: ${number(sum("Invariant", "runs"))} histories, ${number(sum("Invariant", "calls"))} calls`,
];
for (const { contract, name, reason, counterexample } of failed)
  console.error(`FAILED ${contract}.${name}: ${reason ?? ""}\n${counterexample ? JSON.stringify(counterexample) : ""}`);
console.info(summary.join("\n"));

if (!slice) {
  const rows = (kind, cells) =>
    of(kind).map(
      ({ contract, name, ok, kind: k }) => `| ${contract}.${name} | ${ok ? "passed" : "FAILED"} | ${cells(k[kind])} |`,
    );
  const lines = [
    "# Deep fuzzing",
    "",
    "Written by `npm run proof:deep`: the tests of `npm test` under the profile `deep` of foundry.toml, from another seed. A failure",
    "found here becomes a test of its own, with its arguments, in `npm test`.",
    "",
    `${new Date().toISOString().slice(0, 10)}, ${summary.join("; ")}; ${number(tests.length - of("Fuzz").length - of("Invariant").length)} tests without`,
    `unknowns beside them. ${failed.length === 0 ? "None failed." : `${failed.length} failed.`}`,
    "",
    "| invariant | result | histories | calls |",
    "|---|---|---:|---:|",
    ...rows("Invariant", ({ runs, calls }) => `${number(runs)} | ${number(calls)}`),
    "",
    "| fuzz test | result | runs |",
    "|---|---|---:|",
    ...rows("Fuzz", ({ runs }) => number(runs)),
    "",
  ];
  writeFileSync(join(root, "audits", "deep.md"), lines.join("\n"));
}
console.info(`${tests.length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length > 0 || tests.length === 0 ? 1 : 0;

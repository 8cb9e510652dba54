// Installs what package-lock.json pins, when it is not there yet. Runs before `npm start` and `npm test`, on any Node from
// version 20 on, with nothing but Node and npm.
//
// npm leaves out optional dependencies whose `engines` exclude the Node that runs it, and says nothing: under Node 20
// Hardhat would lack its native part. So npm is run by the project's own Node, which is fetched first from the lockfile.
//
// `npm ci` refuses a lockfile without the optional packages of every platform, and a registry need not have them all.
// `npm install --no-save` on an empty node_modules takes the same versions with the same integrity, and writes no lockfile.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { basename, delimiter, dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const stampFile = join(modules, ".neuroswarm-install");
const wantedMajor = 24;
const tty = process.stderr.isTTY === true;
const dim = (text) => (tty && !process.env.NO_COLOR ? `\u001b[2m${text}\u001b[22m` : text);
const bold = (text) => (tty && !process.env.NO_COLOR ? `\u001b[1m${text}\u001b[22m` : text);

let child; // the npm that runs now
let scratch; // the folder of the Node that installs
let stoppedBy;

const say = (text) => process.stderr.write(`${tty ? "\r\u001b[K" : ""}${text}\n`);

function fail(problem, advice) {
  say(`${bold("Setup failed:")} ${problem}`);
  if (advice) say(advice);
  cleanUp();
  process.exit(1);
}

function cleanUp() {
  if (scratch) rmSync(scratch, { recursive: true, force: true });
  scratch = undefined;
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    stoppedBy ??= signal;
    child?.kill(signal);
  });
}

/** npm's own script: the one that runs us, or the one beside this Node, or the one on PATH. */
function findNpm() {
  const beside = dirname(process.execPath);
  const candidates = [
    process.env.npm_execpath,
    join(beside, "..", "lib", "node_modules", "npm", "bin", "npm-cli.js"),
    join(beside, "node_modules", "npm", "bin", "npm-cli.js"),
    ...(process.env.PATH ?? "")
      .split(delimiter)
      .flatMap((folder) => [join(folder, "npm"), join(folder, "node_modules", "npm", "bin", "npm-cli.js")]),
  ];
  for (const candidate of candidates) {
    if (!candidate || !existsSync(candidate)) continue;
    const script = join(dirname(realpathSync(candidate)), "npm-cli.js");
    if (existsSync(script) && basename(dirname(dirname(script))) === "npm") return script;
  }
  return fail("npm was not found.", "It comes with Node: https://nodejs.org");
}

/** Where in the lockfile each package that this machine gets will lie: the measure of progress. */
function expectedPackages(lock) {
  const fits = (list, value) =>
    !list ||
    ([list].flat().every((entry) => !entry.startsWith("!") || entry !== `!${value}`) &&
      ([list].flat().every((entry) => entry.startsWith("!")) || [list].flat().includes(value)));
  return Object.entries(lock.packages)
    .filter(([path, entry]) => path && fits(entry.os, process.platform) && fits(entry.cpu, process.arch))
    .map(([path]) => join(root, path, "package.json"));
}

function runNpm(node, args, cwd, title, progress) {
  const started = Date.now();
  const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`;
  const line = () => `${title} ${dim(`${progress ? `${progress()}, ` : ""}${seconds()}`)}`;
  return new Promise((resolve) => {
    let output = "";
    const npmArgs = [npm, ...args, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", cwd];
    child = spawn(node, npmArgs, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    if (!tty) say(title);
    const timer = setInterval(
      () => (tty ? process.stderr.write(`\r\u001b[K${line()}`) : say(`  ${line()}`)),
      tty ? 500 : 15_000,
    );
    const done = (code) => {
      clearInterval(timer);
      child = undefined;
      if (code === 0) say(`${title} ${dim(`done in ${seconds()}`)}`);
      resolve({ code, output });
    };
    child.on("error", (error) => {
      output += error.message;
      done(1);
    });
    child.on("close", done);
  });
}

function explain(output) {
  if (stoppedBy) {
    say(`Interrupted by ${stoppedBy}. The next run starts the installation again.`);
    cleanUp();
    process.exit(128 + constants.signals[stoppedBy]);
  }
  const tail = output
    .trim()
    .split("\n")
    .filter((line) => !/^npm (warn|error\s+at |error\s*$)/.test(line))
    .slice(0, 8)
    .join("\n");
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED/.test(output)) {
    fail(
      "the npm registry cannot be reached.",
      `Check the connection (and npm's proxy settings), then run the same command again: what was downloaded is kept.\n${dim(tail)}`,
    );
  }
  if (/ENOSPC/.test(output))
    fail("the disk is full.", "The installation needs about 1.2 GB, and as much again for npm's cache.");
  fail("npm could not install the dependencies:", tail);
}

/** The project's own Node, installed alone with the lockfile's version and integrity, to run npm. */
async function fetchNode(lock) {
  const name = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  const entry = lock.packages[`node_modules/${name}`];
  if (!entry) {
    fail(
      `this is Node ${process.versions.node}, and no newer one comes with the project for ${process.platform}-${process.arch}.`,
      `Install Node ${wantedMajor} (https://nodejs.org) and run the same command again.`,
    );
  }
  scratch = mkdtempSync(join(tmpdir(), "neuroswarm-node-"));
  const dependencies = { [name]: entry.version };
  const packages = { "": { dependencies }, [`node_modules/${name}`]: { ...entry, optional: false } };
  writeFileSync(join(scratch, "package.json"), JSON.stringify({ private: true, dependencies }));
  writeFileSync(join(scratch, "package-lock.json"), JSON.stringify({ lockfileVersion: 3, requires: true, packages }));
  const { code, output } = await runNpm(process.execPath, ["ci"], scratch, `Fetching Node ${entry.version}`);
  if (code !== 0) explain(output);
  return join(scratch, "node_modules", name, Object.values(entry.bin)[0]);
}

if (Number(process.versions.node.split(".")[0]) < 20) {
  fail(`Node ${process.versions.node} is too old.`, "NeuroSwarm needs Node 20 or newer to start: https://nodejs.org");
}

const lockText = readFileSync(join(root, "package-lock.json"));
const stamp = `${createHash("sha256").update(lockText).digest("hex")} ${process.platform}-${process.arch}\n`;
if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) process.exit(0);

const npm = findNpm();
const lock = JSON.parse(lockText.toString("utf8"));
const expected = expectedPackages(lock);
const sound = existsSync(stampFile);
const why = sound
  ? "package-lock.json has changed"
  : existsSync(modules)
    ? "the last installation is incomplete"
    : "first run";
say(`${bold("Installing dependencies")} ${dim(`(${why}; about 1.1 GB, one to two minutes)`)}`);
// Written again only at the end: whatever stops the installation, the next run repairs it.
rmSync(stampFile, { force: true });
if (!sound) rmSync(modules, { recursive: true, force: true });

// A Node inside node_modules would be deleted by the installation that it runs.
const usable =
  Number(process.versions.node.split(".")[0]) >= wantedMajor && !process.execPath.startsWith(modules + sep);
const node = usable ? process.execPath : await fetchNode(lock);
const installed = () => `${expected.filter((file) => existsSync(file)).length} of ${expected.length} packages`;
const { code, output } = await runNpm(node, ["install", "--no-save"], root, "Installing packages", installed);
if (code !== 0) explain(output);
cleanUp();
mkdirSync(modules, { recursive: true });
writeFileSync(stampFile, stamp);

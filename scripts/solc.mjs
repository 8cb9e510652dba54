#!/usr/bin/env node
// forge asks a compiler two things: its version, and one standard JSON compilation from standard input to standard
// output. This answers both with the `solc` package, so that forge and Hardhat share the one compiler that the
// lockfile pins, and none has to be downloaded.
import solc from "solc";

const args = process.argv.slice(2);

if (args.includes("--version")) {
  const version = solc.version().replace(".Emscripten.clang", "");
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version}.Linux.g++\n`);
} else if (args.includes("--standard-json")) {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  process.stdout.write(solc.compile(Buffer.concat(chunks).toString("utf8")));
} else {
  process.stderr.write("scripts/solc.mjs answers --version and --standard-json only\n");
  process.exitCode = 2;
}

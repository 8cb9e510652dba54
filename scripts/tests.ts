// The tests by name, as the trees and the table of hostile cases refer to them.
//
//   Solidity   `Contract.test_x`, or `File:Contract.test_x` where two files have a contract of that name
//   vitest     `test/keeper/core-reorg.test.ts > name of the test`
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { root } from "./compile.ts";

export interface TestContract {
  readonly name: string;
  /** Of the repository, with slashes. */
  readonly file: string;
  readonly tests: readonly string[];
  /** What the file says, and what it imports of the tests: helpers that expect an error stand in either. */
  readonly text: string;
}

/** Files below a folder of the repository whose names end so, in order. */
export function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((file) => `${folder}/${file.replaceAll("\\", "/")}`)
    .filter((file) => file.endsWith(ending))
    .sort();
}

/** The contracts of a Solidity source with the functions that forge runs as tests, invariants, or symbolic checks. */
export function contractsIn(file: string, source: string, imported = ""): TestContract[] {
  const found: { name: string; file: string; tests: string[]; text: string }[] = [];
  const pattern = /^(?:abstract )?contract (\w+)|^ {4}function ((?:test|invariant|check)\w*)\(/gm;
  for (const [, contract, test] of source.matchAll(pattern)) {
    if (contract) found.push({ name: contract, file, tests: [], text: source + imported });
    else if (test) found.at(-1)?.tests.push(test);
  }
  return found.filter(({ tests }) => tests.length > 0);
}

export function solidityTests(): TestContract[] {
  return filesBelow("test/contracts", ".t.sol").flatMap((file) => {
    const source = readFileSync(join(root, file), "utf8");
    const imports = [...source.matchAll(/from "(\.[^"]+)";/g)].map(([, path = ""]) => join(root, dirname(file), path));
    const ofTests = imports.filter((path) => path.startsWith(join(root, "test")));
    return contractsIn(file, source, ofTests.map((path) => readFileSync(path, "utf8")).join("\n"));
  });
}

/** The contract that a name stands for: that of the folder it is named in, else the only one of that name. */
export function contractNamed(
  name: string,
  all: readonly TestContract[],
  folder?: string,
): TestContract | "none" | "several" {
  const [short = "", file] = name.split(":").reverse();
  const same = all.filter((one) => one.name === short && (!file || basename(one.file) === `${file}.t.sol`));
  const near = same.filter((one) => dirname(one.file) === folder);
  const [only, ...others] = near.length > 0 ? near : same;
  if (!only) return "none";
  return others.length === 0 ? only : "several";
}

/** Why a name is no test's, or undefined where it is one's. */
export function unknownTest(name: string, all: readonly TestContract[], folder?: string): string | undefined {
  if (name.includes(" > ")) return unknownVitest(name);
  const at = name.lastIndexOf(".");
  const contract = contractNamed(name.slice(0, at), all, folder);
  if (contract === "none") return `no test contract is named ${name.slice(0, at)}`;
  if (contract === "several") return `several test contracts are named ${name.slice(0, at)}`;
  if (!contract.tests.includes(name.slice(at + 1))) return `${contract.file} has no ${name}`;
  return undefined;
}

function unknownVitest(name: string): string | undefined {
  const [file = "", title = ""] = name.split(" > ");
  if (!existsSync(join(root, file))) return `${file} does not exist`;
  const source = readFileSync(join(root, file), "utf8");
  // As a title it is what a call begins with, as a row's name what a list begins with.
  const escaped = title.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  if (new RegExp(`[([]\\s*(["'\`])${escaped}\\1\\s*,`).test(source)) return undefined;
  return `${file} has no test "${title}"`;
}

// The table of hostile cases, audits/red-team.md: a row a case, with the tests that try it. Whether a test really tries its
// case, a reader decides; that it exists, this script does.
//
//   node scripts/red-team.ts
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "./compile.ts";
import { solidityTests, type TestContract, unknownTest } from "./tests.ts";

export interface Case {
  readonly section: string;
  readonly name: string;
  /** Empty where the table says that nothing tries the case yet. */
  readonly tests: readonly string[];
}

const NONE = "**none yet**";

export const table = (): string => readFileSync(join(root, "audits/red-team.md"), "utf8");

/** The rows of its tables; a row that names neither tests nor that there are none is wrong. */
export function casesIn(text: string): Case[] {
  let section = "";
  const cases: Case[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("## ")) section = line.slice(3);
    const [, name = "", , tests = ""] = line.split(" | ").length === 3 ? [line, ...line.slice(2, -2).split(" | ")] : [];
    if (name === "" || name === "case") continue;
    cases.push({
      section,
      name,
      tests: tests === NONE ? [] : [...tests.matchAll(/`([^`]+)`/g)].map(([, test = ""]) => test),
    });
    if (tests !== NONE && !tests.includes("`")) throw new Error(`"${name}" says neither a test nor ${NONE}`);
  }
  return cases;
}

/** What the table says that is not so. */
export function mistakes(cases: readonly Case[], all: readonly TestContract[]): string[] {
  const names = cases.map(({ name, section }) => `${section}: ${name}`);
  const twice = names.filter((name, at) => names.indexOf(name) !== at).map((name) => `${name} stands there twice`);
  const unknown = cases.flatMap(({ name, tests }) =>
    tests.flatMap((test) => {
      const problem = unknownTest(test, all);
      return problem ? [`${name}: ${problem}`] : [];
    }),
  );
  return [...twice, ...unknown];
}

function main(): void {
  const cases = casesIn(table());
  const problems = mistakes(cases, solidityTests());
  for (const problem of problems) console.error(problem);
  const open = cases.filter(({ tests }) => tests.length === 0);
  console.info(`${cases.length} hostile cases, ${open.length} without a test`);
  for (const { section, name } of open) console.info(`  ${section}: ${name}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();

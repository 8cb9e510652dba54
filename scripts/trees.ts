// The branching trees beside the contracts' tests: the specification of each function in branches, for readers. Whether a
// leaf's test really asserts what the leaf says, a reader decides; that nothing is missing, this script does.
//
//   node scripts/trees.ts           fails where trees, tests and sources disagree
//   node scripts/trees.ts --write   draws the branches anew; four spaces a level are enough to write by
//
// The first line names a function and the test contract in the same folder that its leaves mean, or that contract alone:
//
//   RouterLanes::forfeit → ForfeitTest
//   ├── given it can still be revealed
//   │   └── it should revert with RouterStillRevealable → test_RevertGiven_ItCanStillBeRevealed
//   └── given a pause of intake began while it could be
//       └── it should give the bond back → test_GivesTheBondBack, OtherTest.test_X, File:OtherTest.test_Y
//
// `→ see Contract::function` instead of tests: the code is shared, and so are its branches.
import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "./compile.ts";
import { type Source, stateChanging } from "./functions.ts";
import { contractNamed, filesBelow, solidityTests, type TestContract, unknownTest } from "./tests.ts";

interface Line {
  readonly depth: number;
  readonly text: string;
}

export interface Tree {
  readonly file: string;
  readonly text: string;
  /** `Contract::function`, or a test contract. */
  readonly subject: string;
  /** The test contract that leaves mean where they name none. */
  readonly contract: string;
  readonly lines: readonly Line[];
}

interface Leaf {
  readonly text: string;
  readonly tests: readonly string[];
  readonly see?: string;
}

/** Folders whose tests are about pure code, gas, or everything at once, and need no tree. */
const WITHOUT_TREES = ["gas", "invariant", "libraries", "symbolic", "words"];

export function parseTree(file: string, text: string): Tree {
  const [first = "", ...rest] = text.trimEnd().split("\n");
  const [subject = "", contract = subject] = first.split(" → ");
  const lines = rest.map((line) => {
    const start = line.search(/[^ │├└─]/);
    return { depth: start / 4, text: line.slice(start) };
  });
  return { file, text, subject, contract, lines };
}

/** The tree as it is drawn. */
export function drawn({ subject, contract, lines }: Pick<Tree, "subject" | "contract" | "lines">): string {
  const rows = lines.map(({ depth, text }, at) => {
    let row = "";
    for (let level = 1; level <= depth; ++level) {
      const next = lines.slice(at + 1).find((line) => line.depth <= level);
      const goesOn = next?.depth === level;
      if (level < depth) row += goesOn ? "│   " : "    ";
      else row += goesOn ? "├── " : "└── ";
    }
    return row + text;
  });
  return `${[subject === contract ? subject : `${subject} → ${contract}`, ...rows].join("\n")}\n`;
}

function leavesOf(tree: Tree): Leaf[] {
  return tree.lines
    .filter(({ text }) => text.startsWith("it "))
    .map(({ text }) => {
      const [says = "", names = ""] = text.split(" → ");
      if (names.startsWith("see ")) return { text: says, tests: [], see: names.slice(4) };
      const tests = names.split(", ").filter((name) => name !== "");
      return { text: says, tests: tests.map((name) => (name.includes(".") ? name : `${tree.contract}.${name}`)) };
    });
}

/** What is wrong with the shape of one tree. */
function misshapen(tree: Tree): string[] {
  const problems: string[] = [];
  const expected = `${tree.subject.replace("::", ".")}.tree`;
  if (basename(tree.file) !== expected) problems.push(`is of ${tree.subject}, so its name would be ${expected}`);
  if (tree.text !== drawn(tree)) problems.push("is not drawn as `npm run trees -- --write` draws it");
  tree.lines.forEach(({ depth, text }, at) => {
    const below = (tree.lines[at + 1]?.depth ?? 0) > depth;
    const leaf = text.startsWith("it should ");
    if (!leaf && !/^(when|given) /.test(text)) problems.push(`"${text}" begins with none of when, given, it should`);
    if (leaf === below) problems.push(leaf ? `a branch grows out of "${text}"` : `no leaf is under "${text}"`);
    const before = at === 0 ? 0 : (tree.lines[at - 1]?.depth ?? 0);
    if (!Number.isInteger(depth) || depth > before + 1 || depth < 1) problems.push(`"${text}" hangs in the air`);
  });
  return problems;
}

/** Everything in which these trees, tests and sources disagree. */
export function disagreements(
  trees: readonly Tree[],
  tests: readonly TestContract[],
  sources: readonly Source[],
): string[] {
  const problems: string[] = [];
  const held = new Set<string>();
  const known = new Set(sources.flatMap(({ errors }) => errors));
  const bySubject = new Map(trees.map((tree) => [tree.subject, tree]));
  for (const tree of trees) {
    const folder = dirname(tree.file);
    const say = (problem: string): number => problems.push(`${tree.file}: ${problem}`);
    if (bySubject.get(tree.subject) !== tree) say(`another tree is of ${tree.subject} too`);
    const own = contractNamed(tree.contract, tests, folder);
    if (typeof own === "string" || dirname(own.file) !== folder) say(`${tree.contract} is not in its folder`);
    for (const problem of misshapen(tree)) say(problem);
    for (const leaf of leavesOf(tree)) {
      if (leaf.see ? !bySubject.has(leaf.see) : leaf.tests.length === 0) say(`nothing holds "${leaf.text}"`);
      let said = "";
      for (const name of leaf.tests) {
        const unknown = unknownTest(name, tests, folder);
        if (unknown) say(unknown);
        const at = name.lastIndexOf(".");
        const contract = contractNamed(name.slice(0, at), tests, folder);
        if (typeof contract === "string") continue;
        held.add(`${contract.file}:${contract.name}.${name.slice(at + 1)}`);
        said += contract.text;
      }
      // Where a test of an error never says its name, it cannot expect it.
      const reverts = leaf.text.includes("revert with") && !leaf.text.includes("never");
      for (const error of reverts ? (leaf.text.match(/\w+/g) ?? []).filter((word) => known.has(word)) : []) {
        if (!said.includes(error)) say(`no test of "${leaf.text}" expects ${error}`);
      }
    }
  }
  for (const { name, file, tests: names } of tests) {
    if (WITHOUT_TREES.some((folder) => file.startsWith(`test/contracts/${folder}/`))) continue;
    for (const test of names) {
      if (!held.has(`${file}:${name}.${test}`)) problems.push(`${file}: ${name}.${test} is on no leaf`);
    }
  }
  for (const { subject, errors } of sources) {
    const tree = bySubject.get(subject);
    if (!tree) {
      problems.push(`${subject} has no tree`);
      continue;
    }
    const words = wordsOf(tree, bySubject, new Set());
    for (const error of errors) {
      if (!words.has(error)) problems.push(`${tree.file}: no leaf names ${error}`);
    }
  }
  return problems;
}

/** The words of a tree's leaves, and of those that they refer to. */
function wordsOf(tree: Tree, all: ReadonlyMap<string, Tree>, seen: Set<string>): Set<string> {
  seen.add(tree.subject);
  const words = new Set<string>();
  for (const { text, see } of leavesOf(tree)) {
    for (const word of text.match(/\w+/g) ?? []) words.add(word);
    const other = see && !seen.has(see) ? all.get(see) : undefined;
    if (other) for (const word of wordsOf(other, all, seen)) words.add(word);
  }
  return words;
}

export function allTrees(): Tree[] {
  return filesBelow("test/contracts", ".tree").map((file) => parseTree(file, readFileSync(join(root, file), "utf8")));
}

function main(): void {
  const trees = allTrees();
  if (process.argv.includes("--write")) {
    for (const tree of trees) writeFileSync(join(root, tree.file), drawn(tree));
  }
  const tests = solidityTests();
  const sources = stateChanging();
  const problems = disagreements(allTrees(), tests, sources);
  for (const problem of problems) console.error(problem);
  const leaves = trees.reduce((sum, tree) => sum + leavesOf(tree).length, 0);
  console.info(`${trees.length} trees, ${leaves} leaves, ${sources.length} functions that change state`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();

import { expect, test } from "vitest";
import { type Source, stateChanging } from "../../scripts/functions.ts";
import { contractsIn, solidityTests, type TestContract } from "../../scripts/tests.ts";
import { allTrees, disagreements, drawn, parseTree } from "../../scripts/trees.ts";

const sources = stateChanging();
const forfeit: Source = { subject: "RouterLanes::forfeit", errors: ["RouterStillRevealable"] };
const commit: Source = { subject: "RouterLanes::commit", errors: ["RouterBondTooLow"] };
const FILE = "test/contracts/router/RouterLanes.forfeit.tree";
const TREE = `RouterLanes::forfeit → ForfeitTest
├── given it can still be revealed
│   └── it should revert with RouterStillRevealable → test_RevertGiven_ItCanStillBeRevealed
└── given it cannot
    └── it should leave the bond burned → test_Burns, OtherTest.test_BurnsToo
`;
const tests: TestContract[] = contractsIn(
  "test/contracts/router/Commit.t.sol",
  `contract ForfeitTest is Lanes {
    function test_RevertGiven_ItCanStillBeRevealed() public {
        vm.expectRevert(IRouterLog.RouterStillRevealable.selector);
    }
    function test_Burns() public {}
}
contract OtherTest is Lanes {
    function test_BurnsToo() public view {}
}
`,
);

/** What is wrong with the tree once something in it, or beside it, is another. */
function wrong(tree: string): string[] {
  return disagreements([parseTree(FILE, tree)], tests, [forfeit, commit]);
}

test("every function that changes state has a tree, every leaf a test, and every test a leaf", () => {
  expect(sources.map(({ subject }) => subject)).toEqual(
    expect.arrayContaining(["InferenceRouter::submit", "Seating::enlist", "RewardToken::mint", "Vacant::initialize"]),
  );
  expect(disagreements(allTrees(), solidityTests(), sources)).toEqual([]);
});

test("errors are those of internal functions and modifiers too", () => {
  const submit = sources.find(({ subject }) => subject === "InferenceRouter::submit");
  expect(submit?.errors).toEqual(
    expect.arrayContaining(["ReentrancyGuardReentrantCall", "RouterCommitRequired", "RouterRateLimited"]),
  );
});

test("a tree that agrees with its tests and its source is drawn as it was written", () => {
  expect(wrong(TREE)).toEqual(["RouterLanes::commit has no tree"]);
  const plain = TREE.replace(/[│├└]/g, " ").replace(/── /g, "   ");
  expect(drawn(parseTree(FILE, plain))).toBe(TREE);
});

test.each([
  ["a test that does not exist", TREE.replace("test_Burns,", "test_Burnt,"), "has no ForfeitTest.test_Burnt"],
  ["a test contract that does not exist", TREE.replace("OtherTest", "NoTest"), "no test contract is named NoTest"],
  ["a test on no leaf", TREE.replace(", OtherTest.test_BurnsToo", ""), "OtherTest.test_BurnsToo is on no leaf"],
  ["an error that no leaf names", TREE.replace("RouterStillRevealable", "an error"), "names RouterStillRevealable"],
  [
    "an error that no test of the leaf expects",
    TREE.replace("should leave", "should revert with RouterBondTooLow and leave"),
    'and leave the bond burned" expects RouterBondTooLow',
  ],
  ["a leaf that nothing holds", TREE.replace(" → test_Burns, OtherTest.test_BurnsToo", ""), "nothing holds"],
  ["a branch without a leaf", `${TREE.trimEnd()}\n└── given nothing follows\n`, "no leaf is under"],
  ["a word that is no branch's", TREE.replace("given it cannot", "if it cannot"), "begins with none of"],
  ["another drawing", TREE.replace("├── given it can still", "└── given it can still"), "is not drawn as"],
  ["another function", TREE.replace("::forfeit", "::forfeits"), "RouterLanes::forfeit has no tree"],
  ["a reference to nowhere", TREE.replace("test_Burns, OtherTest.test_BurnsToo", "see X::y"), "nothing holds"],
])("names %s", (_, tree, problem) => {
  expect(wrong(tree).join("\n")).toContain(problem);
});

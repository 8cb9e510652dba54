import { describe, expect, it } from "vitest";
import {
  currentLayouts,
  incompatibility,
  isRecorded,
  type Layout,
  recordedLayouts,
  upgradeables,
} from "../../scripts/layouts.ts";

const current = currentLayouts();
const recorded = new Map(recordedLayouts().map((entry) => [entry.contract, entry]));

function found<T extends { contract: string }>(list: Iterable<T>, contract: string): T {
  for (const entry of list) if (entry.contract === contract) return entry;
  throw new Error(`no layout of ${contract}`);
}

describe("the layouts of what runs behind a proxy", () => {
  it("are those of the contracts that are deployed behind one, and of what the router delegates to", () => {
    expect(current.map(({ contract }) => contract)).toEqual(
      expect.arrayContaining([
        "FeeController",
        "InferenceRouter",
        "ModelAccessCredits",
        "ModelRegistry",
        "ModelReward",
        "RouterExtension",
        "Vacant",
        "ValidatorRegistry",
      ]),
    );
  });

  it.each(current)("$contract can follow what is recorded", ({ contract, layout }) => {
    expect(incompatibility(found(recorded.values(), contract).layout, layout)).toBeUndefined();
  });

  it.each(current)("$contract is recorded as it is: `node scripts/layouts.ts --write` after an append", (entry) => {
    expect(isRecorded(recorded.get(entry.contract), entry)).toBe(true);
  });

  it("has no record of a contract that is gone", () => {
    expect([...recorded.keys()].sort()).toEqual(current.map(({ contract }) => contract));
  });

  it("is the same for the router and for its extension, which works in the router's storage", () => {
    const router = found(current, "InferenceRouter");
    expect(found(current, "RouterExtension").layout).toEqual(router.layout);
  });

  it.each(current)("$contract keeps nothing outside of its namespaces", ({ layout }) => {
    expect(layout.storage).toEqual([]);
  });
});

describe("what else makes an upgrade unsafe", () => {
  // Constructors set immutables alone, which are part of the code, and disable the initializers; the initializers of
  // OpenZeppelin's bases have nothing to do but what Vacant's has done, or run there.
  const expected = ["constructor", "state-variable-immutable", "missing-initializer", "missing-initializer-call"];

  it.each(current)(
    "$contract has no delegatecall to elsewhere, no selfdestruct, no initial value",
    ({ contract, unsafe }) => {
      // The extension is no proxy's implementation: the router calls it.
      const here = contract === "RouterExtension" ? [...expected, "missing-public-upgradeto"] : expected;
      expect(unsafe.filter(({ kind }) => !here.includes(kind))).toEqual([]);
    },
  );
});

describe("the comparison", () => {
  const fixture = (name: string): Layout => found(upgradeables([`test/upgrade/fixtures/${name}.sol`]), "Box");
  const box = fixture("Recorded");

  it("lets a layout stay as it is", () => {
    expect(incompatibility(box.layout, fixture("Recorded").layout)).toBeUndefined();
  });

  it("lets fields be appended, to a namespace and to a struct that a mapping holds", () => {
    const appended = fixture("Appended");
    expect(incompatibility(box.layout, appended.layout)).toBeUndefined();
    expect(isRecorded(box, appended), "but they are to be recorded").toBe(false);
  });

  it.each(["Inserted", "Swapped", "Retyped", "RetypedInside", "Removed", "Renamed"])("refuses what is %s", (name) => {
    expect(incompatibility(box.layout, fixture(name).layout)).toBeTypeOf("string");
  });
});

import { describe, expect, it } from "vitest";
import {
  currentLayouts,
  incompatibility,
  isRecorded,
  type Layout,
  recordedLayouts,
  upgradeables,
} from "../../scripts/layouts.ts";

const LINKS = ["RouterExtension", "RouterLanes", "RouterSeats"];
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
        ...LINKS,
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

  it.each(LINKS)("is the same for the router and for %s, which works in its storage", (link) => {
    const fields = (contract: string) =>
      found(current, contract).layout.namespaces?.["erc7201:neuroswarm.storage.InferenceRouter"]?.map(
        // Behind a type's name stands the number of its declaration, which differs from unit to unit.
        ({ label, slot, offset, type }) => ({ label, slot, offset, type: type.replace(/\)\d+/g, ")") }),
      );
    expect(fields("InferenceRouter")?.length).toBeGreaterThan(10);
    expect(fields(link)).toEqual(fields("InferenceRouter"));
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
      // A link is no proxy's implementation: the router calls it. A batch delegates to its own proxy.
      const here = LINKS.includes(contract) ? [...expected, "missing-public-upgradeto"] : [...expected];
      if (contract === "RouterLanes") here.push("delegatecall");
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

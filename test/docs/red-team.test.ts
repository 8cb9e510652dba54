import { expect, test } from "vitest";
import { casesIn, mistakes, table } from "../../scripts/red-team.ts";
import { solidityTests, unknownTest } from "../../scripts/tests.ts";

const tests = solidityTests();
const cases = casesIn(table());

test("every test that the table of hostile cases names exists", () => {
  expect(mistakes(cases, tests)).toEqual([]);
});

test("its rows are read, section by section", () => {
  const sections = new Set(cases.map(({ section }) => section));
  const built = ["Submit", "Selection", "Result", "Callback", "Failure", "Ledger", "Validators"];
  expect([...sections]).toEqual(expect.arrayContaining(built));
  expect(cases.length).toBeGreaterThan(100);
  for (const section of built) expect(cases.filter((one) => one.section === section).length).toBeGreaterThan(5);
});

test("a name that is none is told, of Solidity and of vitest", () => {
  const row = (name: string): string =>
    `## Submit\n\n| case | what must happen | test |\n|---|---|---|\n| a | b | ${name} |\n`;
  const wrong = (name: string): string[] => mistakes(casesIn(row(`\`${name}\``)), tests);
  expect(wrong("SubmitTest.test_OpensAndAssigns")).toEqual([]);
  expect(wrong("SubmitTest.test_Opens")).toHaveLength(1);
  expect(wrong("NoTest.test_OpensAndAssigns")).toHaveLength(1);
  expect(wrong("WithdrawTest.test_Cancelled")).toEqual([expect.stringContaining("several test contracts")]);
  expect(wrong("test/docs/red-team.test.ts > its rows are read, section by section")).toEqual([]);
  expect(wrong("test/docs/red-team.test.ts > its rows are read")).toHaveLength(1);
  expect(wrong("test/docs/gone.test.ts > anything")).toHaveLength(1);
  expect(casesIn(row("**none yet**"))).toEqual([{ section: "Submit", name: "a", tests: [] }]);
  expect(() => casesIn(row("later"))).toThrow("neither");
  expect(unknownTest("ModelAccessCredits:WithdrawTest.test_Cancelled", tests)).toBeUndefined();
});

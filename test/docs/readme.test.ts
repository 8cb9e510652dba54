import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";
import { cost, split } from "../../keeper/chain/fees.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const readme = read("README.md");

test("the two commands come first", () => {
  const first = readme.slice(readme.indexOf("```sh"), readme.indexOf("```\n", readme.indexOf("```sh") + 5));
  expect(first).toMatch(/^```sh\nnpm start .*\nnpm test .*\n$/);
  const { scripts } = JSON.parse(read("package.json"));
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(["start", "test", "deploy"]));
});

/** Its blocks of one language, in their order. */
const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\n\`\`\``, "g"))].map((match) => match[1] ?? "");

test("the contract and the test that it shows are those that are compiled and run", () => {
  const [contract, harness, ...others] = blocks("solidity");
  expect(contract).toBe(`// src/AskOnChain.sol\n${read("contracts/examples/AskOnChain.sol").trimEnd()}`);
  expect(harness).toBe(`// test/AskOnChain.t.sol\n${read("test/package/foundry/AskOnChain.t.sol").trimEnd()}`);
  expect(others).toEqual([]);
});

test("what integrators install is made as it says", () => {
  const { scripts, version } = JSON.parse(read("package.json"));
  const install = blocks("sh").find((block) => block.includes("npm run package")) ?? "";
  expect(scripts.package).toContain("npm pack ./dist/package --pack-destination dist");
  expect(install.match(/dist\/neuroswarm-[\d.]+\.tgz/g)).toEqual(Array(2).fill(`dist/neuroswarm-${version}.tgz`));
});

test.each([
  "README.md",
  "contracts/README.md",
  "client/README.md",
  "deploy/README.md",
  "keeper/README.md",
  "keeper/routes/README.md",
])("every file that %s links to is there", (page) => {
  const links = [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((match) => match[1] ?? "");
  expect(links.filter((link) => !existsSync(join(root, dirname(page), link)))).toEqual([]);
});

test("where each NSD goes adds up as the table says", () => {
  const price = {
    base: 5n * 10n ** 18n,
    perToken: 10n ** 17n,
    multiplierBps: 10_000n,
    index: 10n ** 9n,
    burnBps: 1_000n,
    window: 60,
    pace: 20,
    ackWindow: 30,
    queueWindow: 300,
  };
  const payment = 50n * 10n ** 18n;
  const used = cost(price, 317n, false);
  const legs = split(used, price.burnBps, 1);
  const nsd = (wei: bigint): string => (Number(wei / 10n ** 14n) / 10_000).toFixed(2);
  const rows = [
    ...readme.matchAll(/^\| (validator|treasury|burned for good|back to the user's credits) \|.*\| ([0-9.]+) \|$/gm),
  ];
  expect(rows.map((row) => row[2])).toEqual([
    nsd(legs.validator),
    nsd(legs.treasury),
    nsd(legs.burned),
    nsd(payment - used),
  ]);
  expect(legs.validator + legs.treasury + legs.burned).toBe(used);
});

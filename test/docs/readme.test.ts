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

test("the contract that it shows is the one that is compiled and tested", () => {
  const shown = /```solidity\n([\s\S]*?)\n```/.exec(readme)?.[1];
  expect(shown).toBe(read("contracts/examples/AskOnChain.sol").trimEnd());
});

test.each(["README.md", "contracts/README.md", "deploy/README.md", "keeper/README.md", "keeper/routes/README.md"])(
  "every file that %s links to is there",
  (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((match) => match[1] ?? "");
    expect(links.filter((link) => !existsSync(join(root, dirname(page), link)))).toEqual([]);
  },
);

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

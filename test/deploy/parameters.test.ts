import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEther } from "viem";
import { describe, expect, test } from "vitest";
import { ARTIFACTS } from "../../deploy/addresses.ts";
import { compileContracts, compiled } from "../../deploy/artifacts.ts";
import {
  GENESIS_NSD,
  GENESIS_NST,
  loadParameters,
  networks,
  ParametersError,
  type ParametersFile,
  parseParameters,
} from "../../deploy/parameters.ts";
import { PRIVILEGES } from "../../deploy/roles.ts";

const ROOT = join(import.meta.dirname, "../..");
const local = (): ParametersFile =>
  JSON.parse(readFileSync(join(ROOT, "deploy/parameters/local.json"), "utf8")) as ParametersFile;

function problemsOf(change: (file: ParametersFile) => object): readonly string[] {
  try {
    parseParameters({ ...local(), ...change(local()) });
    return [];
  } catch (error) {
    if (error instanceof ParametersError) return error.problems;
    throw error;
  }
}

describe("the parameters of the local chain", () => {
  test("are the protocol's numbers", () => {
    const { fees, models, delays } = loadParameters("local");
    expect(fees).toEqual([
      5n * 10n ** 18n,
      10n ** 17n,
      1000n,
      10n ** 18n,
      30n,
      300n,
      3600n,
      900n,
      10n ** 13n,
      parseEther("5000"),
    ]);
    expect(models.map(({ name, multiplierBps }) => [name, multiplierBps])).toEqual([
      ["gpt-2-q4", 5_000],
      ["llama-2-7b-q4", 10_000],
      ["llama-2-13b-q4", 20_000],
      ["llama-2-70b-q4", 50_000],
      ["demo-3m", 5_000],
    ]);
    expect(delays).toEqual({ parameters: 0, upgrades: 0, admin: 0 });
  });

  test("give away exactly what genesis creates", () => {
    const { genesis } = loadParameters("local");
    const sum = (shares: readonly { amount: bigint }[]): bigint =>
      shares.reduce((total, { amount }) => total + amount, 0n);
    expect(sum(genesis.nsd)).toBe(GENESIS_NSD);
    expect(sum(genesis.nst)).toBe(GENESIS_NST);
  });
});

describe("a parameters file is refused", () => {
  test("as long as it holds what has to be filled in, all of it named", () => {
    expect(networks()).toContain("sepolia");
    let failure: ParametersError | undefined;
    try {
      loadParameters("sepolia");
    } catch (error) {
      failure = error as ParametersError;
    }
    expect(failure?.problems.map((problem) => problem.split(":")[0])).toEqual([
      "governance",
      "guardian",
      "treasury",
      "genesis.nsd.rest",
      "genesis.nst.rest",
    ]);
    expect(failure?.message).toContain("FILL IN");
  });

  test("where there is none of that name", () => {
    expect(() => loadParameters("atlantis")).toThrow(/no such file; there are parameters for: local, sepolia/);
    expect(() => loadParameters("../roles")).toThrow(/no such file/);
  });

  test.each([
    [
      "delays too short for a network with money on it",
      () => ({ development: false, governance: local().treasury }),
      /delays\.upgradesSeconds: expected at least 691200/,
    ],
    [
      "a governance on a development chain",
      (file: ParametersFile) => ({ governance: file.treasury }),
      /^governance: expected null/,
    ],
    ["the zero address", () => ({ treasury: `0x${"0".repeat(40)}` }), /^treasury: expected an address/],
    [
      "a number where a decimal belongs",
      (file: ParametersFile) => ({ fees: { ...file.fees, baseFeeNsd: 5 } }),
      /^fees\.baseFeeNsd: expected a decimal in quotes/,
    ],
    [
      "a missing fee",
      (file: ParametersFile) => ({ fees: { ...file.fees, burnBps: undefined } }),
      /^fees\.burnBps: expected a whole number, found nothing/,
    ],
    [
      "more than there is",
      (file: ParametersFile) => ({
        genesis: {
          ...file.genesis,
          nst: { rest: file.treasury, shares: [{ to: file.guardian, amount: "100000001" }] },
        },
      }),
      /^genesis\.nst\.shares: expected at most/,
    ],
    [
      "an address twice",
      (file: ParametersFile) => ({
        genesis: { ...file.genesis, nst: { rest: file.treasury, shares: [{ to: file.treasury, amount: "1" }] } },
      }),
      /^genesis\.nst: expected each address once/,
    ],
    ["no model", () => ({ models: [] }), /^models: expected at least one/],
    [
      "a model's hash that is none",
      (file: ParametersFile) => ({ models: [{ ...file.models[0], fileHash: "package.json" }] }),
      /^models\[0\]\.fileHash: expected a SHA-256/,
    ],
  ] as const)("with %s", (_what, change, problem) => {
    expect(problemsOf(change).join("\n")).toMatch(new RegExp(problem.source, "m"));
  });
});

describe("the table of roles", () => {
  test("names every function that is restricted in the sources, and no other", () => {
    const restricted = new Set<string>();
    for (const file of readdirSync(join(ROOT, "contracts"), { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".sol"),
    )) {
      const source = readFileSync(join(ROOT, "contracts", file), "utf8");
      for (const [, name = ""] of source.matchAll(/function\s+(\w+)\s*\([^)]*\)[^{;]*\brestricted\b[^{;]*\{/g))
        restricted.add(name);
    }
    restricted.delete("_authorizeUpgrade");
    restricted.add("upgradeToAndCall");
    expect(new Set(PRIVILEGES.map(({ signature }) => signature.split("(")[0]))).toEqual(restricted);
  });

  test("names functions that the contracts have", async () => {
    await compileContracts();
    for (const { contract, signature } of PRIVILEGES) {
      const artifacts =
        contract === "router" ? ["InferenceRouter", "RouterExtension", "RouterSeats"] : [ARTIFACTS[contract]];
      expect(
        artifacts.some((name) => signature in compiled(name).selectors),
        `${contract}.${signature}`,
      ).toBe(true);
    }
  });
});

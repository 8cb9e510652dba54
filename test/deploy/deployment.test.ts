import { parseEther } from "viem";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type AddressBook, codeHashesOf, missingFromChain } from "../../deploy/addresses.ts";
import { compiled } from "../../deploy/artifacts.ts";
import { CheckFailedError, checkDeployment, inspectDeployment } from "../../deploy/check.ts";
import { DeployError, deployTo } from "../../deploy/deploy.ts";
import { loadParameters } from "../../deploy/parameters.ts";
import { callAs, openChain, type TestChain } from "./support/chain.ts";

const parameters = loadParameters("local");
const STRANGER = "0x00000000000000000000000000000000000dead1";
const INITIALIZABLE = "0xf0c57e16840df040f15088dc2f81fe391c3923bec73e23a9662efc9c229c6a00";
const IMPLEMENTATION = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc";

let chain: TestChain;
let book: AddressBook;
let untouched: `0x${string}`;

beforeAll(async () => {
  chain = await openChain();
  book = await deployTo({ rpcUrl: chain.rpcUrl, parameters });
});
afterAll(() => chain.close());
beforeEach(async () => {
  untouched = await chain.client.snapshot();
});
afterEach(() => chain.client.revert({ id: untouched }));

describe("a deployment to a fresh chain", () => {
  test("is as the parameters and the tables say, in every fact", async () => {
    const { findings, compared } = await inspectDeployment(chain.rpcUrl, book, parameters);
    expect(findings).toEqual([]);
    expect(compared).toBeGreaterThan(150);
  });

  test("is found again by its address book", async () => {
    expect(await missingFromChain(chain.client as never, book)).toEqual([]);
    const hashes = await codeHashesOf(chain.client as never, [book.contracts.router]);
    expect(hashes[book.contracts.router]).toBe(book.codeHashes[book.contracts.router]);
  });

  test("hands out the whole genesis supply and keeps nothing back", async () => {
    for (const name of ["nsd", "nst"] as const) {
      for (const { to, amount } of parameters.genesis[name]) {
        const balance = await chain.client.readContract({
          address: book.contracts[name],
          abi: compiled("NSD").abi,
          functionName: "balanceOf",
          args: [to],
        });
        expect(balance).toBe(amount);
      }
    }
  });

  test("is refused where the chain is another than the parameters'", async () => {
    await expect(deployTo({ rpcUrl: chain.rpcUrl, parameters: { ...parameters, chainId: 1 } })).rejects.toThrow(
      DeployError,
    );
  });

  test("is told from the same deployment on another chain", async () => {
    const other = await openChain();
    try {
      expect(await missingFromChain(other.client as never, book)).toEqual(["the chain began with another block"]);
    } finally {
      await other.close();
    }
  });
});

/** What somebody did to the chain, and the finding that has to name it. */
const CHANGES: readonly (readonly [string, RegExp, () => Promise<unknown>])[] = [
  [
    "somebody got a role",
    /0x0+dead1 in role parameters, which the table does not give it/i,
    () => callAs(chain, book, "accessManager", "grantRole", [1n, STRANGER, 0]),
  ],
  [
    "an administrator was added",
    /0x0+dead1 in role admin/i,
    () => callAs(chain, book, "accessManager", "grantRole", [0n, STRANGER, 0]),
  ],
  [
    "a member lost its role",
    /as guardian/,
    () => callAs(chain, book, "accessManager", "revokeRole", [3n, parameters.guardian]),
  ],
  [
    "a delay was changed",
    /as upgrades/,
    () => callAs(chain, book, "accessManager", "grantRole", [2n, book.deployer, 3600]),
  ],
  [
    "a function went to another role",
    /role for router 0x/,
    () => callAs(chain, book, "accessManager", "setTargetFunctionRole", [book.contracts.router, ["0x4f1ef286"], 3n]),
  ],
  [
    "a function outside of the table got a role",
    /in no table/,
    () => callAs(chain, book, "accessManager", "setTargetFunctionRole", [book.contracts.credits, ["0x12345678"], 3n]),
  ],
  [
    "the guardian of a role was changed",
    /guardian of role upgrades/,
    () => callAs(chain, book, "accessManager", "setRoleGuardian", [2n, 1n]),
  ],
  [
    "a contract was closed",
    /credits, closed/,
    () => callAs(chain, book, "accessManager", "setTargetClosed", [book.contracts.credits, true]),
  ],
  [
    "a parameter was moved",
    /fees\.get\(0\), baseFeeNsd/,
    () => callAs(chain, book, "fees", "set", [0, parseEther("6")]),
  ],
  ["the treasury was moved", /credits\.treasury/, () => callAs(chain, book, "credits", "setTreasury", [STRANGER])],
  [
    "a model was changed",
    /models\.models\(\)\[0\]/,
    () => callAs(chain, book, "models", "setModel", [{ ...parameters.models[0], multiplierBps: 1 }]),
  ],
  [
    "a proxy runs other code",
    /proxy of reward, implementation/,
    () => callAs(chain, book, "reward", "upgradeToAndCall", [book.implementations.choirRewards, "0x"]),
  ],
  [
    "an implementation can be initialised",
    /implementation of credits, initialised: expected 18446744073709551615, found 0/,
    () =>
      chain.client.setStorageAt({
        address: book.implementations.credits,
        index: INITIALIZABLE,
        value: `0x${"0".repeat(64)}`,
      }),
  ],
  [
    "a token is other code",
    /nsd, code at .* expected as compiled, found other code/,
    () => chain.client.setCode({ address: book.contracts.nsd, bytecode: "0x6001600101" }),
  ],
  [
    "a contract is gone",
    /router, code at .*found none/,
    () => chain.client.setCode({ address: book.implementations.router, bytecode: "0x" }),
  ],
  [
    "a proxy points to nothing that was deployed",
    /proxy of fees, implementation/,
    () =>
      chain.client.setStorageAt({
        address: book.contracts.fees,
        index: IMPLEMENTATION,
        value: `0x${"0".repeat(24)}${STRANGER.slice(2)}`,
      }),
  ],
];

describe("the check fails loudly where", () => {
  test.each(CHANGES)("%s", async (_what, finding, change) => {
    await change();
    const failure = await checkDeployment(chain.rpcUrl, book, parameters).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(CheckFailedError);
    expect((failure as Error).message).toMatch(finding);
  });

  test("the parameters file says something else than was deployed", async () => {
    const other = {
      ...parameters,
      windowBlocks: 7,
      genesis: { ...parameters.genesis, nst: [{ to: parameters.treasury, amount: 1n }] },
    };
    const { findings } = await inspectDeployment(chain.rpcUrl, book, other);
    expect(findings.map(({ what }) => what)).toEqual([
      "routerExtension.WINDOW_BLOCKS()",
      "routerSeats.WINDOW_BLOCKS()",
      "router.WINDOW_BLOCKS()",
      `nst of genesis for ${parameters.treasury}`,
    ]);
  });
});

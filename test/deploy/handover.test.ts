import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPublicClient, encodeFunctionData, http, parseEther } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AddressBook } from "../../deploy/addresses.ts";
import { compiled } from "../../deploy/artifacts.ts";
import { inspectDeployment } from "../../deploy/check.ts";
import { deployTo, developmentDeployer } from "../../deploy/deploy.ts";
import { loadParameters, type Parameters } from "../../deploy/parameters.ts";
import { DEVELOPMENT_MNEMONIC } from "../../keeper/cli/local-chain/local.ts";
import { callAs, openChain, type TestChain } from "./support/chain.ts";

const DAY = 86_400;
const GOVERNANCE = mnemonicToAccount(DEVELOPMENT_MNEMONIC, { addressIndex: 7 }).address;
const deployer = developmentDeployer();
const local = loadParameters("local");

/** A network with money on it, but for its chain, which is one that tests can have. */
const parameters: Parameters = {
  ...local,
  development: false,
  governance: GOVERNANCE,
  delays: { parameters: 2 * DAY, upgrades: 8 * DAY, admin: 8 * DAY },
};

let chain: TestChain;
let book: AddressBook;
let journal: string;

beforeAll(async () => {
  journal = join(mkdtempSync(join(tmpdir(), "neuroswarm-journal-")), "chain-31337");
  chain = await openChain();
  book = await deployTo({ rpcUrl: chain.rpcUrl, parameters, account: deployer, journal });
});
afterAll(async () => {
  await chain.close();
  rmSync(join(journal, ".."), { recursive: true, force: true });
});

const manager = (functionName: string, args: readonly unknown[]) =>
  chain.client.readContract({
    address: book.contracts.accessManager,
    abi: compiled("AccessManager").abi,
    functionName,
    args,
  });

describe("a deployment that is handed over", () => {
  test("is as the tables say", async () => {
    expect((await inspectDeployment(chain.rpcUrl, book, parameters)).findings).toEqual([]);
  });

  test("leaves the deployer without any right", async () => {
    for (const role of [0n, 1n, 2n]) expect(await manager("hasRole", [role, deployer.address])).toEqual([false, 0]);
    await expect(callAs(chain, book, "fees", "set", [0, parseEther("6")])).rejects.toThrow(/AccessManagedUnauthorized/);
    await expect(
      callAs(chain, book, "credits", "upgradeToAndCall", [book.implementations.credits, "0x"]),
    ).rejects.toThrow(/AccessManagedUnauthorized/);
  });

  test("lets governance move a parameter after two days, an upgrade after eight, and neither before", async () => {
    const { client } = chain;
    const abi = compiled("FeeController").abi;
    const price = encodeFunctionData({ abi, functionName: "set", args: [0, parseEther("6")] });
    const upgrade = encodeFunctionData({
      abi,
      functionName: "upgradeToAndCall",
      args: [book.implementations.fees, "0x"],
    });
    await client.impersonateAccount({ address: GOVERNANCE });
    const send = async (to: `0x${string}`, data: `0x${string}`): Promise<string> => {
      const hash = await client.request({
        method: "eth_sendTransaction",
        params: [{ from: GOVERNANCE, to, data, gas: "0xf4240" }],
      } as never);
      return (await client.waitForTransactionReceipt({ hash })).status;
    };
    const schedule = (data: `0x${string}`) =>
      send(
        book.contracts.accessManager,
        encodeFunctionData({
          abi: compiled("AccessManager").abi,
          functionName: "schedule",
          args: [book.contracts.fees, data, 0],
        }),
      );

    expect(await send(book.contracts.fees, price)).toBe("reverted");
    expect(await schedule(price)).toBe("success");
    expect(await schedule(upgrade)).toBe("success");
    await client.increaseTime({ seconds: 2 * DAY - 60 });
    expect(await send(book.contracts.fees, price)).toBe("reverted");
    await client.increaseTime({ seconds: 120 });
    expect(await send(book.contracts.fees, price)).toBe("success");
    expect(await send(book.contracts.fees, upgrade)).toBe("reverted");
    await client.increaseTime({ seconds: 6 * DAY });
    expect(await send(book.contracts.fees, upgrade)).toBe("success");
  });

  test("goes on from its journal and sends nothing twice", async () => {
    expect(existsSync(join(journal, "journal.jsonl"))).toBe(true);
    const before = await createPublicClient({ transport: http(chain.rpcUrl) }).getTransactionCount({
      address: deployer.address,
    });
    const again = await deployTo({ rpcUrl: chain.rpcUrl, parameters, account: deployer, journal });
    const after = await createPublicClient({ transport: http(chain.rpcUrl) }).getTransactionCount({
      address: deployer.address,
    });
    expect(again.contracts).toEqual(book.contracts);
    expect(after).toBe(before);
  });
});

/** The contracts' pure functions, callable in batches: compiled here, and asked on a chain of their own. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Abi, createTestClient, type Hex, http, publicActions, walletActions } from "viem";
import { foundry } from "viem/chains";
import { compile, remappings, root, withImports } from "../../../scripts/compile.ts";

const SOURCE = "test/models/support/Harness.sol";
/** Rows a call: 10,000 of the widest stay well below what a call may carry. */
const BATCH = 2_500;

interface Output {
  contracts: Record<string, Record<string, { abi: Abi; evm: { bytecode: { object: string } } }>>;
}

export interface Harness {
  /** What a function answers to each row. */
  ask(name: string, rows: readonly (readonly bigint[])[]): Promise<readonly (readonly bigint[])[]>;
  choose(...args: readonly unknown[]): Promise<readonly (readonly bigint[])[]>;
  stop(): void;
}

async function startAnvil(): Promise<{ child: ChildProcess; url: string }> {
  const args = ["--port", "0", "--timestamp", "1800000000", "--gas-limit", "10000000000", "--no-request-size-limit"];
  // The launcher starts the binary in a process of its own: both end with their group.
  const child = spawn(join(root, "node_modules/.bin/anvil"), args, {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`anvil ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const port = /Listening on .*:(\d+)/.exec(line)?.[1];
      if (port) resolve(`http://127.0.0.1:${port}`);
    });
  });
  child.removeAllListeners("exit");
  return { child, url };
}

export async function startHarness(): Promise<Harness> {
  const settings = {
    remappings,
    evmVersion: "prague",
    optimizer: { enabled: true, runs: 200 },
    outputSelection: { [SOURCE]: { Harness: ["abi", "evm.bytecode.object"] } },
  };
  const output = compile<Output>({ language: "Solidity", sources: withImports([SOURCE]), settings });
  const built = output.contracts[SOURCE]?.["Harness"];
  if (!built) throw new Error("the harness was not compiled");
  const { child, url } = await startAnvil();
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // It is gone already.
    }
  };
  process.once("exit", end);
  const client = createTestClient({
    chain: foundry,
    mode: "anvil",
    transport: http(url, { timeout: 120_000 }),
    cacheTime: 0,
    pollingInterval: 25,
  })
    .extend(publicActions)
    .extend(walletActions);
  const [account] = await client.getAddresses();
  if (!account) throw new Error("anvil has no account");
  const bytecode: Hex = `0x${built.evm.bytecode.object}`;
  const hash = await client.deployContract({ abi: built.abi, bytecode, account });
  const { contractAddress } = await client.waitForTransactionReceipt({ hash });
  if (!contractAddress) throw new Error("the harness was not deployed");
  const call = async (functionName: string, args: readonly unknown[]) =>
    (await client.readContract({
      address: contractAddress,
      abi: built.abi,
      functionName,
      args,
      gas: 10_000_000_000n,
    } as Parameters<typeof client.readContract>[0])) as readonly (readonly bigint[])[];
  return {
    stop: end,
    choose: (...args) => call("choose", args),
    ask: async (name, rows) => {
      const answers: (readonly bigint[])[] = [];
      for (let from = 0; from < rows.length; from += BATCH) {
        answers.push(...(await call(name, [rows.slice(from, from + BATCH)])));
      }
      return answers;
    },
  };
}

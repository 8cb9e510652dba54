/** A real chain with the real contracts on it, and keepers that work there. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import {
  type Abi,
  type Address,
  createTestClient,
  createWalletClient,
  defineChain,
  erc20Abi,
  type Hex,
  http,
  type LocalAccount,
  parseEther,
  publicActions,
  type TransactionReceipt,
} from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { type AddressBook, localBookPath, writeAddressBook } from "../../../deploy/addresses.ts";
import { deployTo } from "../../../deploy/deploy.ts";
import { type ParametersFile, parseParameters } from "../../../deploy/parameters.ts";
import { creditsAbi, routerAbi, validatorsAbi } from "../../../keeper/chain/contracts.ts";
import { UPTIME_SLOT } from "../../../keeper/services/life.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const MNEMONIC = "test test test test test test test test test test test junk";
/** The model that the tests' keepers serve: a GGUF of a few kilobytes goes by its name. */
export const MODEL = "llama-2-7b-q4";
export const OPERATOR_INDEX = 9;

export const account = (index: number): LocalAccount => mnemonicToAccount(MNEMONIC, { addressIndex: index });
export const privateKey = (index: number): Hex => {
  const key = mnemonicToAccount(MNEMONIC, { addressIndex: index }).getHdKey().privateKey;
  return `0x${Buffer.from(key ?? new Uint8Array()).toString("hex")}`;
};

const local = (rpcUrl: string) =>
  defineChain({
    id: 31_337,
    name: "local",
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  });

const clientOf = (rpcUrl: string) =>
  createTestClient({
    chain: local(rpcUrl),
    mode: "anvil",
    transport: http(rpcUrl),
    cacheTime: 0,
    pollingInterval: 25,
  }).extend(publicActions);

export interface TestChain {
  readonly rpcUrl: string;
  readonly book: AddressBook;
  readonly client: ReturnType<typeof clientOf>;
  write(
    from: LocalAccount,
    address: Address,
    abi: Abi,
    functionName: string,
    args: readonly unknown[],
  ): Promise<TransactionReceipt>;
  deploy(from: LocalAccount, abi: Abi, bytecode: Hex, args: readonly unknown[]): Promise<Address>;
  /** Credits for a user, out of its wallet. */
  deposit(user: LocalAccount, amount: bigint): Promise<void>;
  /** Puts the address book where a keeper with this data folder looks for it. */
  introduce(dataDir: string): void;
  stop(): Promise<void>;
}

/** Starts anvil on a free port, deploys, registers the operator for the tests' model, and gives five users credits. */
export async function startChain(): Promise<TestChain> {
  const { process: anvil, rpcUrl } = await startAnvil();
  try {
    const chain = await furnish(anvil, rpcUrl);
    await register(chain, OPERATOR_INDEX);
    for (let index = 0; index < 5; index++) await chain.deposit(account(index), parseEther("2000"));
    return chain;
  } catch (error) {
    end(anvil);
    throw error;
  }
}

async function furnish(anvil: ChildProcess, rpcUrl: string): Promise<TestChain> {
  const book = await deployTo({ rpcUrl, parameters: testParameters() });
  const client = clientOf(rpcUrl);
  const settled = async (hash: Hex): Promise<TransactionReceipt> => {
    const receipt = await client.waitForTransactionReceipt({ hash });
    if (receipt.status !== "success") throw new Error(`${hash} was reverted`);
    return receipt;
  };
  const wallet = (from: LocalAccount) =>
    createWalletClient({ account: from, chain: local(rpcUrl), transport: http(rpcUrl) });
  const write: TestChain["write"] = async (from, address, abi, functionName, args) => {
    try {
      // What a transaction costs can hang on the block that it lands in: an estimate of the block before is not enough.
      return await settled(await wallet(from).writeContract({ address, abi, functionName, args, gas: 5_000_000n }));
    } catch (error) {
      if (!/nonce too low|replacement transaction underpriced/i.test(String(error))) throw error;
      // A keeper with the same key was faster, as with a heartbeat where a slot begins.
      return write(from, address, abi, functionName, args);
    }
  };
  return {
    rpcUrl,
    book,
    client,
    write,
    deploy: async (from, abi, bytecode, args) => {
      const { contractAddress } = await settled(await wallet(from).deployContract({ abi, bytecode, args }));
      if (!contractAddress) throw new Error("nothing was deployed");
      return contractAddress;
    },
    deposit: async (user, amount) => {
      await write(user, book.contracts.nsd, erc20Abi, "approve", [book.contracts.credits, amount]);
      await write(user, book.contracts.credits, creditsAbi, "deposit", [amount]);
    },
    introduce: (dataDir) => writeAddressBook(localBookPath(dataDir, 31_337), book),
    stop: () => stopProcess(anvil),
  };
}

function testParameters() {
  const file = JSON.parse(readFileSync(join(ROOT, "deploy/parameters/local.json"), "utf8")) as ParametersFile;
  return parseParameters({ ...file, models: file.models.map((model) => ({ ...model, fileHash: null })) });
}

export const STAKE = parseEther("50000");

export const register = (chain: TestChain, index: number): Promise<void> =>
  registerAs(chain, account(index), `http://127.0.0.1:${9_000 + index}`);

/** Whether the validator of this owner, or operator, takes new work. */
export const setOpen = ({ write, book }: TestChain, who: LocalAccount, open: boolean): Promise<TransactionReceipt> =>
  write(who, book.contracts.validators, validatorsAbi, open ? "resumeValidator" : "pauseValidator", []);

/** Until the slot ends, which is not soon, an operator needs no heartbeat: its keeper, started after this, sends none. */
export async function showLife(chain: TestChain, index: number): Promise<void> {
  const { client, book } = chain;
  await client.mine({ blocks: 1 });
  const left = UPTIME_SLOT - (Number((await client.getBlock()).timestamp) % UPTIME_SLOT);
  if (left < 300) await client.increaseTime({ seconds: left });
  await chain.write(account(index), book.contracts.router, routerAbi, "heartbeat", []);
}

export async function registerAs(chain: TestChain, owner: LocalAccount, endpoint: string): Promise<void> {
  const { contracts } = chain.book;
  await chain.write(owner, contracts.nst, erc20Abi, "approve", [contracts.validators, STAKE]);
  const terms = [STAKE, [MODEL], endpoint];
  await chain.write(owner, contracts.validators, validatorsAbi, "registerValidator", terms);
}

async function startAnvil(): Promise<{ process: ChildProcess; rpcUrl: string }> {
  const binary = join(ROOT, "node_modules/.bin/anvil");
  const child = spawn(binary, ["--port", "0", "--chain-id", "31337", "--mnemonic", MNEMONIC], {
    // The launcher starts the binary in a process of its own: both end with their group.
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.once("exit", () => end(child));
  const lines = createInterface({ input: child.stdout });
  const port = await new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`anvil ended with ${code}`)));
    lines.on("line", (line) => {
      const match = /Listening on .*:(\d+)/.exec(line);
      if (match?.[1]) resolve(match[1]);
    });
  });
  child.removeAllListeners("exit");
  return { process: child, rpcUrl: `http://127.0.0.1:${port}` };
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  end(child);
  await ended;
}

function end(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // It is gone already.
  }
}

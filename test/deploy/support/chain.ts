import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Abi,
  type Address,
  createPublicClient,
  createTestClient,
  createWalletClient,
  type Hex,
  http,
  publicActions,
} from "viem";
import { foundry } from "viem/chains";
import { type AddressBook, ARTIFACTS, type ContractName } from "../../../deploy/addresses.ts";
import { compiled } from "../../../deploy/artifacts.ts";
import { developmentDeployer } from "../../../deploy/deploy.ts";
import { type LocalChain, startLocalChain } from "../../../keeper/cli/local-chain/local.ts";

export function scratchFolder(): string {
  return mkdtempSync(join(tmpdir(), "neuroswarm-test-"));
}

export interface TestChain {
  readonly chain: LocalChain;
  readonly rpcUrl: string;
  readonly client: ReturnType<typeof testClient>;
  close(): Promise<void>;
}

function testClient(rpcUrl: string) {
  const options = { chain: foundry, transport: http(rpcUrl), pollingInterval: 20, cacheTime: 0 } as const;
  return createTestClient({ ...options, mode: "anvil" }).extend(publicActions);
}

export async function openChain(folder = scratchFolder()): Promise<TestChain> {
  const chain = await startLocalChain({ folder, port: 0 });
  return {
    chain,
    rpcUrl: chain.rpcUrl,
    client: testClient(chain.rpcUrl),
    close: async () => {
      await chain.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Calls a contract of the book as the deployer, who administers a development chain. */
export async function callAs(
  test: TestChain,
  book: AddressBook,
  contract: ContractName,
  functionName: string,
  args: readonly unknown[],
  abi: Abi = compiled(ARTIFACTS[contract]).abi,
): Promise<void> {
  await callAt(test, book.contracts[contract], abi, functionName, args);
}

export async function callAt(
  test: TestChain,
  address: Address,
  abi: Abi,
  functionName: string,
  args: readonly unknown[],
): Promise<void> {
  const wallet = createWalletClient({ account: developmentDeployer(), chain: foundry, transport: http(test.rpcUrl) });
  const hash: Hex = await wallet.writeContract({ address, abi, functionName, args } as never);
  const receipt = await createPublicClient({
    transport: http(test.rpcUrl),
    pollingInterval: 20,
  }).waitForTransactionReceipt({ hash });
  if (receipt.status !== "success") throw new Error(`${functionName} failed`);
}

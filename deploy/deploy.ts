import {
  type DeployConfig,
  type DeploymentParameters,
  DeploymentResultType,
  deploy,
  type ExecutionEventListener,
} from "@nomicfoundation/ignition-core";
import { type Address, createPublicClient, getAddress, http, type LocalAccount, type PublicClient } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import {
  type AddressBook,
  CONTRACTS,
  type ContractName,
  codeHashesOf,
  IMPLEMENTATIONS,
  type ImplementationName,
  VACANT,
} from "./addresses.ts";
import { artifactResolver, compileContracts, sourcesHash } from "./artifacts.ts";
import { neuroSwarm } from "./modules/NeuroSwarm.ts";
import type { Parameters } from "./parameters.ts";
import { signingProvider } from "./provider.ts";

/** The mnemonic that every local development chain uses. Its accounts are known to everybody. */
const DEVELOPMENT_MNEMONIC = "test test test test test test test test test test test junk";

export interface DeployOptions {
  readonly rpcUrl: string;
  readonly parameters: Parameters;
  /** Who deploys; on a development chain its first account when absent. */
  readonly account?: LocalAccount;
  /** Keeps the journal, so that a deployment that was interrupted goes on where it stopped. */
  readonly journal?: string;
  readonly onProgress?: (progress: DeployProgress) => void;
}

export interface DeployProgress {
  /** Transactions confirmed. */
  readonly done: number;
  /** What was confirmed last. */
  readonly step: string;
}

export class DeployError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DeployError";
  }
}

/** Compiles what has to be, deploys everything, and tells where it is. */
export async function deployTo(options: DeployOptions): Promise<AddressBook> {
  const { rpcUrl, parameters } = options;
  const client = createPublicClient({ transport: http(rpcUrl) });
  const chainId = await client.getChainId();
  if (chainId !== parameters.chainId) {
    throw new DeployError(`The parameters are for chain ${parameters.chainId}, and ${rpcUrl} is chain ${chainId}.`);
  }
  if (options.account === undefined && !parameters.development) {
    throw new DeployError("A network with money on it needs an account that deploys.");
  }
  const account = options.account ?? developmentDeployer();
  await compileContracts();
  const block = Number(await client.getBlockNumber());
  const automine = (await client.request({ method: "hardhat_getAutomine" } as never).catch(() => false)) === true;
  const ignitionModule = neuroSwarm(parameters, account.address);

  const result = await deploy({
    config: automine ? AUTOMINE : {},
    artifactResolver: artifactResolver(),
    provider: signingProvider(rpcUrl, account),
    ...(options.journal === undefined ? {} : { deploymentDir: options.journal }),
    ...(options.onProgress === undefined ? {} : { executionEventListener: progressListener(options.onProgress) }),
    ignitionModule,
    deploymentParameters: ignitionParameters(parameters),
    accounts: [account.address],
    defaultSender: account.address,
  });
  if (result.type !== DeploymentResultType.SUCCESSFUL_DEPLOYMENT) throw new DeployError(explain(result));
  const addressOf = (key: string): Address => {
    const future = (ignitionModule.results as Readonly<Record<string, { readonly id: string }>>)[key];
    const address = future && result.contracts[future.id]?.address;
    if (address === undefined) throw new DeployError(`Ignition did not say where ${key} is.`);
    return getAddress(address);
  };
  return bookOf(client, parameters, account.address, block, addressOf);
}

/** Blocks come with transactions here, so there is nothing to wait for. */
const AUTOMINE: Partial<DeployConfig> = {
  blockPollingInterval: 10,
  retryInterval: 10,
  requiredConfirmations: 1,
  disableFeeBumping: true,
};

/** The first account that every local chain knows. */
export function developmentDeployer(): LocalAccount {
  return mnemonicToAccount(DEVELOPMENT_MNEMONIC);
}

function ignitionParameters(parameters: Parameters): DeploymentParameters {
  return {
    Protocol: {
      windowBlocks: parameters.windowBlocks,
      allowHttp: parameters.development,
      fees: [...parameters.fees],
      models: parameters.models.map((model) => ({ ...model })),
      treasury: parameters.treasury,
    },
  };
}

async function bookOf(
  client: PublicClient,
  parameters: Parameters,
  deployer: Address,
  block: number,
  addressOf: (key: string) => Address,
): Promise<AddressBook> {
  const contracts = Object.fromEntries(CONTRACTS.map((name) => [name, addressOf(name)])) as Record<
    ContractName,
    Address
  >;
  const implementations = Object.fromEntries(
    IMPLEMENTATIONS.map((name) => [
      name,
      addressOf((VACANT as readonly string[]).includes(name) ? "vacant" : `${name}Code`),
    ]),
  ) as Record<ImplementationName, Address>;
  const addresses = [...new Set([...Object.values(contracts), ...Object.values(implementations)])];
  const first = await client.getBlock({ blockNumber: 0n });
  return {
    version: 1,
    network: parameters.network,
    chainId: parameters.chainId,
    genesis: first.hash,
    block,
    deployer,
    contracts,
    implementations,
    codeHashes: await codeHashesOf(client, addresses),
    sources: sourcesHash(),
  };
}

/** Ignition says what is done in two dozen events; two of them mean a transaction that counts. */
function progressListener(report: (progress: DeployProgress) => void): ExecutionEventListener {
  let done = 0;
  const count = (event: { futureId: string }): void => {
    done += 1;
    report({ done, step: event.futureId });
  };
  return new Proxy({} as ExecutionEventListener, {
    get: (_target, name) => {
      if (name === "then") return undefined;
      return name === "deploymentExecutionStateComplete" || name === "callExecutionStateComplete"
        ? count
        : () => undefined;
    },
  });
}

function explain(
  result: Exclude<Awaited<ReturnType<typeof deploy>>, { type: DeploymentResultType.SUCCESSFUL_DEPLOYMENT }>,
): string {
  const lines: string[] = [];
  if ("errors" in result)
    for (const [future, errors] of Object.entries(result.errors)) lines.push(`${future}: ${errors.join("; ")}`);
  if ("failed" in result) for (const { futureId, error } of result.failed) lines.push(`${futureId}: ${error}`);
  if ("timedOut" in result)
    for (const { futureId } of result.timedOut)
      lines.push(`${futureId}: not mined in time; run the same command again to go on`);
  if ("held" in result) for (const { futureId, reason } of result.held) lines.push(`${futureId}: ${reason}`);
  return `The deployment did not succeed (${result.type}).\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

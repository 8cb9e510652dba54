import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";
import { createPublicClient, formatEther, type Hex, http, isHex, type LocalAccount, type PublicClient } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { decryptKeystore } from "../keeper/chain/keystore.ts";
import { bold, CliError, dim, green, say } from "../keeper/cli/console.ts";
import { readSettings, type Settings } from "../keeper/config.ts";
import {
  type AddressBook,
  CONTRACTS,
  localBookPath,
  networkBookPath,
  readAddressBook,
  writeAddressBook,
} from "./addresses.ts";
import { compileContracts } from "./artifacts.ts";
import { checkDeployment } from "./check.ts";
import { deployTo, developmentDeployer } from "./deploy.ts";
import { loadParameters, type Parameters } from "./parameters.ts";

export interface RunOptions {
  readonly network: string;
  readonly rpc?: string;
  readonly keystore?: string;
  readonly check?: boolean;
  readonly yes?: boolean;
}

/** Gas that a whole deployment takes, measured with deploy/parameters/local.json and rounded up. */
const ROUGH_GAS = 41_000_000n;

/** Deploys to a network, or reads back what was deployed there. */
export async function runDeployment(options: RunOptions): Promise<void> {
  const parameters = loadParameters(options.network);
  const settings = readSettings({
    ...(options.rpc === undefined ? {} : { RPC_URL: options.rpc }),
    ...(options.keystore === undefined ? {} : { KEYSTORE: options.keystore }),
  });
  const [rpcUrl] = settings.rpcUrls;
  if (rpcUrl === undefined)
    throw new CliError(`Where is ${options.network}?`, "Give its endpoint with --rpc, or set RPC_URL.");
  const client = createPublicClient({ transport: http(rpcUrl, { timeout: 20_000 }) });
  await sameChain(client, rpcUrl, parameters);
  const path = parameters.development
    ? localBookPath(settings.dataDir, parameters.chainId)
    : networkBookPath(options.network);
  if (options.check) return readBack(rpcUrl, path, parameters);
  if (readAddressBook(path) !== undefined) {
    throw new CliError(
      `${path} says that ${options.network} is deployed already.`,
      "Read it back with --check; move the file away to deploy anew.",
    );
  }
  const account = await deployer(settings, parameters);
  await announce(client, rpcUrl, parameters, account);
  if (!options.yes) await confirm(options.network);

  say(dim("compiling"));
  await compileContracts();
  const book = await deploy(client, rpcUrl, parameters, account);
  writeAddressBook(path, book);
  for (const name of CONTRACTS) say(`  ${name.padEnd(14)} ${book.contracts[name]}`);
  say(`Written to ${path}`);
  await readBack(rpcUrl, path, parameters);
}

async function sameChain(client: PublicClient, rpcUrl: string, parameters: Parameters): Promise<void> {
  const chainId = await client.getChainId().catch((error: unknown) => {
    throw new CliError(`${rpcUrl} does not answer.`, error instanceof Error ? error.message.split("\n")[0] : undefined);
  });
  if (chainId === parameters.chainId) return;
  throw new CliError(`${rpcUrl} is chain ${chainId}, and the parameters are for chain ${parameters.chainId}.`);
}

async function readBack(rpcUrl: string, path: string, parameters: Parameters): Promise<void> {
  const book = readAddressBook(path);
  if (book === undefined)
    throw new CliError(`Nothing says that ${parameters.network} is deployed: ${path} is missing.`);
  await compileContracts();
  const compared = await checkDeployment(rpcUrl, book, parameters);
  say(`${green("As it should be:")} ${compared} facts read back from the chain.`);
}

async function deployer(settings: Settings, parameters: Parameters): Promise<LocalAccount> {
  const bare = process.env["DEPLOYER_KEY"];
  if (bare !== undefined) {
    if (!isHex(bare) || bare.length !== 66) throw new CliError("DEPLOYER_KEY: expected 0x and 64 hex digits.");
    return privateKeyToAccount(bare);
  }
  if (settings.keystoreFile !== undefined) {
    const key: Hex = await decryptKeystore(
      readFileSync(settings.keystoreFile, "utf8"),
      settings.keystorePassword?.reveal() ?? "",
    );
    return privateKeyToAccount(key);
  }
  if (parameters.development) return developmentDeployer();
  throw new CliError(
    "Which account deploys?",
    "Give its keystore with --keystore and its password with KEYSTORE_PASSWORD_FILE.",
  );
}

/** What is going to happen, and about what it costs, before anything is sent. */
async function announce(
  client: PublicClient,
  rpcUrl: string,
  parameters: Parameters,
  account: LocalAccount,
): Promise<void> {
  const [balance, gasPrice] = await Promise.all([
    client.getBalance({ address: account.address }),
    client.getGasPrice(),
  ]);
  const cost = ROUGH_GAS * gasPrice;
  const { parameters: slow, upgrades, admin } = parameters.delays;
  say(`Deploying NeuroSwarm to ${bold(parameters.network)} (chain ${parameters.chainId}, ${rpcUrl})`);
  say(`  deployer     ${account.address}, with ${formatEther(balance)} of the chain's coin`);
  say(`  cost         about ${formatEther(cost)} at today's gas price`);
  say(`  governance   ${parameters.governance ?? `${account.address}, the deployer (development)`}`);
  say(`  guardian     ${parameters.guardian}`);
  say(`  treasury     ${parameters.treasury}`);
  say(`  delays       parameters ${slow} s, upgrades ${upgrades} s, rights ${admin} s`);
  say(`  models       ${parameters.models.map(({ name }) => name).join(", ")}`);
  for (const name of ["nsd", "nst"] as const) {
    for (const { to, amount } of parameters.genesis[name]) say(`  ${name.padEnd(12)} ${formatEther(amount)} to ${to}`);
  }
  if (balance < cost)
    throw new CliError("The deployer's balance does not cover that.", `Send ${account.address} what is missing.`);
}

async function confirm(network: string): Promise<void> {
  if (process.stdin.isTTY !== true)
    throw new CliError("Nobody is there to confirm it.", "Confirm it beforehand with --yes.");
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await lines.question(`Type the network's name (${network}) to go on: `).finally(() => lines.close());
  if (answer.trim() !== network) throw new CliError("Nothing was sent.");
}

async function deploy(
  client: PublicClient,
  rpcUrl: string,
  parameters: Parameters,
  account: LocalAccount,
): Promise<AddressBook> {
  const report = ({ done, step }: { done: number; step: string }): void => say(`  ${String(done).padStart(3)} ${step}`);
  if (parameters.development) return deployTo({ rpcUrl, parameters, account, onProgress: report });
  const journal = fileURLToPath(new URL(`./deployments/chain-${parameters.chainId}`, import.meta.url));
  const first = await firstBlock(client, journal);
  const book = await deployTo({ rpcUrl, parameters, account, journal, onProgress: report });
  return { ...book, block: first };
}

/** A deployment that goes on after an interruption began at the block of the first attempt. */
async function firstBlock(client: PublicClient, journal: string): Promise<number> {
  const path = join(journal, "first-block");
  if (existsSync(path)) return Number(readFileSync(path, "utf8"));
  const block = Number(await client.getBlockNumber());
  mkdirSync(journal, { recursive: true });
  writeFileSync(path, `${block}\n`);
  return block;
}

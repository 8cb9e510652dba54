import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Address, type Hash, type Hex, isAddress, isHash, keccak256, type PublicClient } from "viem";

/** The contracts behind a proxy. Their addresses stay when their code changes. */
export const PROXIES = [
  "router",
  "credits",
  "validators",
  "models",
  "reward",
  "fees",
  "choirRewards",
  "court",
] as const;
/** The contracts that are what they are for ever. */
export const FIXED = ["accessManager", "nsd", "nst", "lcai", "choir", "locator"] as const;

export type ProxyName = (typeof PROXIES)[number];
/** The proxies that wait for a contract that is still to be written. */
export const VACANT: readonly ProxyName[] = ["choirRewards", "court"];
/** The links behind the router's own implementation, each reached through the fallback of the one before. */
export const LINKS = ["routerExtension", "routerLanes", "routerSeats"] as const;
export type LinkName = (typeof LINKS)[number];
/** Code that proxies run: an implementation each, the links of the router, and what every validator's vault is a clone of. */
export const IMPLEMENTATIONS = [...PROXIES, ...LINKS, "stakeVault"] as const;
export type ImplementationName = (typeof IMPLEMENTATIONS)[number];
export type ContractName = ProxyName | (typeof FIXED)[number];
export const CONTRACTS: readonly ContractName[] = [...PROXIES, ...FIXED];

/** Name of each contract's artifact. */
export const ARTIFACTS: Readonly<Record<ContractName | ImplementationName, string>> = {
  router: "InferenceRouter",
  credits: "ModelAccessCredits",
  validators: "ValidatorRegistry",
  models: "ModelRegistry",
  reward: "ModelReward",
  fees: "FeeController",
  choirRewards: "Vacant",
  court: "Vacant",
  routerExtension: "RouterExtension",
  routerLanes: "RouterLanes",
  routerSeats: "RouterSeats",
  accessManager: "AccessManager",
  nsd: "NSD",
  nst: "NST",
  lcai: "ModelToken",
  choir: "ChoirToken",
  locator: "Locator",
  stakeVault: "StakeVault",
};

/** Where a deployment lives: what the keeper, the page and the tests need to know of it. */
export interface AddressBook {
  readonly version: 1;
  /** Name of the parameters file that it was made with. */
  readonly network: string;
  readonly chainId: number;
  /** Hash of the chain's first block: two local chains share everything else. */
  readonly genesis: Hash;
  /** The block before the first one that holds something of it: who follows the chain begins here. */
  readonly block: number;
  readonly deployer: Address;
  readonly contracts: Readonly<Record<ContractName, Address>>;
  readonly implementations: Readonly<Record<ImplementationName, Address>>;
  /** keccak256 of the code found at each address above, implementations included. */
  readonly codeHashes: Readonly<Record<Address, Hex>>;
  /** What the contracts were compiled from, as `sourcesHash` of deploy/artifacts.ts tells it. */
  readonly sources: string;
}

const REPOSITORY = fileURLToPath(new URL("..", import.meta.url));

/** The book of a chain that belongs to a data folder. */
export function localBookPath(dataDir: string, chainId: number): string {
  return join(dataDir, "deployments", `${chainId}.json`);
}

/** The book of a public network, which the repository keeps. */
export function networkBookPath(network: string): string {
  return join(REPOSITORY, "deployments", `${network}.json`);
}

export class AddressBookError extends Error {
  constructor(path: string, problem: string) {
    super(`${path} is not an address book: ${problem}`);
    this.name = "AddressBookError";
  }
}

/** Reads a book; undefined where there is none. */
export function readAddressBook(path: string): AddressBook | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new AddressBookError(path, "it holds no JSON");
  }
  const problem = problemOf(value as Partial<AddressBook> | null);
  if (problem !== undefined) throw new AddressBookError(path, problem);
  return value as AddressBook;
}

function problemOf(book: Partial<AddressBook> | null): string | undefined {
  if (typeof book !== "object" || book === null) return "it holds no object";
  if (book.version !== 1) return `version ${String(book.version)} is unknown`;
  if (!Number.isInteger(book.chainId)) return "chainId is missing";
  if (!Number.isInteger(book.block)) return "block is missing";
  if (!book.genesis || !isHash(book.genesis)) return "genesis is missing";
  for (const name of CONTRACTS) {
    if (!isAddress(book.contracts?.[name] ?? "")) return `contracts.${name} is not an address`;
  }
  for (const name of IMPLEMENTATIONS) {
    if (!isAddress(book.implementations?.[name] ?? "")) return `implementations.${name} is not an address`;
  }
  return typeof book.codeHashes === "object" ? undefined : "codeHashes are missing";
}

/** Writes a book whole or not at all. */
export function writeAddressBook(path: string, book: AddressBook): void {
  mkdirSync(dirname(path), { recursive: true });
  const scratch = `${path}.${process.pid}.tmp`;
  writeFileSync(scratch, `${JSON.stringify(book, null, 2)}\n`);
  renameSync(scratch, path);
}

/** keccak256 of the code at each address; of nothing, where there is none. */
export async function codeHashesOf(client: PublicClient, addresses: readonly Address[]): Promise<Record<Address, Hex>> {
  const entries = await Promise.all(
    addresses.map(async (address) => [address, keccak256((await client.getCode({ address })) ?? "0x")] as const),
  );
  return Object.fromEntries(entries);
}

/** What of a book the chain does not confirm: empty where the deployment is there, byte for byte. */
export async function missingFromChain(client: PublicClient, book: AddressBook): Promise<string[]> {
  const [chainId, first] = await Promise.all([client.getChainId(), client.getBlock({ blockNumber: 0n })]);
  if (chainId !== book.chainId) return [`the chain is ${chainId}, and the book is of ${book.chainId}`];
  if (first.hash !== book.genesis) return ["the chain began with another block"];
  const names = new Map<Address, string>(CONTRACTS.map((name) => [book.contracts[name], name]));
  const found = await codeHashesOf(client, Object.keys(book.codeHashes) as Address[]);
  return Object.entries(book.codeHashes)
    .filter(([address, hash]) => found[address as Address] !== hash)
    .map(([address]) => `${names.get(address as Address) ?? "an implementation"} at ${address} has other code`);
}

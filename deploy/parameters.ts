import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Address, type Hex, parseEther, zeroHash } from "viem";
import { Reader } from "./reader.ts";

/** The parameters file of a network, as deploy/parameters/<network>.json holds it. Amounts are decimals of whole tokens. */
export interface ParametersFile {
  readonly network: string;
  readonly chainId: number;
  /** A chain whose accounts everybody knows: no delays, http endpoints, the deployer stays administrator. */
  readonly development: boolean;
  /** Becomes the administrator; null on a development chain, where the deployer stays it. */
  readonly governance: string | null;
  readonly guardian: string;
  readonly treasury: string;
  readonly delays: {
    readonly parametersSeconds: number;
    readonly upgradesSeconds: number;
    readonly adminSeconds: number;
  };
  /** Blocks that must follow an assignment before a failure can be claimed. */
  readonly windowBlocks: number;
  readonly fees: Readonly<Record<FeeField, string | number>>;
  readonly models: readonly ModelEntry[];
  readonly genesis: { readonly nsd: GenesisEntry; readonly nst: GenesisEntry };
}

export interface ModelEntry {
  readonly name: string;
  /** 0x and 64 hex digits, or a file of SHA-256 sums beside the model, or null while nobody has pinned one. */
  readonly fileHash: string | null;
  readonly multiplierBps: number;
  readonly maxTokens: number;
  readonly maxInputTokens: number;
  readonly windowSeconds: number;
  readonly tokensPerSecond: number;
  readonly active: boolean;
}

interface GenesisEntry {
  /** Receives what `shares` leave. */
  readonly rest: string;
  readonly shares: readonly { readonly to: string; readonly amount: string }[];
}

/** In the order of the contract's `Parameter`. */
const FEE_FIELDS = {
  baseFeeNsd: "decimal",
  costPerTokenNsd: "decimal",
  burnBps: "whole",
  priceIndex: "decimal",
  ackWindowSeconds: "whole",
  queueWindowSeconds: "whole",
  challengeWindowSeconds: "whole",
  withdrawDelaySeconds: "whole",
  callbackGasPriceNsd: "decimal",
  minimumStakeNst: "decimal",
  commitFromNsd: "decimal",
} as const;
type FeeField = keyof typeof FEE_FIELDS;
export const FEE_NAMES = Object.keys(FEE_FIELDS) as readonly FeeField[];

export const GENESIS_NSD = parseEther("1000000000");
export const GENESIS_NST = parseEther("100000000");
/** PROTOCOL, section 7: what a network with money on it may not fall below. */
const LEAST_DELAYS = { parametersSeconds: 2 * 86_400, upgradesSeconds: 8 * 86_400, adminSeconds: 8 * 86_400 } as const;

/** A model as the catalogue takes it. */
export type CatalogueModel = {
  readonly name: string;
  readonly fileHash: Hex;
  readonly multiplierBps: number;
  readonly maxTokens: number;
  readonly maxInputTokens: number;
  readonly window: number;
  readonly pace: number;
  readonly active: boolean;
};

export interface Share {
  readonly to: Address;
  readonly amount: bigint;
}

/** A parameters file, checked, in the units of the contracts. */
export interface Parameters {
  readonly network: string;
  readonly chainId: number;
  readonly development: boolean;
  readonly governance: Address | undefined;
  readonly guardian: Address;
  readonly treasury: Address;
  readonly delays: { readonly parameters: number; readonly upgrades: number; readonly admin: number };
  readonly windowBlocks: number;
  /** In the order of the contract's `Parameter`. */
  readonly fees: readonly bigint[];
  readonly models: readonly CatalogueModel[];
  /** Every share, the rest included: each list sums up to the token's genesis supply. */
  readonly genesis: { readonly nsd: readonly Share[]; readonly nst: readonly Share[] };
}

/** Everything that is wrong with a parameters file, at once. */
export class ParametersError extends Error {
  readonly problems: readonly string[];

  constructor(source: string, problems: readonly string[]) {
    super(`${source} cannot be deployed:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
    this.name = "ParametersError";
    this.problems = problems;
  }
}

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDER = fileURLToPath(new URL("./parameters", import.meta.url));

/** The networks that have a parameters file. */
export function networks(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(".json"))
    .map((name) => name.slice(0, -".json".length))
    .sort();
}

export function loadParameters(network: string): Parameters {
  const source = `deploy/parameters/${network}.json`;
  const path = join(FOLDER, `${network}.json`);
  if (!/^[\w-]+$/.test(network) || !existsSync(path)) {
    throw new ParametersError(source, [`there is no such file; there are parameters for: ${networks().join(", ")}`]);
  }
  let file: unknown;
  try {
    file = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new ParametersError(source, [`it holds no JSON (${(error as Error).message})`]);
  }
  return parseParameters(file as ParametersFile, source);
}

/** Checks a file and brings it into the units of the contracts. */
export function parseParameters(file: ParametersFile, source = "the parameters"): Parameters {
  const read = new Reader();
  const development = file.development === true;
  const seconds = (name: keyof ParametersFile["delays"]): number => {
    const value = read.whole(`delays.${name}`, file.delays?.[name]);
    const least = development ? 0 : LEAST_DELAYS[name];
    if (value < least) read.problem(`delays.${name}`, `at least ${least} outside of development`, value);
    return value;
  };
  if (file.governance !== null && development)
    read.problem("governance", "null on a development chain", file.governance);
  const parameters: Parameters = {
    network: file.network,
    chainId: read.whole("chainId", file.chainId),
    development,
    governance: development ? undefined : read.address("governance", file.governance),
    guardian: read.address("guardian", file.guardian),
    treasury: read.address("treasury", file.treasury),
    delays: {
      parameters: seconds("parametersSeconds"),
      upgrades: seconds("upgradesSeconds"),
      admin: seconds("adminSeconds"),
    },
    windowBlocks: read.whole("windowBlocks", file.windowBlocks),
    fees: Object.entries(FEE_FIELDS).map(([name, kind]) => {
      const value = file.fees?.[name as FeeField];
      return kind === "whole" ? BigInt(read.whole(`fees.${name}`, value)) : read.decimal(`fees.${name}`, value);
    }),
    models: (file.models ?? []).map((model, i) => readModel(read, model, `models[${i}]`, development)),
    genesis: {
      nsd: readGenesis(read, "genesis.nsd", file.genesis?.nsd, GENESIS_NSD),
      nst: readGenesis(read, "genesis.nst", file.genesis?.nst, GENESIS_NST),
    },
  };
  if (parameters.models.length === 0) read.problem("models", "at least one model", file.models);
  if (read.problems.length > 0) throw new ParametersError(source, read.problems);
  return parameters;
}

function readModel(read: Reader, model: ModelEntry, field: string, development: boolean): CatalogueModel {
  if (typeof model.name !== "string" || !/^[\w.:-]{1,64}$/.test(model.name)) {
    read.problem(`${field}.name`, "1 to 64 letters, digits and . : _ -", model.name);
  }
  if (typeof model.active !== "boolean") read.problem(`${field}.active`, "true or false", model.active);
  return {
    name: model.name,
    fileHash: readHash(read, `${field}.fileHash`, model, development),
    multiplierBps: read.whole(`${field}.multiplierBps`, model.multiplierBps),
    maxTokens: read.whole(`${field}.maxTokens`, model.maxTokens),
    maxInputTokens: read.whole(`${field}.maxInputTokens`, model.maxInputTokens),
    window: read.whole(`${field}.windowSeconds`, model.windowSeconds),
    pace: read.whole(`${field}.tokensPerSecond`, model.tokensPerSecond),
    active: model.active,
  };
}

/** A hash, or the file of sums that ships beside the model: then its line for the model's GGUF counts. */
function readHash(read: Reader, field: string, { name, fileHash }: ModelEntry, development: boolean): Hex {
  if (fileHash === null) return zeroHash;
  if (/^0x[0-9a-fA-F]{64}$/.test(fileHash)) return fileHash.toLowerCase() as Hex;
  const path = join(ROOT, fileHash);
  // A development chain does without: a start pins the file that it loads.
  if (development && !existsSync(path)) return zeroHash;
  const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n") : [];
  const sum = lines.map((line) => line.trim().split(/ [ *]/)).find(([, file]) => file === `${name}.gguf`)?.[0];
  if (sum !== undefined && /^[0-9a-f]{64}$/.test(sum)) return `0x${sum}`;
  read.problem(field, `a SHA-256 in hex, null, or a file of SHA-256 sums with a line for ${name}.gguf`, fileHash);
  return zeroHash;
}

function readGenesis(read: Reader, field: string, entry: GenesisEntry | undefined, supply: bigint): Share[] {
  const shares = (entry?.shares ?? []).map((share, i) => ({
    to: read.address(`${field}.shares[${i}].to`, share.to),
    amount: read.decimal(`${field}.shares[${i}].amount`, share.amount),
  }));
  const shared = shares.reduce((sum, share) => sum + share.amount, 0n);
  if (shared > supply)
    read.problem(
      `${field}.shares`,
      `at most the genesis supply of ${supply / 10n ** 18n}`,
      String(shared / 10n ** 18n),
    );
  const rest = { to: read.address(`${field}.rest`, entry?.rest), amount: supply - shared };
  const all = rest.amount > 0n ? [...shares, rest] : shares;
  const twice = all.find((share, i) => all.findIndex((other) => other.to === share.to) !== i);
  if (twice !== undefined) read.problem(field, "each address once", twice.to);
  return all;
}

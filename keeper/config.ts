/** The only reader of the environment: every setting, what it expects, and what holds when it is absent. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { inspect } from "node:util";
import Type, { type TSchema } from "typebox";
import { Value } from "typebox/value";
import { type Hex, parseEther, parseGwei } from "viem";

/** A value that no log, dump or JSON shows. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toJSON(): string {
    return "[hidden]";
  }

  [inspect.custom](): string {
    return "[hidden]";
  }
}

export interface Settings {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  /** In order of preference; empty where the keeper starts its own local chain. */
  readonly rpcUrls: readonly string[];
  /** Address book of the contracts; the data folder's `deployments/<chainId>.json` when absent. */
  readonly deploymentFile: string | undefined;
  /** Port of the keeper's own local chain, 0 for any free one. */
  readonly localChainPort: number;
  /** A path, or an http(s) URL, either with `#sha256=` behind it. */
  readonly modelFile: string | undefined;
  /** Name in the catalogue; the only one that this validator registered for, when absent. */
  readonly modelName: string | undefined;
  /** Each as the model, with `:scale` behind it where that is not 1. */
  readonly adapters: readonly string[];
  readonly sequences: number;
  readonly threads: number | undefined;
  readonly ipfsApiUrl: string | undefined;
  readonly databaseUrl: string | undefined;
  readonly operatorKey: Secret | undefined;
  readonly keystoreFile: string | undefined;
  readonly keystorePassword: Secret | undefined;
  /** NSD wei that one user may owe for direct answers that are not settled. */
  readonly maxExposure: bigint;
  /** The same for a user who has paid nothing here yet; what a default answer costs when absent. */
  readonly newExposure: bigint | undefined;
  /** NSD wei that a session's prompts may cost before they are settled, its end apart. */
  readonly sessionSettleFrom: bigint;
  /** NSD wei of cap from which on the keeper pays the gas that opens a session. */
  readonly sessionLeastCap: bigint;
  /** Wei for a unit of gas, above which no transaction ever goes. */
  readonly maxFee: bigint;
  readonly batchMs: number;
  readonly batchSize: number;
  readonly pollMs: number;
  readonly logLevel: string;
  /** Where clients reach the keeper, if not where they say they do. */
  readonly publicUrl: string | undefined;
  readonly explorerUrl: string | undefined;
  /** Proxies whose word about a client's address counts; without them all clients behind one share its limits. */
  readonly trustedProxies: readonly string[];
}

export type Overrides = Readonly<Partial<Record<SettingName, string>>>;

interface Definition {
  readonly schema: TSchema;
  readonly expected: string;
  readonly fallback?: string;
}

const URL_PATTERN = "^https?://[^\\s]+$";
const text = Type.String({ minLength: 1 });
const url = Type.String({ pattern: URL_PATTERN });
const amount = Type.String({ pattern: "^[0-9]{1,12}(\\.[0-9]{1,18})?$" });
const whole = (minimum: number, maximum: number): TSchema => Type.Integer({ minimum, maximum });

const DEFINITIONS = {
  DATA_DIR: { schema: text, expected: "a folder", fallback: resolve(import.meta.dirname, "..", ".neuroswarm") },
  HOST: { schema: text, expected: "an address to listen on", fallback: "127.0.0.1" },
  PORT: { schema: whole(0, 65_535), expected: "a port, 0 for any free one", fallback: "4173" },
  RPC_URL: {
    schema: Type.String({ pattern: "^https?://[^\\s,]+(\\s*,\\s*https?://[^\\s,]+)*$" }),
    expected: "one or more http(s) URLs, separated by commas",
  },
  DEPLOYMENT: { schema: text, expected: "the file with the contracts' addresses" },
  LOCAL_CHAIN_PORT: { schema: whole(0, 65_535), expected: "a port, 0 for any free one", fallback: "8545" },
  MODEL: { schema: text, expected: "a GGUF file, or its http(s) URL" },
  MODEL_NAME: { schema: text, expected: "a model's name in the catalogue" },
  LORA: { schema: text, expected: "adapter files or URLs, separated by commas, each with an optional `:scale`" },
  SEQUENCES: { schema: whole(1, 64), expected: "how many answers run at once, 1 to 64", fallback: "4" },
  THREADS: { schema: whole(1, 256), expected: "a number of threads, 1 to 256" },
  IPFS_API_URL: { schema: url, expected: "the http(s) URL of a Kubo API" },
  DATABASE_URL: {
    schema: Type.String({ pattern: "^postgres(ql)?://[^\\s]+$" }),
    expected: "a URL such as postgresql://user:password@host/database",
  },
  OPERATOR_KEY: { schema: Type.String({ pattern: "^0x[0-9a-fA-F]{64}$" }), expected: "0x and 64 hex digits" },
  KEYSTORE: { schema: text, expected: "a Web3 v3 keystore file" },
  KEYSTORE_PASSWORD: { schema: Type.String(), expected: "the keystore's password" },
  KEYSTORE_PASSWORD_FILE: { schema: text, expected: "a file whose first line is the keystore's password" },
  MAX_EXPOSURE_NSD: {
    schema: amount,
    expected: "an amount of NSD such as 500 or 12.5",
    fallback: "500",
  },
  NEW_EXPOSURE_NSD: {
    schema: amount,
    expected: "an amount of NSD such as 60, at most MAX_EXPOSURE_NSD",
  },
  SESSION_SETTLE_NSD: {
    schema: amount,
    expected: "an amount of NSD such as 100 or 12.5",
    fallback: "100",
  },
  SESSION_LEAST_CAP_NSD: {
    schema: amount,
    expected: "an amount of NSD such as 25 or 12.5",
    fallback: "25",
  },
  MAX_FEE_GWEI: {
    schema: Type.String({ pattern: "^[0-9]{1,9}(\\.[0-9]{1,9})?$" }),
    expected: "the most gwei that a unit of gas may cost, such as 500 or 0.5",
    fallback: "500",
  },
  BATCH_MS: { schema: whole(0, 600_000), expected: "milliseconds, at most 600000", fallback: "1000" },
  BATCH_SIZE: { schema: whole(1, 500), expected: "items in a transaction, 1 to 500", fallback: "100" },
  POLL_MS: { schema: whole(50, 60_000), expected: "milliseconds, 50 to 60000", fallback: "1000" },
  PUBLIC_URL: { schema: url, expected: "the http(s) URL that clients use, where a proxy stands before the keeper" },
  TRUSTED_PROXIES: {
    schema: Type.String({ pattern: "^[0-9a-fA-F:./]+(\\s*,\\s*[0-9a-fA-F:./]+)*$" }),
    expected: "addresses or networks such as 10.0.0.0/8, separated by commas",
  },
  EXPLORER_URL: { schema: url, expected: "the http(s) URL of a block explorer" },
  LOG_LEVEL: {
    schema: Type.Union(
      ["trace", "debug", "info", "warn", "error", "fatal", "silent"].map((level) => Type.Literal(level)),
    ),
    expected: "trace, debug, info, warn, error, fatal or silent",
    fallback: "info",
  },
} as const satisfies Record<string, Definition>;

export type SettingName = keyof typeof DEFINITIONS;

/** What is wrong with the settings, all of it at once. */
export class SettingsError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`Settings are wrong:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
    this.name = "SettingsError";
    this.problems = problems;
  }
}

/** Names, meanings and defaults, for help texts. */
export function describeSettings(): { name: SettingName; expected: string; fallback?: string }[] {
  return Object.entries(DEFINITIONS).map(([name, definition]: [string, Definition]) => ({
    name: name as SettingName,
    expected: definition.expected,
    ...(definition.fallback === undefined ? {} : { fallback: definition.fallback }),
  }));
}

/** Reads the environment, with the command line's overrides before it. */
export function readSettings(overrides: Overrides = {}, environment: NodeJS.ProcessEnv = process.env): Settings {
  const problems: string[] = [];
  const value = (name: SettingName): string | undefined => {
    const definition: Definition = DEFINITIONS[name];
    const raw = overrides[name] ?? (environment[name]?.trim() || undefined) ?? definition.fallback;
    if (raw === undefined) return undefined;
    if (Value.Check(definition.schema, Value.Convert(definition.schema, raw))) return raw;
    const shown =
      name.startsWith("KEYSTORE_PASSWORD") || name === "OPERATOR_KEY" || name === "DATABASE_URL" ? "" : ` "${raw}"`;
    problems.push(`${name}${shown}: expected ${definition.expected}`);
    return undefined;
  };
  const path = (name: SettingName): string | undefined => {
    const given = value(name);
    return given === undefined ? undefined : resolve(given);
  };
  const number = (name: SettingName): number => Number(value(name) ?? 0);

  const threads = value("THREADS");
  const newExposure = value("NEW_EXPOSURE_NSD");
  const key = value("OPERATOR_KEY");
  const settings: Settings = {
    dataDir: path("DATA_DIR") ?? "",
    host: value("HOST") ?? "",
    port: number("PORT"),
    rpcUrls: readList(value("RPC_URL")),
    deploymentFile: path("DEPLOYMENT"),
    localChainPort: number("LOCAL_CHAIN_PORT"),
    modelFile: value("MODEL"),
    modelName: value("MODEL_NAME"),
    adapters: readList(value("LORA")),
    sequences: number("SEQUENCES"),
    threads: threads === undefined ? undefined : Number(threads),
    ipfsApiUrl: value("IPFS_API_URL"),
    databaseUrl: value("DATABASE_URL"),
    operatorKey: key === undefined ? undefined : new Secret(key),
    keystoreFile: path("KEYSTORE"),
    keystorePassword: readPassword(value("KEYSTORE_PASSWORD"), path("KEYSTORE_PASSWORD_FILE"), problems),
    maxExposure: parseEther(value("MAX_EXPOSURE_NSD") ?? "0"),
    newExposure: newExposure === undefined ? undefined : parseEther(newExposure),
    sessionSettleFrom: parseEther(value("SESSION_SETTLE_NSD") ?? "0"),
    sessionLeastCap: parseEther(value("SESSION_LEAST_CAP_NSD") ?? "0"),
    maxFee: parseGwei(value("MAX_FEE_GWEI") ?? "0"),
    batchMs: number("BATCH_MS"),
    batchSize: number("BATCH_SIZE"),
    pollMs: number("POLL_MS"),
    logLevel: value("LOG_LEVEL") ?? "info",
    publicUrl: value("PUBLIC_URL")?.replace(/\/+$/, ""),
    explorerUrl: value("EXPLORER_URL")?.replace(/\/+$/, ""),
    trustedProxies: readList(value("TRUSTED_PROXIES")),
  };
  if (settings.newExposure !== undefined && settings.newExposure > settings.maxExposure)
    problems.push(
      `NEW_EXPOSURE_NSD "${newExposure}": expected at most MAX_EXPOSURE_NSD, which is ${value("MAX_EXPOSURE_NSD")}`,
    );
  if (settings.operatorKey && settings.keystoreFile)
    problems.push("OPERATOR_KEY and KEYSTORE: expected one of them, not both");
  if (settings.keystoreFile && !settings.keystorePassword) {
    problems.push("KEYSTORE: expected KEYSTORE_PASSWORD or KEYSTORE_PASSWORD_FILE beside it");
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return settings;
}

export function operatorKeyOf(settings: Settings): Hex | undefined {
  return settings.operatorKey?.reveal() as Hex | undefined;
}

const readList = (raw = ""): string[] =>
  raw
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");

function readPassword(value: string | undefined, file: string | undefined, problems: string[]): Secret | undefined {
  if (value !== undefined) return new Secret(value);
  if (file === undefined) return undefined;
  try {
    return new Secret(readFileSync(file, "utf8").split(/\r?\n/, 1)[0] ?? "");
  } catch (cause) {
    problems.push(
      `KEYSTORE_PASSWORD_FILE: expected a readable file (${(cause as NodeJS.ErrnoException).code ?? "unreadable"})`,
    );
    return undefined;
  }
}

/** What has to be found out before the parts can be opened: the key, the validator, the model, the file. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import { type Hex, type LocalAccount, zeroHash } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import type { ChainConnection } from "../chain/clients.ts";
import { type Deployment, routerAbi, validatorsAbi } from "../chain/contracts.ts";
import { decryptKeystore } from "../chain/keystore.ts";
import { operatorKeyOf, type Settings } from "../config.ts";
import type { Engine } from "../inference/engine.ts";
import { openLocalEngine } from "../inference/local-engine.ts";
import { resolveAdapter, resolveModel } from "../inference/models.ts";
import type { Catalogue } from "./catalogue.ts";
import { developmentAccounts } from "./development.ts";

const DEMO_MODEL = fileURLToPath(new URL("../demo-model/demo-3m.gguf", import.meta.url));

export async function requireContracts(chain: ChainConnection, deployment: Deployment): Promise<void> {
  const { router } = deployment.addresses;
  if (await chain.client.getCode({ address: router })) return;
  throw new Error(`there is no contract at ${router} on chain ${chain.id}: the address book is of another chain`);
}

/** The key given, else the keystore's, else on a development chain the account that operates a validator. */
export async function operatorAccount(
  settings: Settings,
  chain: ChainConnection,
  deployment: Deployment,
): Promise<LocalAccount> {
  const given = await givenAccount(settings);
  if (given !== undefined) {
    const known = developmentAccounts({ local: true }).some(({ address }) => address === given.address);
    if (!known || chain.local) return given;
    throw new Error(
      `the key of ${given.address} is a development key that everybody knows: it is for a local chain alone`,
    );
  }
  for (const account of developmentAccounts(chain).toReversed()) {
    if ((await validatorIdOf(chain, deployment, account)) !== 0) return account;
  }
  throw new Error("no key to operate with: set KEYSTORE and KEYSTORE_PASSWORD_FILE, or OPERATOR_KEY");
}

export async function givenAccount(settings: Settings): Promise<LocalAccount | undefined> {
  const key = operatorKeyOf(settings);
  if (key !== undefined) return privateKeyToAccount(key);
  if (settings.keystoreFile === undefined) return undefined;
  const text = await readFile(settings.keystoreFile, "utf8");
  return privateKeyToAccount(await decryptKeystore(text, settings.keystorePassword?.reveal() ?? ""));
}

export async function validatorIdOf(
  chain: ChainConnection,
  deployment: Deployment,
  account: LocalAccount,
): Promise<number> {
  const address = deployment.addresses.router;
  return Number(
    await chain.client.readContract({
      address,
      abi: routerAbi,
      functionName: "validatorIdOf",
      args: [account.address],
    }),
  );
}

/**
 * The one model that a keeper runs. The validator may be registered for more, and is assigned requests for them, which this
 * keeper can only confess: each costs reputation.
 */
export async function modelOf(
  chain: ChainConnection,
  deployment: Deployment,
  validatorId: number,
  named: string | undefined,
  log: Logger,
): Promise<string> {
  const address = deployment.addresses.validators;
  const { models } = await chain.client.readContract({
    address,
    abi: validatorsAbi,
    functionName: "validatorById",
    args: [BigInt(validatorId)],
  });
  if (named !== undefined) {
    const others = models.filter((model) => model !== named);
    if (others.length > 0)
      log.warn({ model: named, others }, "the validator is registered for models that do not run here: see setModels");
    return named;
  }
  const [only, ...others] = models;
  if (only !== undefined && others.length === 0) return only;
  throw new Error(
    `which model runs here is not said: set MODEL_NAME${models.length > 0 ? ` to one of ${models.join(", ")}` : ""}`,
  );
}

export async function pinnedHash(catalogue: Catalogue, model: string): Promise<Hex> {
  const entry = await catalogue.find(model);
  if (entry) return entry.fileHash;
  const names = (await catalogue.models()).map(({ name }) => name);
  throw new Error(`the catalogue has no model ${model}: set MODEL_NAME to one of ${names.join(", ")}`);
}

/** The very file that the catalogue pins, or none: an audit would find out. */
export async function openEngine(
  settings: Settings,
  name: string,
  pinned: Hex,
  log: Logger,
  signal: AbortSignal,
): Promise<Engine> {
  const where = { dataFolder: settings.dataDir, signal };
  const model = await resolveModel(settings.modelFile ?? DEMO_MODEL, where);
  if (pinned !== zeroHash && pinned !== `0x${model.sha256}`) {
    throw new Error(
      `${model.path} is not the file that the catalogue pins for ${name}: it hashes to ${model.sha256}, not to ${pinned.slice(2)}`,
    );
  }
  const adapters = await Promise.all(settings.adapters.map((adapter) => resolveAdapter(adapter, where)));
  return openLocalEngine({
    model,
    adapters,
    name,
    parallel: settings.sequences,
    ...(settings.threads === undefined ? {} : { threads: settings.threads }),
    logger: log,
  });
}

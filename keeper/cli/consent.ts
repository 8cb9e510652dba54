import type { Command } from "commander";
import { type Address, getAddress, type Hex, isAddressEqual, isHex, size } from "viem";
import { connectChain } from "../chain/clients.ts";
import { signConsent } from "../chain/consent.ts";
import { readDeployment } from "../chain/contracts.ts";
import { KeystoreError } from "../chain/keystore.ts";
import { operatorKeyOf, readSettings, type Settings, SettingsError } from "../config.ts";
import { givenAccount } from "../services/opening.ts";
import { readPost } from "../services/rotation.ts";
import { ChatError, EXIT } from "./chat-client.ts";
import { ending, usage } from "./client-options.ts";

const HELP = `
An owner registers a validator that another key operates, or hands one to another key: that takes the consent
of the operator's key, which is what this signs. Nothing is sent. The owner then calls, on ValidatorRegistry,
registerValidatorWithOperator(stake, models, endpoint, operator, deadline, signature), or
rotateOperator(operator, deadline, signature). A key serves once, and so does its consent.

The key is that of --keystore, or of KEYSTORE or OPERATOR_KEY in the environment, as for \`start\`. With
--registry and --chain-id nothing is asked of a chain, so that it can be signed where there is none.

Ends with 0 when it is signed, 1 when it could not be, 2 for wrong arguments, 3 when no chain answers.`;

interface Options {
  readonly keystore?: string;
  readonly passwordFile?: string;
  readonly rpc?: string;
  readonly deployment?: string;
  readonly registry?: string;
  readonly chainId?: string;
  readonly hours: string;
  readonly data?: string;
  readonly json?: boolean;
}

interface Place {
  readonly chainId: number;
  readonly registry: Address;
  /** Unix seconds. */
  readonly now: number;
  /** Why this key's consent would be of no use. */
  refuses(operator: Address): Promise<string | undefined>;
}

/** `neuroswarm consent <owner>`: signs that a key will operate an owner's validator. */
export function registerConsentCommand(program: Command): void {
  program
    .command("consent")
    .description("sign the operator key's consent, for an owner to register or rotate with")
    .argument("<owner>", "address of the owner, who holds the stake: 0x and 40 hex digits")
    .option("--keystore <file>", "the operator's keystore")
    .option("--password-file <file>", "file whose first line is the keystore's password")
    .option("--rpc <url>", "the chain's endpoint")
    .option("--deployment <file>", "the file with the contracts' addresses")
    .option("--registry <address>", "ValidatorRegistry, where no chain is to be asked")
    .option("--chain-id <n>", "the chain's id, with --registry")
    .option("--hours <n>", "how long the owner may use it, 1 to 720", "24")
    .option("--data <folder>", "data folder of the local chain that is meant")
    .option("--json", "print one JSON object and nothing else")
    .addHelpText("after", HELP)
    .action((owner: string, options: Options) => ending(options, () => consent(owner, options)));
}

async function consent(text: string, options: Options): Promise<number> {
  if (!isHex(text) || size(text) !== 20) throw usage("The owner must be an address: 0x and 40 hex digits.");
  const owner = getAddress(text.toLowerCase());
  if (!/^[1-9][0-9]{0,2}$/.test(options.hours) || Number(options.hours) > 720)
    throw usage("--hours must be a whole number from 1 to 720.");
  const settings = settingsOf(options);
  const operator = await keyOf(settings);
  if (isAddressEqual(operator.address, owner))
    throw usage("The owner and the operator are the same key: it needs no consent. Call registerValidator.");
  const place = (await offline(options)) ?? (await online(settings));
  const problem = await place.refuses(operator.address);
  if (problem !== undefined)
    throw new ChatError("key_spent", problem, EXIT.failed, "Use a key that never operated one.");
  const { chainId, registry } = place;
  const deadline = BigInt(place.now + Number(options.hours) * 3_600);
  const signature = await signConsent(operator, owner, { chainId, registry }, deadline);
  print(
    { owner, operator: operator.address, deadline: Number(deadline), signature, chain_id: chainId, registry },
    options,
  );
  return 0;
}

function settingsOf(options: Options): Settings {
  const given = {
    KEYSTORE: options.keystore,
    KEYSTORE_PASSWORD_FILE: options.passwordFile,
    RPC_URL: options.rpc,
    DEPLOYMENT: options.deployment,
    DATA_DIR: options.data,
  };
  try {
    return readSettings(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)));
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    throw usage(error.problems.join("; "));
  }
}

async function keyOf(settings: Settings) {
  if (settings.keystoreFile === undefined && operatorKeyOf(settings) === undefined)
    throw usage("No operator key is named.", "Name one with --keystore and --password-file.");
  try {
    const account = await givenAccount(settings);
    if (account !== undefined) return account;
  } catch (error) {
    if (error instanceof KeystoreError) throw new ChatError("keystore", `${error.message}.`, EXIT.failed);
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined)
      throw new ChatError("key", "OPERATOR_KEY is not a private key: 0x and 64 hex digits.", EXIT.usage);
    throw new ChatError("keystore", `The keystore ${settings.keystoreFile} cannot be read (${code}).`, EXIT.failed);
  }
  throw usage("No operator key is named.");
}

async function offline({ registry, chainId }: Options): Promise<Place | undefined> {
  if (registry === undefined && chainId === undefined) return undefined;
  if (registry === undefined || !isHex(registry) || size(registry) !== 20)
    throw usage("--registry must be an address, 0x and 40 hex digits, beside --chain-id.");
  if (chainId === undefined || !/^[1-9][0-9]{0,14}$/.test(chainId))
    throw usage("--chain-id must be a whole number, beside --registry.");
  return {
    chainId: Number(chainId),
    registry: getAddress(registry.toLowerCase()),
    now: Math.floor(Date.now() / 1000),
    refuses: async () => undefined,
  };
}

async function online(settings: Settings): Promise<Place> {
  const urls = settings.rpcUrls.length > 0 ? settings.rpcUrls : [`http://127.0.0.1:${settings.localChainPort}`];
  const chain = await connectChain(urls, settings.pollMs).catch((error: unknown) => {
    throw new ChatError(
      "unreachable",
      `${(error as Error).message}.`,
      EXIT.unreachable,
      "Name an endpoint with --rpc.",
    );
  });
  const deployment = readDeployment(chain.id, settings.dataDir, settings.deploymentFile);
  const { timestamp } = await chain.client.getBlock();
  return {
    chainId: chain.id,
    registry: deployment.addresses.validators,
    now: Number(timestamp),
    refuses: async (operator) => {
      const { id, rotated } = await readPost(chain, deployment, operator);
      if (id !== 0) return `The key ${operator} operates validator ${id} already.`;
      return rotated && `The key ${operator} operated validator ${rotated.validatorId}, and never operates one again.`;
    },
  };
}

interface Signed {
  readonly owner: Address;
  readonly operator: Address;
  readonly deadline: number;
  readonly signature: Hex;
  readonly chain_id: number;
  readonly registry: Address;
}

function print(signed: Signed, { json }: Options): void {
  if (json) return void process.stdout.write(`${JSON.stringify(signed)}\n`);
  const until = new Date(signed.deadline * 1000).toISOString();
  const lines = [
    `Operator   ${signed.operator}`,
    `Owner      ${signed.owner}`,
    `Registry   ${signed.registry} on chain ${signed.chain_id}`,
    `Deadline   ${signed.deadline} (${until})`,
    `Signature  ${signed.signature}`,
    "",
    "The owner calls registerValidatorWithOperator, or rotateOperator, with operator, deadline and signature.",
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

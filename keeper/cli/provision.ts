import {
  type Abi,
  type Address,
  createPublicClient,
  createWalletClient,
  erc20Abi,
  type Hex,
  http,
  keccak256,
  type LocalAccount,
  type PublicClient,
  parseEther,
  stringToHex,
} from "viem";
import type { AddressBook, ContractName } from "../../deploy/addresses.ts";
import { abi as creditsAbi } from "../../typechain-types/IModelAccessCredits.ts";
import { abi as modelsAbi } from "../../typechain-types/IModelRegistry.ts";
import { abi as validatorsAbi } from "../../typechain-types/IValidatorRegistry.ts";
import { signConsent } from "../chain/consent.ts";
import { DEPLOYER_INDEX, developmentAccount, developmentKey, OPERATOR_INDEXES, USER_INDEXES } from "./accounts.ts";
import { CliError } from "./console.ts";

/** What makes a fresh local chain usable: a model in the catalogue, a validator that serves it, users with credits. */
export interface ProvisionOptions {
  readonly rpcUrl: string;
  readonly book: AddressBook;
  readonly model: { readonly name: string; readonly sha256: Hex };
  readonly endpoint: string;
  /** A key of one's own that operates the validator, in the place of a development account. */
  readonly operator?: LocalAccount;
}

export interface Provisioned {
  readonly validatorId: bigint;
  readonly registered: boolean;
  /** Where the registry says the validator answers. */
  readonly endpoint: string;
  /** The development key that operates it, where no key was given. */
  readonly operatorKey: Hex | undefined;
  readonly funded: number;
}

export const STAKE = parseEther("50000");
/** The clock of a local chain may be anywhere, and a key serves once: this consent is good for ever. */
const CONSENT_UNTIL = 2n ** 64n - 1n;
const CREDITS = parseEther("1000");
/** A user with less than an answer or ten gets credits again. */
const TOP_UP_BELOW = parseEther("50");

export async function provision(options: ProvisionOptions): Promise<Provisioned> {
  const chain = new LocalWriter(options.rpcUrl, options.book);
  await catalogue(chain, options.model);
  const validator = await validate(chain, options);
  let funded = 0;
  for (const index of USER_INDEXES) if (await fund(chain, developmentAccount(index))) funded += 1;
  return { ...validator, funded };
}

/** The model has to be in the catalogue with the very file that this keeper loads. */
async function catalogue(chain: LocalWriter, { name, sha256 }: ProvisionOptions["model"]): Promise<void> {
  const id = keccak256(stringToHex(name));
  const known = await chain.read<boolean>("models", modelsAbi, "isModel", [id]);
  const admin = developmentAccount(DEPLOYER_INDEX);
  if (!known) {
    const terms = {
      multiplierBps: 10_000,
      maxTokens: 2_048,
      maxInputTokens: 4_096,
      window: 120,
      pace: 5,
      active: true,
    };
    await chain.write(admin, "models", modelsAbi, "addModel", [{ name, fileHash: sha256, ...terms }]);
    return;
  }
  const model = await chain.read<{ fileHash: Hex }>("models", modelsAbi, "modelOf", [id]);
  if (model.fileHash === sha256) return;
  await chain.write(admin, "models", modelsAbi, "setModel", [{ ...model, fileHash: sha256 }]);
}

interface Validator {
  readonly id: bigint;
  readonly operator: Address;
  readonly models: readonly string[];
  readonly endpoint: string;
}

/** The first development account that serves the model already, or that serves none and can be registered for it. */
async function validate(chain: LocalWriter, options: ProvisionOptions): Promise<Omit<Provisioned, "funded">> {
  for (const index of OPERATOR_INDEXES) {
    const owner = developmentAccount(index);
    const operator = options.operator ?? owner;
    const operatorKey = options.operator === undefined ? developmentKey(index) : undefined;
    const known = await chain.read<Validator>("validators", validatorsAbi, "validatorOf", [owner.address]);
    if (known.id === 0n) {
      await chain.write(owner, "nst", erc20Abi, "approve", [options.book.contracts.validators, STAKE]);
      const registry = { chainId: options.book.chainId, registry: options.book.contracts.validators };
      const consent = await signConsent(operator, owner.address, registry, CONSENT_UNTIL);
      const terms = [STAKE, [options.model.name], options.endpoint, operator.address, CONSENT_UNTIL, consent];
      await chain.write(owner, "validators", validatorsAbi, "registerValidatorWithOperator", terms);
      const validatorId = await chain.read<bigint>("validators", validatorsAbi, "idOf", [owner.address]);
      return { validatorId, registered: true, endpoint: options.endpoint, operatorKey };
    }
    if (known.models.includes(options.model.name) && known.operator === operator.address) {
      return { validatorId: known.id, registered: false, endpoint: known.endpoint, operatorKey };
    }
  }
  throw new CliError(
    `The ${OPERATOR_INDEXES.length} development accounts that may validate serve other models already.`,
    "Begin anew with --fresh, or start with one of those models.",
  );
}

async function fund(chain: LocalWriter, user: LocalAccount): Promise<boolean> {
  const credits = await chain.read<bigint>("credits", creditsAbi, "creditsOf", [user.address]);
  const wallet = await chain.read<bigint>("nsd", erc20Abi, "balanceOf", [user.address]);
  if (credits >= TOP_UP_BELOW || wallet < CREDITS) return false;
  await chain.write(user, "nsd", erc20Abi, "approve", [chain.book.contracts.credits, CREDITS]);
  await chain.write(user, "credits", creditsAbi, "deposit", [CREDITS]);
  return true;
}

/** Reads and writes on a chain that mines at once. */
class LocalWriter {
  readonly book: AddressBook;
  readonly #rpcUrl: string;
  readonly #client: PublicClient;

  constructor(rpcUrl: string, book: AddressBook) {
    this.book = book;
    this.#rpcUrl = rpcUrl;
    this.#client = createPublicClient({ transport: http(rpcUrl), pollingInterval: 50, cacheTime: 0 });
  }

  async read<T>(
    contract: ContractName,
    abi: Abi | readonly unknown[],
    name: string,
    args: readonly unknown[],
  ): Promise<T> {
    const address = this.book.contracts[contract];
    return (await this.#client.readContract({ address, abi: abi as Abi, functionName: name, args })) as T;
  }

  async write(
    account: LocalAccount,
    contract: ContractName,
    abi: Abi | readonly unknown[],
    name: string,
    args: readonly unknown[],
  ): Promise<void> {
    const address = this.book.contracts[contract];
    const wallet = createWalletClient({ account, transport: http(this.#rpcUrl) });
    const call = { address, abi: abi as Abi, functionName: name, args, account };
    const { request } = await this.#client.simulateContract(call);
    // Where tickets land follows from the block: an estimate made in the one before may be short.
    const gas = ((await this.#client.estimateContractGas(call)) * 3n) / 2n;
    const hash = await wallet.writeContract({ ...request, gas, chain: null } as Parameters<
      typeof wallet.writeContract
    >[0]);
    const receipt = await this.#client.waitForTransactionReceipt({ hash });
    if (receipt.status !== "success") throw new CliError(`${contract}.${name} failed on chain in transaction ${hash}.`);
  }
}

import { type Abi, type Address, getAddress } from "viem";
import { type AddressBook, localBookPath, readAddressBook } from "../../deploy/addresses.ts";
import { abi as feesAbi } from "../../typechain-types/IFeeController.ts";
import { abi as routerAbi } from "../../typechain-types/IInferenceRouter.ts";
import { abi as creditsAbi } from "../../typechain-types/IModelAccessCredits.ts";
import { abi as modelsAbi } from "../../typechain-types/IModelRegistry.ts";
import { abi as rewardAbi } from "../../typechain-types/IModelReward.ts";
import { abi as nsdAbi } from "../../typechain-types/INSD.ts";
import { abi as rewardTokenAbi } from "../../typechain-types/IRewardToken.ts";
import { abi as validatorsAbi } from "../../typechain-types/IValidatorRegistry.ts";
import { CONTRACT_NAMES, type ContractName } from "../services/read-types.ts";

export type { ContractName };
export { creditsAbi, feesAbi, modelsAbi, nsdAbi, rewardAbi, rewardTokenAbi, routerAbi, validatorsAbi };

/** Where the contracts of one chain are. */
export interface Deployment {
  readonly chainId: number;
  readonly addresses: Readonly<Record<ContractName, Address>>;
  /** Block of the first of them: nothing of interest lies before it. */
  readonly fromBlock: bigint;
}

/** Every ABI whose errors a call can come back with. */
export const ALL_ABIS: readonly Abi[] = [
  routerAbi,
  creditsAbi,
  validatorsAbi,
  modelsAbi,
  rewardAbi,
  feesAbi,
  nsdAbi,
  rewardTokenAbi,
];

/** The address book at `file`, or the one that the data folder or the repository keeps for this chain. */
export function readDeployment(chainId: number, dataDir: string, file?: string): Deployment {
  const path = file ?? localBookPath(dataDir, chainId);
  const book = readAddressBook(path);
  if (book === undefined)
    throw new Error(`no address book for chain ${chainId} at ${path}: deploy the contracts, or set DEPLOYMENT`);
  return deploymentOf(book, chainId, path);
}

export function deploymentOf(book: AddressBook, chainId: number, source = "the address book"): Deployment {
  if (book.chainId !== chainId)
    throw new Error(`${source} is for chain ${book.chainId}, but the endpoint is chain ${chainId}`);
  const entries = CONTRACT_NAMES.map((name) => [name, getAddress(book.contracts[name])]);
  return {
    chainId,
    addresses: Object.fromEntries(entries) as Record<ContractName, Address>,
    fromBlock: BigInt(book.block) + 1n,
  };
}

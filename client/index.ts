/**
 * What a client of the contracts needs, in Node and in a browser: ABIs, the messages that users sign, the packed words of a
 * ticket, and what an answer costs. Everything here is pure; a chain is reached through viem, with what is exported here.
 */
export { charge as priceOf, MINIMUM, minimumPayment, split as legsOf, tokensFor } from "../keeper/chain/fees.ts";
export { intentDigest, modelId, NO_SALT, promptHash } from "../keeper/chain/intents.ts";
export {
  compactSignature,
  executionWindow,
  type Offer,
  type Price,
  packPayer,
  packTerms,
  type Terms,
  unpackOffer,
  unpackPayer,
  unpackTerms,
} from "../keeper/chain/words.ts";
export type { Intent } from "../keeper/services/types.ts";
export { abi as feesAbi } from "../typechain-types/IFeeController.ts";
export { abi as callbackAbi } from "../typechain-types/IInferenceCallback.ts";
export { abi as routerAbi } from "../typechain-types/IInferenceRouter.ts";
export { abi as creditsAbi } from "../typechain-types/IModelAccessCredits.ts";
export { abi as modelsAbi } from "../typechain-types/IModelRegistry.ts";
export { abi as rewardAbi } from "../typechain-types/IModelReward.ts";
export { abi as nsdAbi } from "../typechain-types/INSD.ts";
export { abi as rewardTokenAbi } from "../typechain-types/IRewardToken.ts";
export { abi as validatorsAbi } from "../typechain-types/IValidatorRegistry.ts";
export { abi as nstAbi } from "../typechain-types/NST.ts";
export * from "./messages.ts";
export * from "./names.ts";
export * from "./tickets.ts";

// Generated from the contracts by `npm run build:types`. Changes made here are lost.
export { bytecode as AccessManagerBytecode } from "./AccessManager.ts";
export { bytecode as AskOnChainBytecode } from "./AskOnChain.ts";
export { bytecode as ChoirTokenBytecode } from "./ChoirToken.ts";
export { bytecode as ERC1967ProxyBytecode } from "./ERC1967Proxy.ts";
export { bytecode as FeeControllerBytecode } from "./FeeController.ts";
export { bytecode as InferenceRouterBytecode } from "./InferenceRouter.ts";
export { bytecode as ModelAccessCreditsBytecode } from "./ModelAccessCredits.ts";
export { bytecode as ModelRegistryBytecode } from "./ModelRegistry.ts";
export { bytecode as ModelRewardBytecode } from "./ModelReward.ts";
export { bytecode as ModelTokenBytecode } from "./ModelToken.ts";
export { bytecode as NSDBytecode } from "./NSD.ts";
export { bytecode as NSTBytecode } from "./NST.ts";
export { bytecode as RouterExtensionBytecode } from "./RouterExtension.ts";
export { bytecode as RouterSeatsBytecode } from "./RouterSeats.ts";
export { bytecode as StakeVaultBytecode } from "./StakeVault.ts";
export { bytecode as VacantBytecode } from "./Vacant.ts";
export { bytecode as ValidatorRegistryBytecode } from "./ValidatorRegistry.ts";

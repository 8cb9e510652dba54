import type { Address, HDAccount } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { DEVELOPMENT_MNEMONIC } from "./local-chain/local.ts";

/** Development accounts that chat: they get credits. */
export const USER_INDEXES = [0, 1, 2, 3, 4] as const;
/** Development accounts that may operate a validator, one a model, in the order in which they are taken. */
export const OPERATOR_INDEXES = [9, 8, 7, 6] as const;
/** Deploys on the local chain, and stays its administrator. */
export const DEPLOYER_INDEX = 0;

export function developmentAccount(index: number): HDAccount {
  return mnemonicToAccount(DEVELOPMENT_MNEMONIC, { addressIndex: index });
}

export function developmentKey(index: number): `0x${string}` {
  const key = developmentAccount(index).getHdKey().privateKey;
  if (key === null) throw new Error(`development account ${index} has no key`);
  return `0x${Buffer.from(key).toString("hex")}`;
}

export function userAddress(index: number): Address {
  return developmentAccount(index).address;
}

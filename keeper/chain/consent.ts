/** The consent by which an operator's key lets an owner appoint it: EIP-712, as IValidatorRegistry documents it. */
import type { Address, Hex, LocalAccount } from "viem";

const OPERATOR_TYPES = {
  Operator: [
    { name: "owner", type: "address" },
    { name: "operator", type: "address" },
    { name: "deadline", type: "uint64" },
  ],
} as const;

/** @param deadline Unix seconds until which the owner may use it. */
export async function signConsent(
  operator: LocalAccount,
  owner: Address,
  where: { readonly chainId: number; readonly registry: Address },
  deadline: bigint,
): Promise<Hex> {
  return operator.signTypedData({
    domain: { name: "NeuroSwarm", version: "1", chainId: where.chainId, verifyingContract: where.registry },
    types: OPERATOR_TYPES,
    primaryType: "Operator",
    message: { owner, operator: operator.address, deadline },
  });
}

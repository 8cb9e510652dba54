/** Signatures of accounts that are contracts, as the router judges them, and of contracts that are still to be deployed. */
import {
  type Address,
  encodeFunctionData,
  type Hex,
  isErc6492Signature,
  type PublicClient,
  parseAbi,
  parseErc6492Signature,
  size,
  slice,
} from "viem";
import { isSignedByOneOf } from "./sessions.ts";

/** What the router gives a wallet for its answer; and room for the call itself. */
const ERC1271_GAS = 200_000n;
const CALL_GAS = 100_000n;
const erc1271Abi = parseAbi(["function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)"]);
const ACCEPTED = "0x1626ba7e";

export interface FactoryCall {
  readonly to: Address;
  readonly data: Hex;
}

export type Verdict =
  /** As the router takes it: without what ERC-6492 wraps around it. */
  | { readonly kind: "key" | "contract"; readonly signature: Hex }
  /** It will be right once the call is made that deploys its wallet. */
  | { readonly kind: "undeployed"; readonly deployment: FactoryCall }
  | { readonly kind: "none" };

const NONE: Verdict = { kind: "none" };

/** Whose signature it is. What reverts, answers nothing or costs too much is nobody's. */
export async function judgeSignature(
  client: PublicClient,
  signer: Address,
  hash: Hex,
  signature: Hex,
): Promise<Verdict> {
  if (await isSignedByOneOf([signer], hash, signature)) return { kind: "key", signature };
  const wrapped = isErc6492Signature(signature) ? unwrap(signature) : undefined;
  const inner = wrapped?.signature ?? signature;
  if ((await client.getCode({ address: signer })) !== undefined)
    return (await contractAccepts(client, signer, hash, inner)) ? { kind: "contract", signature: inner } : NONE;
  if (wrapped === undefined) return NONE;
  // A simulation: the factory is called by nobody, and costs nobody anything.
  if (!(await client.verifyHash({ address: signer, hash, signature }).catch(() => false))) return NONE;
  return { kind: "undeployed", deployment: wrapped.deployment };
}

function unwrap(signature: Hex): { signature: Hex; deployment: FactoryCall } | undefined {
  try {
    const { address: to, data, signature: inner } = parseErc6492Signature(signature);
    return to && data && inner !== undefined ? { signature: inner, deployment: { to, data } } : undefined;
  } catch {
    return undefined;
  }
}

async function contractAccepts(client: PublicClient, wallet: Address, hash: Hex, signature: Hex): Promise<boolean> {
  const data = encodeFunctionData({ abi: erc1271Abi, functionName: "isValidSignature", args: [hash, signature] });
  try {
    const answer = (await client.call({ to: wallet, data, gas: ERC1271_GAS + CALL_GAS })).data;
    return answer !== undefined && size(answer) >= 32 && slice(answer, 0, 32) === `${ACCEPTED}${"0".repeat(56)}`;
  } catch {
    return false;
  }
}

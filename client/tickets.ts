import { type Address, encodeAbiParameters, type Hex, keccak256 } from "viem";

/** The four words of a request in the assigned lane, as its `RequestSubmitted` event says them. */
export interface Ticket {
  /** `packPayer`, `unpackPayer`. */
  readonly payer: bigint;
  /** `packTerms`, `unpackTerms`. */
  readonly terms: bigint;
  readonly promptHash: Hex;
  readonly callback: Address;
}

/** The ticket in the arguments of a `RequestSubmitted` event. */
export function ticketOf(args: Ticket): Ticket {
  const { payer, terms, promptHash, callback } = args;
  return { payer, terms, promptHash, callback };
}

const ID_PARAMETERS = [
  { type: "uint256" },
  { type: "address" },
  { type: "uint256" },
  { type: "uint256" },
  { type: "bytes32" },
  { type: "address" },
] as const;

/** The id of the request that a ticket stands for. */
export const ticketId = (chainId: number, router: Address, { payer, terms, promptHash, callback }: Ticket): Hex =>
  keccak256(encodeAbiParameters(ID_PARAMETERS, [BigInt(chainId), router, payer, terms, promptHash, callback]));

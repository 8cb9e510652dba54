/** Where the contracts are on public networks. */
import type { AddressBook } from "../deploy/addresses.ts";
import { NETWORKS } from "./networks.ts";

export type { AddressBook, ContractName } from "../deploy/addresses.ts";
export { NETWORKS };

export class NoDeploymentError extends Error {
  readonly chainId: number;

  constructor(chainId: number) {
    const known = NETWORKS.map((book) => `${book.network} (${book.chainId})`).join(", ");
    super(
      `NeuroSwarm is not deployed on chain ${chainId}, as far as this version knows: ` +
        `${known === "" ? "it is on no public network yet" : `it is on ${known}`}. ` +
        `A deployment of your own writes an address book: readAddressBook of "neuroswarm/local" reads it.`,
    );
    this.name = "NoDeploymentError";
    this.chainId = chainId;
  }
}

/** The contracts of a public network; throws a NoDeploymentError where there are none. */
export function addressesOf(chainId: number): AddressBook["contracts"] {
  const book = NETWORKS.find((entry) => entry.chainId === chainId);
  if (book === undefined) throw new NoDeploymentError(chainId);
  return book.contracts;
}

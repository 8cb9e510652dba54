import type { AddressBook } from "../deploy/addresses.ts";

/** The books that deployments/ holds, one a public network. There is none yet. */
export const NETWORKS: readonly AddressBook[] = [];

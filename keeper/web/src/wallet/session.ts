import type { Hex, NetworkBody } from "../api/wire.ts";
import { createStore, useStore } from "../ui/store.ts";
import { DEVELOPMENT_ACCOUNTS } from "./accounts.ts";
import type { Wallet } from "./wagmi.ts";

/** Who asks and pays. A development account signs inside the page, an injected one in its wallet. */
export type Account =
  | { readonly kind: "development"; readonly address: Hex }
  | {
      readonly kind: "injected";
      readonly address: Hex;
      readonly connectorId: string;
      readonly name: string;
      readonly chainId: number;
    };

export interface Session {
  readonly account: Account | undefined;
  /** A wallet that was used before is being asked whether it still knows this page. */
  readonly restoring: boolean;
}

const KEY = "neuroswarm.account";

export const session = createStore<Session>({ account: undefined, restoring: false });

let wallet: Promise<Wallet> | undefined;

export function useSession(): Session {
  return useStore(session);
}

/** The code for wallets, signing and contracts: fetched when one of them is needed first. */
export function loadWallet(network: NetworkBody): Promise<Wallet> {
  wallet ??= import("./wagmi.ts").then(
    ({ createWallet }) => createWallet(network, setAccount),
    (error: unknown) => {
      wallet = undefined;
      throw error;
    },
  );
  return wallet;
}

export function setAccount(account: Account | undefined): void {
  session.set({ account, restoring: false });
  remember(account);
}

/** The account of the last visit; on a local chain, which needs no wallet, else the first development account. */
export function restoreAccount(network: NetworkBody): void {
  if (session.get().account || session.get().restoring) return;
  const last = remembered();
  if (last?.kind === "injected") {
    session.set({ account: undefined, restoring: true });
    void loadWallet(network)
      .then((loaded) => loaded.restore(last.connectorId))
      .catch(() => undefined)
      .finally(() => {
        if (!session.get().account) session.set({ account: fallback(network), restoring: false });
      });
    return;
  }
  const known = DEVELOPMENT_ACCOUNTS.some((address) => address === last?.address);
  session.set({ account: known && network.local && last ? last : fallback(network), restoring: false });
}

function fallback(network: NetworkBody): Account | undefined {
  const [first] = DEVELOPMENT_ACCOUNTS;
  return network.local && first ? { kind: "development", address: first } : undefined;
}

function remember(account: Account | undefined): void {
  try {
    if (account) localStorage.setItem(KEY, JSON.stringify(account));
    else localStorage.removeItem(KEY);
  } catch {
    // A browser that keeps nothing asks again at the next visit.
  }
}

function remembered(): Account | undefined {
  try {
    return (JSON.parse(localStorage.getItem(KEY) ?? "null") as Account | null) ?? undefined;
  } catch {
    return undefined;
  }
}

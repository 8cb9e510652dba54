import type { Address, Hex, LocalAccount } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import type { ChainConnection } from "../chain/clients.ts";
import type { WalletMessage } from "./types.ts";

/** The mnemonic that every development chain is started with: these accounts are everybody's. */
const MNEMONIC = "test test test test test test test test test test test junk";
const ACCOUNTS = 10;

/** The development accounts; none anywhere but on a local chain. */
export function developmentAccounts(chain: Pick<ChainConnection, "local">): readonly LocalAccount[] {
  if (!chain.local) return [];
  return Array.from({ length: ACCOUNTS }, (_, addressIndex) => mnemonicToAccount(MNEMONIC, { addressIndex }));
}

export class DevelopmentSigner {
  readonly #accounts: ReadonlyMap<string, LocalAccount>;

  constructor(chain: Pick<ChainConnection, "local">) {
    this.#accounts = new Map(developmentAccounts(chain).map((account) => [account.address.toLowerCase(), account]));
  }

  accountOf(address: Address): LocalAccount | undefined {
    return this.#accounts.get(address.toLowerCase());
  }

  async sign(data: WalletMessage, user: Address): Promise<Hex | undefined> {
    const account = this.accountOf(user);
    return account?.signTypedData({ ...data, message: { ...data.message } });
  }
}

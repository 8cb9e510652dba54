import {
  type Chain,
  createWalletClient,
  type EIP1193Provider,
  type Hex,
  http,
  numberToHex,
  UnsupportedProviderMethodError,
} from "viem";
import { type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";

const KEYS: readonly Hex[] = [
  "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
  "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
  "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
  "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
];

export const DEVELOPMENT = "development";

interface Call {
  readonly method: string;
  readonly params?: readonly unknown[];
}

/** A wallet inside the page, for the accounts of a local development chain: what a browser extension would offer. */
export class DevelopmentProvider {
  readonly #chain: Chain;
  readonly #accounts: readonly PrivateKeyAccount[] = KEYS.map((key) => privateKeyToAccount(key));
  readonly #listeners = new Map<string, Set<(value: unknown) => void>>();
  #selected = 0;

  constructor(chain: Chain) {
    this.#chain = chain;
  }

  select(address: Hex): void {
    const index = this.#accounts.findIndex((account) => account.address === address);
    if (index < 0 || index === this.#selected) return;
    this.#selected = index;
    for (const listener of this.#listeners.get("accountsChanged") ?? []) listener([address]);
  }

  async request({ method, params = [] }: Call): Promise<unknown> {
    switch (method) {
      case "eth_accounts":
      case "eth_requestAccounts":
        return [this.#account().address];
      case "eth_chainId":
        return numberToHex(this.#chain.id);
      case "eth_signTypedData_v4":
        return this.#account(params[0] as Hex).signTypedData(JSON.parse(params[1] as string));
      case "eth_sendTransaction": {
        const { from, to, data, value } = params[0] as { from?: Hex; to?: Hex; data?: Hex; value?: Hex };
        const client = createWalletClient({ account: this.#account(from), chain: this.#chain, transport: http() });
        return client.sendTransaction({
          to: to ?? null,
          ...(data ? { data } : {}),
          ...(value ? { value: BigInt(value) } : {}),
        });
      }
      default:
        if (method.startsWith("wallet_")) throw new UnsupportedProviderMethodError(new Error(method));
        return createWalletClient({ chain: this.#chain, transport: http() }).request({ method, params } as never);
    }
  }

  on(event: string, listener: (value: unknown) => void): void {
    this.#listeners.set(event, (this.#listeners.get(event) ?? new Set()).add(listener));
  }

  removeListener(event: string, listener: (value: unknown) => void): void {
    this.#listeners.get(event)?.delete(listener);
  }

  asProvider(): EIP1193Provider {
    return this as unknown as EIP1193Provider;
  }

  #account(address?: Hex): PrivateKeyAccount {
    const wanted = address?.toLowerCase();
    const account = wanted
      ? this.#accounts.find((candidate) => candidate.address.toLowerCase() === wanted)
      : this.#accounts[this.#selected];
    if (!account) throw new Error("This account is not one of the development accounts.");
    return account;
  }
}

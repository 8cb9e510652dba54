import { defineChain, type EIP1193Provider, type Hex } from "viem";
import { type Connector, createConfig, http, injected } from "wagmi";
import {
  connect,
  disconnect,
  getConnection,
  reconnect,
  signTypedData,
  switchChain,
  watchConnection,
  watchConnectors,
} from "wagmi/actions";
import type { CancelData, CancelMessage, IntentMessage, NetworkBody, TypedData } from "../api/wire.ts";
import { createStore, type Store } from "../ui/store.ts";
import { type CreditsActions, creditsActions } from "./credits.ts";
import { DEVELOPMENT, DevelopmentProvider } from "./development.ts";
import { declinedOr } from "./failure.ts";
import { type Asked, checkCancel, checkIntent, intentId, isRequestOf, typedCancel, typedIntent } from "./intent.ts";
import type { Account } from "./session.ts";

/** A wallet that announced itself to this page. */
export interface WalletChoice {
  readonly id: string;
  readonly name: string;
  readonly icon: string | undefined;
}

export interface Wallet extends CreditsActions {
  /** Wallets found in this browser, the development one left out. */
  readonly choices: Store<readonly WalletChoice[]>;
  connect(choiceId: string): Promise<void>;
  disconnect(): Promise<void>;
  restore(connectorId: string): Promise<void>;
  switchChain(): Promise<void>;
  checkIntent(typed: { typed_data: TypedData; salt: Hex }, asked: Asked): IntentMessage;
  signIntent(intent: IntentMessage, account: Account): Promise<{ signature: Hex; requestId: Hex }>;
  isRequestOf(id: Hex, intent: IntentMessage): boolean;
  checkCancel(typed: CancelData, requestId: Hex): CancelMessage;
  signCancel(message: CancelMessage, account: Account): Promise<Hex>;
}

export function createWallet(network: NetworkBody, onAccount: (account: Account | undefined) => void): Wallet {
  const chain = chainOf(network);
  const development = new DevelopmentProvider(chain);
  const config = createConfig({
    chains: [chain],
    transports: { [chain.id]: http() },
    connectors: network.local
      ? [
          injected({
            shimDisconnect: false,
            target: { id: DEVELOPMENT, name: "Development account", provider: () => development.asProvider() as never },
          }),
        ]
      : [],
    multiInjectedProviderDiscovery: true,
    storage: null,
    // The page says so and offers to switch; it never changes what a wallet shows by itself.
    syncConnectedChain: false,
  });

  const connectorOf = (id: string): Connector => {
    const connector = config.connectors.find((candidate) => candidate.id === id);
    if (!connector) throw new Error("This wallet is no longer in the browser. Reload the page and connect again.");
    return connector;
  };

  /** The connector that signs for an account, connected where it is not yet. */
  const connectorFor = async (account: Account): Promise<Connector> => {
    if (account.kind === "development") development.select(account.address);
    const connector = connectorOf(account.kind === "development" ? DEVELOPMENT : account.connectorId);
    if (getConnection(config).connector?.uid !== connector.uid) await connect(config, { connector }).catch(declinedOr);
    return connector;
  };

  const choices = createStore<readonly WalletChoice[]>(choicesOf(config.connectors));
  watchConnectors(config, { onChange: (connectors) => choices.set(choicesOf(connectors)) });
  watchConnection(config, {
    onChange({ status, address, chainId, connector }, before) {
      if (connector?.id === DEVELOPMENT) return;
      if (status === "connected")
        onAccount({ kind: "injected", address, chainId, connectorId: connector.id, name: connector.name });
      else if (status === "disconnected" && before.connector && before.connector.id !== DEVELOPMENT)
        onAccount(undefined);
    },
  });

  return {
    choices,
    async connect(choiceId) {
      if (getConnection(config).isConnected) await disconnect(config);
      await connect(config, { connector: connectorOf(choiceId) }).catch(declinedOr);
    },
    async disconnect() {
      await disconnect(config);
    },
    async restore(connectorId) {
      await reconnect(config, { connectors: [connectorOf(connectorId)] });
    },
    async switchChain() {
      await switchChain(config, {
        chainId: chain.id,
        addEthereumChainParameter: {
          chainName: chain.name,
          nativeCurrency: chain.nativeCurrency,
          rpcUrls: [network.rpc_url],
        },
      }).catch(declinedOr);
    },
    checkIntent: (typed, asked) => checkIntent(typed, asked),
    async signIntent(intent, account) {
      const connector = await connectorFor(account);
      const typed = typedIntent(intent, network);
      const signature = await signTypedData(config, { ...typed, account: account.address, connector }).catch(
        declinedOr,
      );
      return { signature, requestId: intentId(intent, network) };
    },
    isRequestOf: (id, intent) => isRequestOf(id, intent, network),
    checkCancel: (typed, requestId) => checkCancel(typed, requestId, network),
    async signCancel(message, account) {
      const connector = await connectorFor(account);
      return signTypedData(config, { ...typedCancel(message, network), account: account.address, connector }).catch(
        declinedOr,
      );
    },
    ...creditsActions(
      network,
      chain,
      async (account) => (await (await connectorFor(account)).getProvider()) as EIP1193Provider,
    ),
  };
}

function chainOf(network: NetworkBody) {
  return defineChain({
    id: network.chain_id,
    name: network.local ? "Local chain" : `Chain ${network.chain_id}`,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [network.rpc_url] } },
  });
}

function choicesOf(connectors: readonly Connector[]): readonly WalletChoice[] {
  return connectors.filter(({ id }) => id !== DEVELOPMENT).map(({ id, name, icon }) => ({ id, name, icon }));
}

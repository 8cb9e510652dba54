import { createPublicClient, defineChain, fallback, type HttpTransport, http, type PublicClient } from "viem";

/** The chain id of anvil and Hardhat: with loopback, the mark of a development chain. */
export const LOCAL_CHAIN_ID = 31_337;

export interface ChainConnection {
  readonly id: number;
  /** A development chain on this machine: its accounts are everybody's, so the keeper may sign for them. */
  readonly local: boolean;
  readonly urls: readonly string[];
  readonly client: PublicClient;
}

const transportOf = (url: string): HttpTransport => http(url, { batch: { wait: 2 }, retryCount: 2, timeout: 15_000 });

/** Connects to a chain over one or several endpoints, the first that answers; all must be of the same chain. */
export async function connectChain(urls: readonly string[], pollMs: number): Promise<ChainConnection> {
  const ids = await Promise.allSettled(
    urls.map((url) => createPublicClient({ transport: transportOf(url) }).getChainId()),
  );
  const known = ids.flatMap((result, index) =>
    result.status === "fulfilled" ? [{ id: result.value, url: urls[index] }] : [],
  );
  const first = known[0];
  if (first === undefined) throw new Error(`no chain answers at ${urls.join(", ")}: check RPC_URL`);
  const stranger = known.find((entry) => entry.id !== first.id);
  if (stranger)
    throw new Error(`${first.url} is chain ${first.id}, but ${stranger.url} is chain ${stranger.id}: check RPC_URL`);
  const chain = defineChain({
    id: first.id,
    name: `chain ${first.id}`,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [...urls] } },
  });
  return {
    id: first.id,
    local: first.id === LOCAL_CHAIN_ID && urls.every(isLoopback),
    urls,
    client: createPublicClient({
      chain,
      // A contract that somebody names could otherwise send this machine to any address of its network (ERC-3668).
      ccipRead: false,
      transport: fallback(urls.map(transportOf)),
      cacheTime: 0,
      pollingInterval: pollMs,
    }),
  };
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

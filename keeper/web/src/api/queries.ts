import { QueryClient, queryOptions, type UseQueryResult, useQuery } from "@tanstack/react-query";
import { plain } from "../format/amount.ts";
import { Refusal, read } from "./client.ts";
import type {
  AccountBody,
  BalancesBody,
  Hex,
  ModelBody,
  NetworkBody,
  QuoteBody,
  RequestBody,
  RewardBody,
} from "./wire.ts";

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // The live connection says when the keeper is back, and everything is asked again then.
      retry: (failures, error) => failures < 2 && !(error instanceof Refusal && error.status < 500),
    },
  },
});

export const networkQuery = queryOptions({
  queryKey: ["network"],
  queryFn: ({ signal }) => read<NetworkBody>("/api/network", signal),
  refetchInterval: 10_000,
});

export function balancesQuery(address: Hex) {
  return queryOptions({
    queryKey: ["balances", address],
    queryFn: ({ signal }) => read<BalancesBody>(`/api/balances/${address}`, signal),
    refetchInterval: 30_000,
  });
}

/** What an address has at this moment: a reading that is on its way may be of before the latest transaction. */
export async function freshBalances(address: Hex): Promise<BalancesBody> {
  const balances = await read<BalancesBody>(`/api/balances/${address}`);
  queries.setQueryData(balancesQuery(address).queryKey, balances);
  return balances;
}

export function useNetwork(): UseQueryResult<NetworkBody> {
  return useQuery(networkQuery);
}

export function useBalances(address: Hex | undefined): UseQueryResult<BalancesBody> {
  return useQuery({ ...balancesQuery(address ?? "0x"), enabled: address !== undefined });
}

export function useModels(): UseQueryResult<readonly ModelBody[]> {
  return useQuery({
    queryKey: ["models"],
    queryFn: async ({ signal }) => (await read<{ models: ModelBody[] }>("/api/models", signal)).models,
    staleTime: 60_000,
  });
}

/** Where everything is: read when somebody looks, and not kept for the next look, which would begin with what is past. */
export function useLocated(address: Hex): UseQueryResult<AccountBody> {
  return useQuery({
    queryKey: ["account", address],
    queryFn: ({ signal }) => read<AccountBody>(`/api/account/${address}`, signal),
    staleTime: 0,
    gcTime: 0,
    refetchInterval: 30_000,
  });
}

const PRICE_RETRY_MS = 5_000;

export interface QuoteAsked {
  readonly model: string | undefined;
  readonly maxTokens: number;
  readonly priority: boolean;
  readonly payment: bigint;
}

export function useQuote({ model, maxTokens, priority, payment }: QuoteAsked): UseQueryResult<QuoteBody> {
  const asked = new URLSearchParams({
    max_tokens: String(maxTokens),
    priority: String(priority),
    nsd_payment: plain(payment),
  });
  if (model) asked.set("model", model);
  return useQuery({
    queryKey: ["quote", asked.toString()],
    queryFn: ({ signal }) => read<QuoteBody>(`/api/quote?${asked}`, signal),
    staleTime: 60_000,
    placeholderData: (previous) => previous,
    // Nothing can be asked without a price, and a keeper that answers again does not say so by itself.
    refetchInterval: ({ state }) => (state.status === "error" ? PRICE_RETRY_MS : false),
  });
}

export function useRewards(address: Hex): UseQueryResult<readonly RewardBody[]> {
  return useQuery({
    queryKey: ["rewards", address],
    queryFn: async ({ signal }) =>
      (await read<{ rewards: RewardBody[] }>(`/api/rewards/${address}?limit=100`, signal)).rewards,
  });
}

export function historyQuery(address: Hex) {
  return queryOptions({
    queryKey: ["history", address],
    queryFn: async ({ signal }) =>
      (await read<{ requests: RequestBody[] }>(`/api/history/${address}?limit=100`, signal)).requests,
  });
}

const SETTLE_MS = 200;
let refreshing: ReturnType<typeof setTimeout> | undefined;

/** Asks again for whatever a settlement, a deposit or a reward may have moved: once for all that comes together. */
export function refreshAccount(address: Hex): void {
  clearTimeout(refreshing);
  refreshing = setTimeout(() => refresh(address), SETTLE_MS);
}

const BEHIND_MS = 30_000;
const LONGEST_WAIT_MS = 2_000;

/** What a movement of NSD changes for certain; whatever else settles meanwhile changes the credits as well. */
export type NsdField = "wallet_wei" | "withdrawing_wei";

/** Moves NSD of an address, and resolves once the keeper tells of it, whose node may be behind the wallet's. */
export async function movingNsd(address: Hex, field: NsdField, move: () => Promise<unknown>): Promise<void> {
  const told = (): Promise<string | undefined> =>
    freshBalances(address).then(
      ({ nsd }) => nsd[field],
      () => undefined,
    );
  const before = await told();
  await move();
  const until = Date.now() + BEHIND_MS;
  for (let wait = 100; Date.now() < until; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    const now = await told();
    if (now !== undefined && now !== before) break;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
  refreshAccount(address);
}

function refresh(address: Hex): void {
  for (const key of ["balances", "account", "rewards", "history"])
    void queries.invalidateQueries({ queryKey: [key, address] });
  void queries.invalidateQueries({ queryKey: ["network"] });
}

/** What an address holds, earned and asked. */
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance } from "fastify";
import { amount } from "../http/amounts.ts";
import { ErrorOut, HistoryOut } from "../http/answers.ts";
import { BalancesOut, RewardsOut, UserStatsOut } from "../http/answers-reads.ts";
import { address } from "../http/ask.ts";
import { baseUrl } from "../http/origin.ts";
import { presentRequest } from "../http/present.ts";
import { AddressParams, AddressQuery, NoQuery, PageQuery } from "../http/schemas.ts";
import type { HttpSettings } from "../http/settings.ts";
import { ApiError } from "../services/errors.ts";
import type { Balances, Reads, Services } from "../services/types.ts";

const PAGE = 50;

const failures = { "4xx": ErrorOut, "5xx": ErrorOut };

export function registerAccounts(app: FastifyInstance, { reads }: Services, settings: HttpSettings): void {
  registerStanding(app, reads);
  registerRewards(app, reads);
  registerHistory(app, reads, settings);
}

function registerStanding(app: FastifyInstance, reads: Reads): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const stats = { querystring: AddressQuery, response: { 200: UserStatsOut, ...failures } };
  typed.get(
    "/api/user-stats",
    { schema: { summary: "Standing of an address", tags: ["Account"], ...stats } },
    async (request) => {
      const standing = await reads.userStats(address(request.query.address));
      return {
        address: standing.address,
        ...amount("token_balance", standing.tokenBalance),
        ...amount("total_rewards", standing.totalRewards),
        interaction_count: standing.interactionCount,
        last_interaction: standing.lastInteraction?.toISOString() ?? null,
        rank: standing.rank ?? null,
        is_private: standing.isPrivate,
        quality_score: null,
        ...amount("choir_balance", standing.choirBalance),
      };
    },
  );
  const balances = { params: AddressParams, querystring: NoQuery, response: { 200: BalancesOut, ...failures } };
  typed.get(
    "/api/balances/:address",
    { schema: { summary: "Balances of an address", tags: ["Account"], ...balances } },
    async (request) => presentBalances(await reads.balances(address(request.params.address))),
  );
}

function registerRewards(app: FastifyInstance, reads: Reads): void {
  const schema = { params: AddressParams, querystring: PageQuery, response: { 200: RewardsOut, ...failures } };
  app
    .withTypeProvider<TypeBoxTypeProvider>()
    .get(
      "/api/rewards/:address",
      { schema: { summary: "Rewards of an address", tags: ["Account"], ...schema } },
      async (request) => {
        const user = address(request.params.address);
        const limit = request.query.limit ?? PAGE;
        const found = await reads.rewards(user, limit + 1, timeOf(request.query.before));
        const { entries, next } = pageOf(found, limit, ({ at }) => at);
        const rewards = entries.map((entry) => ({
          token: entry.token,
          ...amount("amount", entry.amount),
          ...(entry.requestId === undefined ? {} : { request_id: entry.requestId }),
          transaction: entry.transaction,
          at: entry.at.toISOString(),
        }));
        return { address: user, rewards, next_before: next };
      },
    );
}

function registerHistory(app: FastifyInstance, reads: Reads, settings: HttpSettings): void {
  const schema = { params: AddressParams, querystring: PageQuery, response: { 200: HistoryOut, ...failures } };
  app
    .withTypeProvider<TypeBoxTypeProvider>()
    .get(
      "/api/history/:address",
      { schema: { summary: "Requests of an address", tags: ["Account"], ...schema } },
      async (request) => {
        const user = address(request.params.address);
        const limit = request.query.limit ?? PAGE;
        const found = await reads.history(user, limit + 1, timeOf(request.query.before));
        const { entries, next } = pageOf(found.requests, limit, ({ createdAt }) => createdAt, found.cut);
        const links = { base: baseUrl(request, settings.publicUrl), explorer: settings.explorerUrl };
        const requests = entries.map((state) => ({ ...presentRequest(state, links), prompt: state.prompt }));
        return { address: user, requests, next_before: next };
      },
    );
}

/**
 * A page of what was found, one more than was asked for, or fewer where that was cut. The next page begins before the last
 * time of this one, so entries of one time stay together: those that the page would cut apart move to the next.
 */
function pageOf<T>(
  found: readonly T[],
  limit: number,
  at: (entry: T) => Date,
  cut = false,
): { entries: readonly T[]; next: string | null } {
  const beyond = found[limit];
  const whole = found
    .slice(0, limit)
    .filter((entry) => beyond === undefined || at(entry).getTime() !== at(beyond).getTime());
  const entries = whole.length > 0 ? whole : found.slice(0, limit);
  const last = entries.at(-1);
  const more = beyond !== undefined || cut;
  return { entries, next: last === undefined || !more ? null : at(last).toISOString() };
}

function presentBalances({ address: owner, nsd, nst, lcai, choir, native, earnings }: Balances) {
  return {
    address: owner,
    nsd: {
      ...amount("wallet", nsd.wallet),
      ...amount("credits", nsd.credits),
      ...amount("owed", nsd.owed),
      ...amount("usable", nsd.usable),
      ...amount("locked", nsd.locked),
      ...amount("withdrawing", nsd.withdrawing),
      ...amount("allowance", nsd.allowance),
      ...(nsd.withdrawableAt === undefined ? {} : { withdrawable_at: nsd.withdrawableAt.toISOString() }),
    },
    nst: { ...amount("wallet", nst.wallet), ...amount("staked", nst.staked) },
    lcai: { ...amount("wallet", lcai.wallet), ...amount("accrued", lcai.accrued) },
    choir: amount("wallet", choir.wallet),
    native: amount("wallet", native),
    ...(earnings === undefined
      ? {}
      : {
          earnings: {
            ...amount("till", earnings.till),
            ...amount("claiming", earnings.claiming),
            ...(earnings.claimableAt === undefined ? {} : { claimable_at: earnings.claimableAt.toISOString() }),
          },
        }),
  };
}

function timeOf(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new ApiError(
    400,
    "invalid_field",
    '"before" is no time that a calendar knows. Send one such as 2026-01-31T12:00:00Z.',
    { field: "before" },
  );
}

import { type Address, getAddress } from "viem";
import { nsdAbi, rewardAbi, routerAbi, validatorsAbi } from "../chain/contracts.ts";
import { charge, minimumPayment, tokensFor } from "../chain/fees.ts";
import * as caches from "../database/caches.ts";
import { historyOf } from "../database/requests.ts";
import { normalizedCid } from "../storage/cid.ts";
import { InvalidCidError } from "../storage/errors.ts";
import { requireModel } from "./admission.ts";
import { balanceOf, readBalances } from "./balances.ts";
import type { Context } from "./context.ts";
import { ApiError } from "./errors.ts";
import { readHealth } from "./health.ts";
import { locate } from "./locate.ts";
import { stateOf } from "./state.ts";
import { isServedElsewhere } from "./submissions.ts";
import type { Supervisor } from "./supervisor.ts";
import { BurnedSum } from "./supply.ts";
import type * as types from "./types.ts";

const END_OF_TIME = Number.MAX_SAFE_INTEGER;
const FIRST_VALIDATOR = 4;
/** Of prompts and answers in a page of history: 200 answers of the longest kind hold less, 200 of the longest prompts 50 MB. */
const HISTORY_BYTES = 4 * 1024 * 1024;
const dateOf = (seconds: bigint | number): Date => new Date(Number(seconds) * 1000);

/** Everything that is asked and not spent. */
export class ReadService implements types.Reads {
  readonly #context: Context;
  readonly #supervisor: Supervisor;
  readonly #lag: () => number;
  readonly #burned: BurnedSum;

  constructor(context: Context, supervisor: Supervisor, lag: () => number) {
    this.#context = context;
    this.#supervisor = supervisor;
    this.#lag = lag;
    this.#burned = new BurnedSum(context);
  }

  health(): Promise<types.HealthReport> {
    return readHealth(this.#context, this.#lag());
  }

  async network(): Promise<types.NetworkInfo> {
    const { chain, deployment, operator, validator, model } = this.#context;
    const { client } = chain;
    const { router, nsd } = deployment.addresses;
    const read = { address: nsd, abi: nsdAbi } as const;
    const [block, [records], total, genesis, retired, epoch] = await Promise.all([
      client.getBlockNumber(),
      client.readContract({ address: router, abi: routerAbi, functionName: "ledger" }),
      client.readContract({ ...read, functionName: "totalSupply" }),
      client.readContract({ ...read, functionName: "GENESIS" }),
      client.readContract({ ...read, functionName: "retired" }),
      client.readContract({ ...read, functionName: "currentEpoch" }),
    ]);
    const [burnedEver, burned, minted] = await Promise.all([
      this.#burned.until(epoch),
      client.readContract({ ...read, functionName: "burnedInEpoch", args: [epoch] }),
      client.readContract({ ...read, functionName: "mintedInEpoch", args: [epoch] }),
    ]);
    return {
      chainId: chain.id,
      local: chain.local,
      rpcUrl: publicUrl(chain.urls[0] ?? ""),
      contracts: deployment.addresses,
      operator,
      validatorId: validator.id,
      model,
      block,
      records,
      // The token keeps no sums: what was minted back is what was burned, less what the supply lacks.
      supply: { total, retired, burned: burnedEver, minted: burnedEver - (genesis - total) },
      epoch: { number: Number(epoch), burned, minted },
      queue: { waiting: this.#supervisor.worker.waiting, running: this.#supervisor.worker.running },
    };
  }

  async quote(name: string | undefined, maxTokens: number, priority: boolean, payment?: bigint): Promise<types.Quote> {
    const model = name ?? this.#context.model;
    await requireModel(this.#context, "assigned", model);
    const offer = await this.#context.catalogue.offer(model);
    if (maxTokens < 1 || maxTokens > offer.tokenLimit) {
      throw new ApiError(400, "invalid_tokens", `max_tokens lies between 1 and ${offer.tokenLimit} for ${model}.`, {
        field: "max_tokens",
      });
    }
    const minimum = minimumPayment(offer, priority);
    const { commitFrom } = offer;
    const cost = charge(offer, BigInt(maxTokens), priority);
    const quote = { model, maxTokens, priority, cost, minimum, commitFrom };
    if (payment === undefined) return quote;
    if (payment < minimum) return { ...quote, payment, tokens: 0 };
    const bought = Number(tokensFor(offer, payment, priority)) || 1;
    return { ...quote, payment, tokens: Math.min(bought, offer.tokenLimit) };
  }

  async models(): Promise<types.ModelInfo[]> {
    const { catalogue, model } = this.#context;
    const models = await catalogue.models();
    return Promise.all(
      models.map(async (entry) => {
        const offer = await catalogue.offer(entry.name);
        const servedElsewhere = isServedElsewhere(this.#context, entry.name, offer);
        return { ...entry, local: entry.name === model, servers: offer.servers, servedElsewhere };
      }),
    );
  }

  async validators(): Promise<types.ValidatorInfo[]> {
    const { chain, deployment } = this.#context;
    const { validators, router } = deployment.addresses;
    const count = await chain.client.readContract({ address: validators, abi: validatorsAbi, functionName: "count" });
    const ids = Array.from({ length: Math.min(Number(count), 500) }, (_, index) => BigInt(index + FIRST_VALIDATOR));
    return Promise.all(
      ids.map(async (id) => {
        const [record, seat, owner] = await Promise.all([
          chain.client.readContract({
            address: validators,
            abi: validatorsAbi,
            functionName: "validatorById",
            args: [id],
          }),
          chain.client.readContract({ address: router, abi: routerAbi, functionName: "validatorOf", args: [id] }),
          chain.client.readContract({ address: validators, abi: validatorsAbi, functionName: "ownerOf", args: [id] }),
        ]);
        return {
          id: Number(id),
          owner,
          operator: record.operator,
          stake: record.stake,
          models: record.models,
          endpoint: record.endpoint,
          reputation: Number(record.reputation),
          totalRequests: record.totalRequests,
          successfulRequests: record.successfulRequests,
          registered: dateOf(record.registered),
          load: Number(seat.load),
          capacity: Number(seat.capacity),
        };
      }),
    );
  }

  async userStats(address: Address): Promise<types.UserStats> {
    const user = getAddress(address);
    const { chain, deployment, database } = this.#context;
    const { reward, lcai, choir } = deployment.addresses;
    const [[interactions, totalRewards, last, isPrivate], tokenBalance, choirBalance, rank] = await Promise.all([
      chain.client.readContract({ address: reward, abi: rewardAbi, functionName: "statsOf", args: [user] }),
      balanceOf(this.#context, lcai, user),
      balanceOf(this.#context, choir, user),
      caches.rankOf(database, user),
    ]);
    return {
      address: user,
      tokenBalance,
      totalRewards,
      interactionCount: Number(interactions),
      ...(last === 0n ? {} : { lastInteraction: dateOf(last) }),
      ...(rank === undefined ? {} : { rank }),
      isPrivate,
      choirBalance,
    };
  }

  balances(address: Address): Promise<types.Balances> {
    return readBalances(this.#context, getAddress(address));
  }

  locate(address: Address): Promise<types.Located> {
    return locate(this.#context, getAddress(address));
  }

  async rewards(address: Address, limit: number, before?: Date): Promise<types.RewardEntry[]> {
    const rows = await caches.rewardsOf(this.#context.database, address, limit, before?.getTime() ?? END_OF_TIME);
    return rows.map(({ token, amount, requestId, transaction, at }) => ({
      token,
      amount,
      ...(requestId === null ? {} : { requestId }),
      transaction,
      at: new Date(at),
    }));
  }

  async history(address: Address, limit: number, before?: Date): Promise<types.HistoryPage> {
    const from = before?.getTime() ?? END_OF_TIME;
    const { rows, cut } = await historyOf(this.#context.database, address, limit, from, HISTORY_BYTES);
    return { requests: rows.map((row) => stateOf(row)), cut };
  }

  async block(cid: string): Promise<Uint8Array | undefined> {
    try {
      return await this.#context.blocks.get(normalizedCid(cid), { local: true });
    } catch (error) {
      if (error instanceof InvalidCidError) throw new ApiError(400, "invalid_cid", error.message, { field: "cid" });
      throw error;
    }
  }
}

/** An endpoint's address may hold a key; the page needs to know the host alone. */
function publicUrl(url: string): string {
  const { protocol, host, hostname } = new URL(url);
  const local = hostname === "localhost" || hostname.startsWith("127.") || hostname === "[::1]";
  return local ? url : `${protocol}//${host}`;
}

/** Prices, models, validators, supply, and whether the keeper serves. */
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance } from "fastify";
import { amount, maybeAmount, parseAmount } from "../http/amounts.ts";
import { ErrorOut } from "../http/answers.ts";
import { HealthOut, ModelsOut, NetworkOut, QuoteOut, ValidatorsOut } from "../http/answers-reads.ts";
import { assertModel } from "../http/ask.ts";
import { once } from "../http/once.ts";
import { nodeName } from "../http/present.ts";
import { NoQuery, QuoteQuery } from "../http/schemas.ts";
import type { HttpSettings } from "../http/settings.ts";
import type { HealthReport, NetworkInfo, Reads, Services, ValidatorInfo } from "../services/types.ts";

const failures = { "4xx": ErrorOut, "5xx": ErrorOut };
const DEFAULT_TOKENS = 500;
/** Both cost many calls, and nobody pays for them. */
const HEALTH_KEPT_MS = 2_000;
const VALIDATORS_KEPT_MS = 5_000;

export function registerNetwork(app: FastifyInstance, { reads }: Services, settings: HttpSettings): void {
  registerHealth(app, reads);
  registerQuote(app, reads);
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const validators = once(VALIDATORS_KEPT_MS, async () => (await reads.validators()).map(presentValidator));

  typed.get(
    "/api/models",
    {
      schema: {
        summary: "The model catalogue",
        tags: ["Network"],
        querystring: NoQuery,
        response: { 200: ModelsOut, ...failures },
      },
    },
    async () => ({
      models: (await reads.models()).map((model) => ({
        id: model.id,
        name: model.name,
        file_hash: model.fileHash,
        multiplier_bps: model.multiplierBps,
        max_tokens: model.maxTokens,
        max_input_tokens: model.maxInputTokens,
        active: model.active,
        local: model.local,
        servers: model.servers,
      })),
    }),
  );

  typed.get(
    "/api/validators",
    {
      schema: {
        summary: "Who may answer",
        tags: ["Network"],
        querystring: NoQuery,
        response: { 200: ValidatorsOut, ...failures },
      },
    },
    async () => ({ validators: await validators() }),
  );

  typed.get(
    "/api/network",
    {
      schema: {
        summary: "Chain, contracts, supply and queue",
        tags: ["Network"],
        querystring: NoQuery,
        response: { 200: NetworkOut, ...failures },
      },
    },
    async () => presentNetwork(await reads.network(), settings.explorerUrl),
  );
}

function registerHealth(app: FastifyInstance, reads: Reads): void {
  const health = once(HEALTH_KEPT_MS, () =>
    reads.health().catch((error: unknown): HealthReport => {
      app.log.error({ err: error }, "health check failed");
      const down = { state: "down" as const };
      return { status: "down", components: { chain: down, storage: down, model: down, database: down } };
    }),
  );
  app.withTypeProvider<TypeBoxTypeProvider>().get(
    "/api/health",
    {
      schema: {
        summary: "Whether the keeper serves",
        tags: ["Network"],
        querystring: NoQuery,
        response: { 200: HealthOut, 503: HealthOut, ...failures },
      },
    },
    async (_request, reply) => {
      const report = await health();
      const components = {
        chain: presentComponent(report, "chain"),
        storage: presentComponent(report, "storage"),
        model: presentComponent(report, "model"),
        database: presentComponent(report, "database"),
      };
      reply.header("cache-control", "no-store");
      return reply.code(report.status === "down" ? 503 : 200).send({ status: report.status, components });
    },
  );
}

function presentComponent(report: HealthReport, name: keyof HealthReport["components"]) {
  const { state, latencyMs, lagBlocks, detail } = report.components[name];
  return {
    state,
    ...(latencyMs === undefined ? {} : { latency_ms: latencyMs }),
    ...(lagBlocks === undefined ? {} : { lag_blocks: lagBlocks }),
    ...(detail === undefined ? {} : { detail }),
  };
}

function registerQuote(app: FastifyInstance, reads: Reads): void {
  app.withTypeProvider<TypeBoxTypeProvider>().get(
    "/api/quote",
    {
      schema: {
        summary: "What an answer costs",
        tags: ["Network"],
        querystring: QuoteQuery,
        response: { 200: QuoteOut, ...failures },
      },
    },
    async (request) => {
      const { model, max_tokens, priority, nsd_payment } = request.query;
      const payment = nsd_payment === undefined ? undefined : parseAmount(nsd_payment, "nsd_payment");
      if (model !== undefined) await assertModel("assigned", model, reads, max_tokens ?? 1);
      const quote = await reads.quote(model, max_tokens ?? DEFAULT_TOKENS, priority ?? false, payment);
      return {
        model: quote.model,
        max_tokens: quote.maxTokens,
        priority: quote.priority,
        ...amount("cost", quote.cost),
        ...amount("minimum", quote.minimum),
        ...amount("commit_from", quote.commitFrom),
        ...maybeAmount("payment", quote.payment),
        ...(quote.tokens === undefined ? {} : { tokens: quote.tokens }),
      };
    },
  );
}

function presentValidator(validator: ValidatorInfo) {
  return {
    id: validator.id,
    node: nodeName(validator.id) ?? "",
    owner: validator.owner,
    operator: validator.operator,
    ...amount("stake", validator.stake),
    models: [...validator.models],
    endpoint: validator.endpoint,
    reputation: validator.reputation,
    total_requests: Number(validator.totalRequests),
    successful_requests: Number(validator.successfulRequests),
    registered: validator.registered.toISOString(),
    load: validator.load,
    capacity: validator.capacity,
  };
}

function presentNetwork(network: NetworkInfo, explorerUrl: string | undefined) {
  const { supply, epoch } = network;
  return {
    chain_id: network.chainId,
    local: network.local,
    rpc_url: network.rpcUrl,
    explorer_url: explorerUrl ?? null,
    contracts: { ...network.contracts },
    operator: network.operator,
    validator_id: network.validatorId,
    model: network.model,
    block: Number(network.block),
    records: Number(network.records),
    supply: {
      ...amount("total", supply.total),
      ...amount("retired", supply.retired),
      ...amount("burned", supply.burned),
      ...amount("minted", supply.minted),
    },
    epoch: { number: epoch.number, ...amount("burned", epoch.burned), ...amount("minted", epoch.minted) },
    queue: { ...network.queue },
  };
}

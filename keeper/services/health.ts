import type { Context } from "./context.ts";
import { rotatedWords } from "./rotation.ts";
import type { ComponentState, HealthReport } from "./types.ts";

type Component = HealthReport["components"]["chain"];

/** Blocks behind the newest one from which on what this keeper says may be out of date. */
const LAG_DEGRADED = 10;
/** Seconds without a look at the chain after which it counts as unreachable. */
const BLIND_AFTER_MS = 60_000;
const MINIMUM_GAS_MONEY = 10n ** 15n;

export async function readHealth(context: Context, lag: number): Promise<HealthReport> {
  const [chain, storage, database] = await Promise.all([
    chainHealth(context, lag),
    storageHealth(context),
    databaseHealth(context),
  ]);
  const model = modelHealth(context);
  const states = [chain, storage, model, database].map((component) => component.state);
  const status: ComponentState = states.includes("down") ? "down" : states.includes("degraded") ? "degraded" : "ok";
  return { status, components: { chain, storage, model, database } };
}

/** Why in detail is for the log: the report is public, and errors quote paths and URLs. */
async function timed(
  { log }: Context,
  name: string,
  work: () => Promise<Omit<Component, "latencyMs">>,
): Promise<Component> {
  const start = performance.now();
  try {
    const component = await work();
    return { ...component, latencyMs: Math.round(performance.now() - start) };
  } catch (error) {
    log.warn({ err: error }, `${name} does not answer`);
    return { state: "down", latencyMs: Math.round(performance.now() - start), detail: `${name} does not answer` };
  }
}

function chainHealth(context: Context, lagBlocks: number): Promise<Component> {
  return timed(context, "the chain's endpoint", async () => {
    const balance = await context.chain.client.getBalance({ address: context.operator });
    if (Date.now() - context.head.seenAt > BLIND_AFTER_MS)
      return { state: "degraded", lagBlocks, detail: "no new look at the chain for a minute" };
    if (context.validator.rotated) return { state: "down", lagBlocks, detail: rotatedWords(context.validator.rotated) };
    if (context.validator.id === 0)
      return { state: "degraded", lagBlocks, detail: "the operator key is of no registered validator" };
    if (balance < MINIMUM_GAS_MONEY)
      return { state: "degraded", lagBlocks, detail: "the operator key has hardly any coin left for gas" };
    if (lagBlocks > LAG_DEGRADED) return { state: "degraded", lagBlocks, detail: `${lagBlocks} blocks behind` };
    return { state: "ok", lagBlocks };
  });
}

function storageHealth(context: Context): Promise<Component> {
  return timed(context, "the block store", async () => {
    const { state, detail } = await context.blocks.check();
    if (state !== "ok") context.log.warn({ state, detail }, "the block store is not well");
    return { state, ...(detail === undefined ? {} : { detail: "the block store is not well" }) };
  });
}

function databaseHealth(context: Context): Promise<Component> {
  return timed(context, "the database", async () => {
    await context.database.query("select 1");
    return { state: "ok" };
  });
}

function modelHealth({ engine }: Context): Component {
  const { state, detail } = engine.health();
  return { state, ...(detail === undefined ? {} : { detail }) };
}

/** The composition root: opens every part, wires them, and closes them in order. */
import type { FastifyInstance } from "fastify";
import { type Logger, pino } from "pino";
import { buildApp } from "./app.ts";
import { connectChain } from "./chain/clients.ts";
import { readDeployment } from "./chain/contracts.ts";
import { Follower } from "./chain/follower.ts";
import { Sender } from "./chain/sender.ts";
import type { Settings } from "./config.ts";
import { openDatabase } from "./database/open.ts";
import type { HttpSettings } from "./http/settings.ts";
import { BlockTimes } from "./services/block-times.ts";
import { Catalogue } from "./services/catalogue.ts";
import type { Context, Probe } from "./services/context.ts";
import { Hub } from "./services/hub.ts";
import { guardedLog } from "./services/log-guard.ts";
import { ChainLoop } from "./services/loop.ts";
import { Nonces } from "./services/nonces.ts";
import { modelOf, openEngine, operatorAccount, pinnedHash, requireContracts } from "./services/opening.ts";
import { ReadService } from "./services/reads.ts";
import { RequestService } from "./services/requests.ts";
import { readPost, rotatedWords, takeOver } from "./services/rotation.ts";
import { SessionBook } from "./services/sessions/book.ts";
import { HeldKeys } from "./services/sessions/keys.ts";
import { SessionService } from "./services/sessions/service.ts";
import { SessionSettler } from "./services/sessions/settler.ts";
import { Supervisor } from "./services/supervisor.ts";
import type { Services } from "./services/types.ts";
import { Watcher } from "./services/watcher.ts";
import { openBlockStore } from "./storage/blocks.ts";

export interface KeeperOptions {
  readonly log?: Logger;
  /** Folder of the built page. */
  readonly webRoot?: string;
  readonly http?: Partial<HttpSettings>;
  /** Called between the steps of a request; tests end the process there. */
  readonly probe?: Probe;
}

export interface Keeper {
  readonly app: FastifyInstance;
  readonly services: Services;
  /** Where it listens. */
  readonly url: string;
  readonly model: string;
  readonly validatorId: number;
  /** Aborted, with why, where another process took this one's journal: then the keeper stops by itself. */
  readonly lost: AbortSignal;
  /** Ends intake, lets running answers end, sends what is answered, and closes everything. May be called twice. */
  stop(): Promise<void>;
}

/** Starts a keeper and resolves when it serves. Stops when the signal is aborted. */
export async function startKeeper(
  settings: Settings,
  signal: AbortSignal,
  options: KeeperOptions = {},
): Promise<Keeper> {
  const parts = new AsyncDisposableStack();
  try {
    return await open(settings, signal, options, parts);
  } catch (error) {
    await parts.disposeAsync();
    throw error;
  }
}

type Parts = Pick<
  Context,
  | "chain"
  | "deployment"
  | "database"
  | "blocks"
  | "catalogue"
  | "engine"
  | "sender"
  | "operator"
  | "model"
  | "validator"
>;

async function open(
  settings: Settings,
  signal: AbortSignal,
  options: KeeperOptions,
  stack: AsyncDisposableStack,
): Promise<Keeper> {
  const log = guardedLog(options.log ?? pino({ level: settings.logLevel }), settings);
  const probe: Probe = options.probe ?? (() => {});
  const stopping = new AbortController();
  const lost = new AbortController();
  const parts = await openParts(settings, signal, { log, probe, stack, lost });
  const { context, services, loop, supervisor, settler } = wire(parts, {
    settings,
    log,
    probe,
    signal: stopping.signal,
  });
  // What happened while nobody watched is read before anything is decided.
  await loop.turn();
  await takeOver(context, supervisor.outcomes);
  await supervisor.pokeAll();
  await settler.sweep(true);
  loop.start();
  stack.defer(() => loop.stop());
  stack.defer(() => settler.stop());
  stack.defer(() => supervisor.stop());
  const { chain, model, operator, validator } = parts;
  const app = await buildApp({
    services,
    settings: {
      ...(chain.local ? { connectSources: [...chain.urls] } : {}),
      publicUrl: settings.publicUrl,
      explorerUrl: settings.explorerUrl,
      trustedProxies: settings.trustedProxies,
      ...options.http,
    },
    log,
    ...(options.webRoot === undefined ? {} : { webRoot: options.webRoot }),
  });
  stack.defer(() => app.close());
  stack.defer(() => stopping.abort());
  const url = await app.listen({ host: settings.host, port: settings.port });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= stack.disposeAsync();
    return stopped;
  };
  const onAbort = (): void => void stop().catch((error: unknown) => log.error({ err: error }, "not stopped in order"));
  signal.addEventListener("abort", onAbort, { once: true });
  lost.signal.throwIfAborted();
  lost.signal.addEventListener("abort", onAbort, { once: true });
  log.info({ url, model, validatorId: validator.id, operator, chain: chain.id }, "keeper serves");
  return { app, services, url, model, validatorId: validator.id, lost: lost.signal, stop };
}

/** Everything that has to be closed again, in the order in which one needs the other. */
async function openParts(
  settings: Settings,
  signal: AbortSignal,
  { log, probe, stack, lost }: { log: Logger; probe: Probe; stack: AsyncDisposableStack; lost: AbortController },
): Promise<Parts> {
  const chain = await connectChain(settings.rpcUrls, settings.pollMs);
  const deployment = readDeployment(chain.id, settings.dataDir, settings.deploymentFile);
  await requireContracts(chain, deployment);
  const account = await operatorAccount(settings, chain, deployment);
  const database = await openDatabase(settings, (error) => log.error({ err: error }, "database connection broke"));
  stack.defer(() => database.close());
  const name = [chain.id, deployment.addresses.router, account.address].join(":").toLowerCase();
  await database.claim(name, (error) => {
    log.error({ err: error }, "the journal is another process's: stopping");
    lost.abort(error);
  });
  const blocks = await openBlockStore({
    dataFolder: settings.dataDir,
    ...(settings.ipfsApiUrl === undefined ? {} : { ipfsApiUrl: settings.ipfsApiUrl }),
    logger: log,
  });
  stack.defer(() => blocks.close());
  const catalogue = new Catalogue(chain, deployment);
  const post = await readPost(chain, deployment, account.address);
  if (post.rotated) throw new Error(`the key of ${account.address} was rotated out: ${rotatedWords(post.rotated)}`);
  const validator = { id: post.id };
  const model = await modelOf(chain, deployment, validator.id, settings.modelName, log);
  signal.throwIfAborted();
  const engine = await openEngine(settings, model, await pinnedHash(catalogue, model), log, signal);
  stack.defer(() => engine.close());
  const sender = new Sender({ chain, account, database, log, probe, maxFee: settings.maxFee });
  return {
    chain,
    deployment,
    database,
    blocks,
    catalogue,
    engine,
    sender,
    operator: account.address,
    model,
    validator,
  };
}

/** Introduces the parts to each other; nothing runs yet. */
function wire(parts: Parts, shared: Pick<Context, "settings" | "log" | "probe" | "signal">) {
  const { chain, database, deployment } = parts;
  const context: Context = {
    ...parts,
    ...shared,
    hub: new Hub(database),
    times: new BlockTimes(chain),
    head: { block: 0n, timestamp: 0, seenAt: 0 },
    catchUp: () => follower.poll(),
    readUpTo: () => follower.block,
    wake: () => loop.wake(),
  };
  const keys = HeldKeys.open(shared.settings.dataDir);
  const book = new SessionBook(context, keys, (id) => settler.poke(id));
  const supervisor = new Supervisor(context, (key) => book.charge(key));
  const { outcomes } = supervisor;
  const settler = new SessionSettler(context, { book, outcomes, poke: (key) => supervisor.poke(key) });
  const watcher = new Watcher(context, supervisor);
  const follower = new Follower({
    chain,
    database,
    name: `${chain.id}:${deployment.addresses.router.toLowerCase()}`,
    addresses: (["router", "credits", "lcai", "choir"] as const).map((name) => deployment.addresses[name]),
    fromBlock: deployment.fromBlock,
    log: shared.log,
    onLogs: (logs) => watcher.onLogs(logs),
    onRewind: async (block) => {
      await settler.reopen(block);
      await watcher.onRewind(block);
      await settler.sweep();
    },
  });
  const loop = new ChainLoop(context, supervisor, follower, settler);
  const nonces = new Nonces(context);
  const services: Services = {
    requests: new RequestService(context, supervisor, nonces),
    sessions: new SessionService(context, { supervisor, book, settler, keys, nonces }),
    reads: new ReadService(context, supervisor, () => follower.lag),
  };
  return { context, services, loop, supervisor, settler };
}

import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { destination, pino } from "pino";
import { type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import { decryptKeystore } from "../../chain/keystore.ts";
import { type Overrides, operatorKeyOf, readSettings, type Settings } from "../../config.ts";
import { WEB_ROOT } from "../build.ts";
import { CliError, dim, type Steps, warn } from "../console.ts";
import { type Provisioned, provision } from "../provision.ts";
import type { Ground } from "./ground.ts";
import type { ChosenModel } from "./model.ts";
import type { Running } from "./running.ts";

const HEALTHY_WITHIN_MS = 60_000;

/** On a development chain: the catalogue, a validator and credits for the accounts that everybody knows. */
export async function introduce(
  steps: Steps,
  settings: Settings,
  ground: Ground,
  model: ChosenModel,
  endpoint: string,
): Promise<Provisioned> {
  return steps.run("Validator", async () => {
    const operator = await ownOperator(settings);
    const value = await provision({
      rpcUrl: ground.rpcUrl,
      book: ground.book,
      model,
      endpoint,
      ...(operator === undefined ? {} : { operator }),
    });
    if (value.endpoint !== endpoint) {
      warn(`The validator is registered at ${value.endpoint}; other keepers look for it there, not at ${endpoint}.`);
    }
    const funded = value.funded === 0 ? "" : `, credits for ${value.funded} development accounts`;
    return { said: `number ${value.validatorId} ${value.registered ? "registered" : "known"}${funded}`, value };
  });
}

/** Elsewhere a key of one's own is needed; whether it operates a validator, the keeper finds out. */
export async function operate(steps: Steps, settings: Settings): Promise<undefined> {
  return steps.run("Validator", async () => {
    if (settings.operatorKey === undefined && settings.keystoreFile === undefined) {
      throw new CliError(
        "A chain that is not for development needs the operator's key.",
        "Set KEYSTORE (with KEYSTORE_PASSWORD_FILE) or OPERATOR_KEY.",
      );
    }
    return { said: "with the operator key that was given", value: undefined };
  });
}

async function ownOperator(settings: Settings): Promise<PrivateKeyAccount | undefined> {
  const { keystoreFile, keystorePassword } = settings;
  const bare = operatorKeyOf(settings);
  if (bare !== undefined) return privateKeyToAccount(bare);
  if (keystoreFile === undefined) return undefined;
  return privateKeyToAccount(
    await decryptKeystore(await readFile(keystoreFile, "utf8"), keystorePassword?.reveal() ?? ""),
  );
}

/** The settings of before, with what the steps found out. */
export function keeperOverrides(
  base: Overrides,
  facts: { ground: Ground; model: ChosenModel; validator: Provisioned | undefined; port: number },
): Overrides {
  const { ground, model, validator, port } = facts;
  return {
    ...base,
    PORT: String(port),
    RPC_URL: base.RPC_URL ?? process.env["RPC_URL"] ?? ground.rpcUrl,
    MODEL: model.path,
    MODEL_NAME: model.name,
    ...(model.adapters === undefined ? {} : { LORA: model.adapters }),
    ...(validator?.operatorKey === undefined ? {} : { OPERATOR_KEY: validator.operatorKey }),
    ...(ground.development && process.env["POLL_MS"] === undefined ? { POLL_MS: "250" } : {}),
  };
}

/** Starts the keeper in this process, and waits until it says that it is healthy. Gives the signal of its stopping by itself. */
export async function serve(
  steps: Steps,
  overrides: Overrides,
  url: string,
  running: Running,
  signal: AbortSignal,
): Promise<AbortSignal> {
  return steps.run("Keeper", async (step) => {
    step.update(dim("loading the model"));
    const settings = readSettings(overrides);
    // Once it runs it is stopped by name, so that the chain outlives it: the signal is for its start alone.
    const starting = new AbortController();
    const abort = (): void => starting.abort(signal.reason);
    signal.addEventListener("abort", abort);
    try {
      const { startKeeper } = await import("../../main.ts");
      const log = pino({ level: settings.logLevel }, destination(2));
      const keeper = await startKeeper(settings, starting.signal, { log, webRoot: WEB_ROOT });
      signal.removeEventListener("abort", abort);
      running.add(() => keeper.stop());
      await healthy(url, signal);
      return { said: `healthy ${dim(url)}`, value: keeper.lost };
    } finally {
      signal.removeEventListener("abort", abort);
    }
  });
}

async function healthy(url: string, signal: AbortSignal): Promise<void> {
  let last = "no answer";
  for (const until = Date.now() + HEALTHY_WITHIN_MS; Date.now() < until; await sleep(100)) {
    signal.throwIfAborted();
    try {
      const response = await fetch(`${url}/api/health`, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
      });
      if (response.ok) return;
      last = await response.text();
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
  }
  throw new CliError(`The keeper is not healthy after ${HEALTHY_WITHIN_MS / 1000} s.`, last);
}

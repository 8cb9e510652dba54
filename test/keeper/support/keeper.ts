/** Keepers as the tests start them: real parts, a model of a few kilobytes, and nothing shared with other tests. */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { type Address, type Hex, type LocalAccount, parseEther } from "viem";
import { type Overrides, readSettings } from "../../../keeper/config.ts";
import { type Keeper, type KeeperOptions, startKeeper } from "../../../keeper/main.ts";
import type { AskFields, Intent, Lane, RequestState } from "../../../keeper/services/types.ts";
import { MODEL, OPERATOR_INDEX, privateKey, type TestChain } from "./chain.ts";
import { copyTemplate } from "./database-template.ts";
import { writeTinyModel } from "./tiny-gguf.ts";

export async function dataFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "neuroswarm-core-"));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

export async function overridesFor(
  chain: TestChain,
  dataDir: string,
  more: Overrides = {},
): Promise<Record<string, string>> {
  chain.introduce(dataDir);
  const model = join(dataDir, "tiny.gguf");
  // Tests expect a text, and random weights would end an answer before it begins now and then.
  if (!existsSync(model)) await writeTinyModel(model, { endless: true });
  await copyTemplate(dataDir);
  return {
    DATA_DIR: dataDir,
    PORT: "0",
    RPC_URL: chain.rpcUrl,
    MODEL: model,
    MODEL_NAME: MODEL,
    OPERATOR_KEY: privateKey(OPERATOR_INDEX),
    BATCH_MS: "50",
    POLL_MS: "100",
    THREADS: "1",
    LOG_LEVEL: process.env["TEST_LOG"] ?? "silent",
    ...more,
  };
}

export async function keeperOn(
  chain: TestChain,
  dataDir: string,
  more: Overrides = {},
  options: KeeperOptions = {},
): Promise<Keeper> {
  const settings = readSettings(await overridesFor(chain, dataDir, more), {});
  return startKeeper(settings, new AbortController().signal, { log: pino({ level: settings.logLevel }), ...options });
}

export const ask = (user: Address, prompt: string, more: Partial<AskFields> = {}): AskFields => ({
  user,
  prompt,
  maxTokens: 16,
  temperature: 0.7,
  payment: parseEther("50"),
  priority: false,
  ...more,
});

/** Prepares, signs as the user, and hands in. */
export async function request(
  keeper: Keeper,
  lane: Lane,
  user: LocalAccount,
  fields: AskFields,
): Promise<{ state: RequestState; intent: Intent; signature: Hex }> {
  const data = await keeper.services.requests.prepare(lane, fields);
  const signature = await user.signTypedData({ ...data, message: { ...data.message } });
  const state = await keeper.services.requests.accept(lane, data.message, signature, fields);
  return { state, intent: data.message, signature };
}

export const settled = (keeper: Keeper, id: Hex): Promise<RequestState> =>
  keeper.services.requests.waitFor(id, "settled", 30_000);

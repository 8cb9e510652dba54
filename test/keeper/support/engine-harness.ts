import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import type { Hex } from "viem";
import type { Engine, Job } from "../../../keeper/inference/engine.ts";
import { type LocalEngineOptions, openLocalEngine } from "../../../keeper/inference/local-engine.ts";
import { type TinyModelOptions, writeTinyModel } from "./tiny-gguf.ts";

export const silent = pino({ level: "silent" });
export const NO_HASH = "0".repeat(64);

export const requestId = (n: number): Hex => `0x${n.toString(16).padStart(64, "0")}`;

export function job(overrides: Partial<Job> = {}): Job {
  return {
    requestId: requestId(1),
    messages: [{ role: "user", content: "Hello" }],
    maxTokens: 40,
    temperature: 70,
    ...overrides,
  };
}

export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "neuroswarm-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export async function openTinyEngine(
  folder: string,
  model: TinyModelOptions = {},
  options: Partial<LocalEngineOptions> = {},
): Promise<Engine> {
  const path = join(folder, "tiny.gguf");
  if (!existsSync(path)) await writeTinyModel(path, model);
  return openLocalEngine({ model: { path, sha256: NO_HASH }, gpu: false, threads: 1, logger: silent, ...options });
}

/** Whether a process is at work: one that has ended and waits for its parent's attention is not. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return !/^\d+ \(.*\) [ZX] /.test(status);
}

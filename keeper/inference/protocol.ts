import type { Hex } from "viem";
import type { EngineInfo, Message } from "./engine.ts";
import { GenerationFailedError, type InferenceError, InvalidJobError, PromptTooLongError } from "./errors.ts";

/** What the keeper's process and the worker tell each other. Plain data, since it crosses a pipe as JSON. */
export interface WorkerSettings {
  readonly modelPath: string;
  readonly adapters: readonly { readonly path: string; readonly scale: number }[];
  readonly gpu: "auto" | false;
  readonly threads: number;
  readonly sequences: number;
  /** Tokens of one request; the model's training size, at most 4096, when absent. */
  readonly contextSize?: number;
  readonly batchSize: number;
  readonly reasoning: boolean;
}

export interface WorkerJob {
  readonly id: number;
  readonly requestId: Hex;
  readonly salt?: Hex;
  readonly messages: readonly Message[];
  readonly maxTokens: number;
  readonly temperature: number;
  /** Tokens drawn before an earlier worker died: the answer goes on after them. */
  readonly drawn: readonly number[];
}

export type LengthCheck = Pick<WorkerJob, "id" | "messages" | "maxTokens">;

export type ToWorker =
  | { readonly type: "load"; readonly settings: WorkerSettings }
  | { readonly type: "check-length"; readonly check: LengthCheck }
  | { readonly type: "job"; readonly job: WorkerJob }
  | { readonly type: "abort"; readonly id: number }
  | { readonly type: "close" };

export interface Drawn {
  readonly id: number;
  readonly token: number;
  readonly text: string;
}

export interface WireError {
  readonly kind: "prompt_too_long" | "invalid_job" | "failed";
  readonly message: string;
  readonly promptTokens?: number;
  readonly allowedTokens?: number;
}

export type LoadedModel = Pick<EngineInfo, "contextSize" | "parameters" | "bytes" | "trainedContext" | "gpu"> & {
  readonly name: string;
};

export type FromWorker =
  | { readonly type: "progress"; readonly fraction: number }
  | { readonly type: "loaded"; readonly model: LoadedModel }
  | { readonly type: "load-failed"; readonly message: string }
  | { readonly type: "started"; readonly id: number; readonly promptIds: readonly number[] }
  /** After every step, with what it drew: also the sign of life that the watchdog waits for. */
  | { readonly type: "step"; readonly drawn: readonly Drawn[] }
  | { readonly type: "done"; readonly id: number; readonly rest: string; readonly finishReason: "stop" | "length" }
  | { readonly type: "failed"; readonly id: number; readonly error: WireError }
  | { readonly type: "length-checked"; readonly id: number; readonly error?: WireError }
  | { readonly type: "log"; readonly level: "info" | "warn" | "error"; readonly message: string };

export function wireError(error: unknown): WireError {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof PromptTooLongError) {
    const { promptTokens, allowedTokens } = error;
    return { kind: "prompt_too_long", message, promptTokens, allowedTokens };
  }
  if (error instanceof InvalidJobError) return { kind: "invalid_job", message };
  return { kind: "failed", message };
}

export function fromWireError(error: WireError): InferenceError {
  if (error.kind === "prompt_too_long")
    return new PromptTooLongError(error.promptTokens ?? 0, error.allowedTokens ?? 0);
  if (error.kind === "invalid_job") return new InvalidJobError(error.message);
  return new GenerationFailedError(error.message);
}

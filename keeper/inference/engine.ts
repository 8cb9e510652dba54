import type { Hex } from "viem";

/** What answers prompts. The keeper knows this interface alone; where the model runs is one setting. */
export interface Engine {
  readonly info: EngineInfo;
  /** Rejects with an `InferenceError`, or with the signal's reason once `job.signal` is aborted. */
  generate(job: Job): Promise<Answer>;
  /**
   * Rejects with the `PromptTooLongError` that `generate` would reject with. Resolves otherwise, and where nobody can
   * tell in time, since the model is being loaded again or its step takes long.
   */
  checkLength(prompt: Pick<Job, "messages" | "maxTokens">): Promise<void>;
  health(): EngineHealth;
  /** Refuses new jobs, rejects open ones with `EngineClosedError`, and returns when the worker has ended. */
  close(): Promise<void>;
}

export interface Adapter {
  readonly sha256: string;
  readonly scale: number;
  /** The file's name without its folder: records and health must not tell how a disk is laid out. */
  readonly name: string;
}

export interface EngineInfo {
  readonly model: string;
  /** SHA-256 of the GGUF, 64 hex digits. */
  readonly sha256: string;
  readonly adapters: readonly Adapter[];
  /** Tokens that prompt and answer of one request share. */
  readonly contextSize: number;
  /** Jobs that run together; what is handed in beyond that waits in order of arrival. */
  readonly parallel: number;
  readonly parameters: number | undefined;
  readonly bytes: number;
  /** Tokens the model was trained to see at once. */
  readonly trainedContext: number;
  readonly gpu: "cuda" | "vulkan" | "metal" | undefined;
  readonly threads: number;
}

export type Role = "system" | "user" | "assistant";

export interface Message {
  readonly role: Role;
  readonly content: string;
}

export interface Job {
  /** 32 bytes. Seeds the public noise: the same id, salt and messages give the same answer. */
  readonly requestId: Hex;
  /** 32 bytes that keep the noise of a private request from tying its text to its id; zero or absent for public ones. */
  readonly salt?: Hex;
  readonly messages: readonly Message[];
  readonly maxTokens: number;
  /** Hundredths, 0 to 200. */
  readonly temperature: number;
  /** Text as it is drawn, whole characters only; the pieces joined are the answer's text. */
  readonly onToken?: (text: string) => void;
  readonly signal?: AbortSignal;
  /** Ends the answer with what is drawn when it is aborted; rejects with its reason where that is nothing yet. */
  readonly cut?: AbortSignal;
}

/** `cancelled`: its user took the request back, and this is what there was by then. */
export type FinishReason = "stop" | "length" | "cancelled";

export interface Answer {
  readonly text: string;
  readonly promptIds: readonly number[];
  /** With the end token as its last, where one was drawn. */
  readonly outputIds: readonly number[];
  /** `length` at `maxTokens`, or where the context was full before. */
  readonly finishReason: FinishReason;
  /** Output tokens without the end token, at least 1. */
  readonly tokensUsed: number;
  /** From the start of the work, without the wait for a free place. */
  readonly milliseconds: number;
}

export interface EngineHealth {
  readonly state: "ok" | "degraded" | "down";
  readonly detail?: string;
  readonly running: number;
  readonly waiting: number;
  /** Restarts of the worker since the engine was opened. */
  readonly restarts: number;
  readonly workerPid: number | undefined;
}

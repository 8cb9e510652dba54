import { CodedError } from "../services/coded-error.ts";

/**
 * What can go wrong between a prompt and its answer. `retryable` says whether the same job can succeed later, here or
 * elsewhere; a final error will come back with every attempt.
 */
export class InferenceError extends CodedError {}

export class PromptTooLongError extends InferenceError {
  readonly promptTokens: number;
  readonly allowedTokens: number;

  constructor(promptTokens: number, allowedTokens: number) {
    super(
      "prompt_too_long",
      false,
      `The prompt is ${promptTokens} tokens long; this model takes at most ${allowedTokens}. Shorten the prompt or the conversation.`,
    );
    this.promptTokens = promptTokens;
    this.allowedTokens = allowedTokens;
  }
}

export class InvalidJobError extends InferenceError {
  constructor(message: string) {
    super("invalid_job", false, message);
  }
}

/** The model gave no answer although the engine works: its template failed, or the worker died of this very job. */
export class GenerationFailedError extends InferenceError {
  constructor(message: string, options?: ErrorOptions) {
    super("generation_failed", false, message, options);
  }
}

export class EngineClosedError extends InferenceError {
  constructor() {
    super("engine_closed", true, "The engine is shutting down; the job can be given to it again after the restart.");
  }
}

/** The model cannot be loaded with these settings: a new attempt needs other settings. */
export class ModelLoadError extends InferenceError {
  constructor(message: string, options?: ErrorOptions) {
    super("model_load_failed", false, message, options);
  }
}

export class ModelFileError extends InferenceError {
  readonly file: string;

  constructor(file: string, message: string, retryable = false, options?: ErrorOptions) {
    super("model_file", retryable, `${file}: ${message}`, options);
    this.file = file;
  }
}

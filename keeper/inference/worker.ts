import { basename } from "node:path";
import { getLlama, type Llama, type LlamaContext, LlamaLogLevel, type LlamaModel } from "node-llama-cpp";
import { LockStep } from "./lock-step.ts";
import { promptTemplate } from "./prompt.ts";
import type { FromWorker, LoadedModel, ToWorker, WorkerSettings } from "./protocol.ts";

/**
 * The process that holds the model. It is one of its own because the engine is native code: when it crashes or hangs,
 * the keeper lives on. It also needs libuv's pool at one thread, which cannot be changed in a process that runs.
 */
const DEFAULT_CONTEXT = 4096;

let jobs: LockStep | undefined;
let llama: Llama | undefined;

function send(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}

function logLlama(level: LlamaLogLevel, message: string): void {
  const known =
    level === LlamaLogLevel.fatal || level === LlamaLogLevel.error
      ? "error"
      : level === LlamaLogLevel.warn
        ? "warn"
        : "info";
  send({ type: "log", level: known, message: message.trimEnd() });
}

async function load(settings: WorkerSettings): Promise<void> {
  llama = await getLlama({
    gpu: settings.gpu,
    build: "never",
    maxThreads: settings.threads,
    logLevel: LlamaLogLevel.warn,
    logger: logLlama,
    progressLogs: false,
  });
  const model = await llama.loadModel({ modelPath: settings.modelPath, onLoadProgress: progress() });
  const context = await model.createContext({
    sequences: settings.sequences,
    contextSize: settings.contextSize ?? Math.min(model.trainContextSize, DEFAULT_CONTEXT),
    batchSize: settings.batchSize,
    threads: settings.threads,
    ...(settings.adapters.length === 0
      ? {}
      : { lora: { adapters: settings.adapters.map(({ path, scale }) => ({ filePath: path, scale })) } }),
  });
  jobs = new LockStep({ model, context, template: promptTemplate(model, settings.reasoning), send });
  send({ type: "loaded", model: describe(llama, model, context) });
}

function progress(): (fraction: number) => void {
  let percent = 0;
  return (fraction) => {
    const now = Math.floor(fraction * 100);
    if (now > percent) send({ type: "progress", fraction });
    percent = Math.max(percent, now);
  };
}

function describe(from: Llama, model: LlamaModel, context: LlamaContext): LoadedModel {
  const tensors = model.fileInfo.fullTensorInfo ?? [];
  const parameters = tensors.reduce(
    (sum, tensor) => sum + tensor.dimensions.reduce<number>((size, n) => size * Number(n), 1),
    0,
  );
  return {
    name: model.fileInfo.metadata.general?.name ?? basename(model.filename ?? "model"),
    contextSize: context.contextSize,
    parameters: parameters === 0 ? undefined : parameters,
    bytes: model.size,
    trainedContext: model.trainContextSize,
    gpu: from.gpu === false ? undefined : from.gpu,
  };
}

process.on("message", (message: ToWorker) => {
  switch (message.type) {
    case "load":
      load(message.settings).catch((error: unknown) => {
        send({ type: "load-failed", message: error instanceof Error ? error.message : String(error) });
      });
      return;
    case "job":
      jobs?.add(message.job);
      return;
    case "check-length":
      jobs?.checkLength(message.check);
      return;
    case "abort":
      jobs?.abort(message.id);
      return;
    case "close":
      void (llama?.dispose() ?? Promise.resolve()).finally(() => process.exit(0));
      return;
  }
});

// The keeper is gone: nobody reads the answers, and a worker that lingers would hold the model's memory.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));

// Ctrl-C and service managers signal the whole group; the keeper decides when the worker ends.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);

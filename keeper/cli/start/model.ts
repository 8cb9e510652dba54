import { existsSync } from "node:fs";
import { basename } from "node:path";
import { type ModelProgress, parseModelSource, resolveAdapter, resolveModel } from "../../inference/models.ts";
import { CliError, dim, type Step } from "../console.ts";
import type { StartOptions } from "./plan.ts";

/** The model's file with the name that the catalogue gives it, and its adapters as the setting LORA writes them. */
export interface ChosenModel {
  readonly name: string;
  readonly path: string;
  readonly sha256: `0x${string}`;
  readonly adapters: string | undefined;
}

export interface ModelChoice {
  readonly options: StartOptions;
  /** What the environment says, where the command line says nothing. */
  readonly file: string | undefined;
  readonly name: string | undefined;
  readonly dataDir: string;
  readonly demo: { readonly path: string; readonly name: string };
}

/** Finds or brings the model, and hashes it: the catalogue pins that hash. */
export async function chooseModel(step: Step, choice: ModelChoice, signal: AbortSignal): Promise<ChosenModel> {
  const source = choice.options.model ?? choice.file ?? choice.demo.path;
  const given = source !== choice.demo.path;
  if (!given && !existsSync(source)) {
    throw new CliError(
      "The model that ships with NeuroSwarm is missing.",
      "Restore keeper/demo-model, or name another model with --model.",
    );
  }
  const progress = { dataFolder: choice.dataDir, onProgress: shown(step), signal };
  const file = await resolveModel(source, progress);
  const adapters: string[] = [];
  for (const entry of choice.options.lora ?? []) {
    const adapter = await resolveAdapter(entry, progress);
    adapters.push(`${adapter.path}:${adapter.scale}`);
  }
  return {
    name: choice.name ?? (given ? nameOf(source) : choice.demo.name),
    path: file.path,
    sha256: `0x${file.sha256}`,
    adapters: adapters.length === 0 ? undefined : adapters.join(","),
  };
}

/** A catalogue's name from a file's: `models/Llama-2-7B-Q4.gguf` is `llama-2-7b-q4`. */
export function nameOf(source: string): string {
  const { source: path } = parseModelSource(source);
  const file = /^https?:\/\//i.test(path) ? decodeURIComponent(new URL(path).pathname) : path;
  const name = basename(file)
    .replace(/\.gguf$/i, "")
    .toLowerCase()
    .replaceAll(/[^\w.:-]/g, "-")
    .slice(0, 64);
  if (name === "")
    throw new CliError(`${source} gives no name for the catalogue.`, "Name the model with --model-name.");
  return name;
}

function shown(step: Step): (progress: ModelProgress) => void {
  return ({ phase, done, total }) => {
    const of =
      total === undefined ? "" : ` of ${megabytes(total)} (${Math.floor((100 * done) / Math.max(total, 1))} %)`;
    step.update(dim(`${phase === "download" ? "downloading" : "hashing"} ${megabytes(done)}${of}`));
  };
}

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;

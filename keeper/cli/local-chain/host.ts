/**
 * Runs anvil for `start`, as a process of its own: it outlives a `start` that is killed by just long enough to save the
 * chain and to stop anvil. It listens to no terminal, so Ctrl-C reaches it through `start`, when the keeper is done.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { recordOf, removeRecord, writeRecord } from "../processes.ts";
import { call } from "./rpc.ts";
import { findState, keepOneGenesis, saveState, stateFiles } from "./state.ts";

/** What `start` hands over, as JSON in the only argument. */
export interface HostOptions {
  readonly folder: string;
  readonly anvil: string;
  readonly port: number;
  readonly chainId: number;
  readonly mnemonic: string;
  readonly saveEveryMs: number;
}

/** What the host tells `start`. */
export type HostMessage =
  | {
      readonly type: "ready";
      readonly port: number;
      readonly block: number;
      readonly resumed: boolean;
      readonly passedOver: boolean;
    }
  | { readonly type: "saved"; readonly problem: string | undefined }
  | { readonly type: "failed"; readonly message: string; readonly lost: boolean };

const START_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 3_000;

const options = JSON.parse(process.argv[2] ?? "{}") as HostOptions;
const files = stateFiles(options.folder);
const url = `http://127.0.0.1:${options.port}`;
let anvil: ChildProcess | undefined;
let stopping: Promise<void> | undefined;
let savedBlock = -1;
let saving: Promise<void> = Promise.resolve();

function tell(message: HostMessage): void {
  if (process.connected) process.send?.(message, () => undefined);
}

/** Saves the chain where it has a block that no file has. Saves never overlap. */
function save(): Promise<void> {
  // One that failed is no reason for the next not to be tried.
  saving = saving
    .catch(() => undefined)
    .then(async () => {
      const block = Number(await call<string>(url, "eth_blockNumber"));
      if (block === savedBlock) return;
      await saveState(files, await call<string>(url, "anvil_dumpState"));
      savedBlock = block;
    });
  return saving;
}

async function launch(statePath: string | undefined): Promise<{ child: ChildProcess; output: () => string }> {
  const log = await open(join(options.folder, "anvil.log"), "w");
  const args = ["--host", "127.0.0.1", "--port", String(options.port), "--chain-id", String(options.chainId)];
  args.push("--mnemonic", options.mnemonic, "--silent");
  if (statePath !== undefined) args.push("--load-state", statePath);
  const child = spawn(options.anvil, args, { detached: true, stdio: ["ignore", log.fd, "pipe"] });
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    errors = (errors + chunk).slice(-4_000);
  });
  child.on("error", (error) => {
    errors += error.message;
  });
  await log.close();
  return { child, output: () => errors.trim() };
}

/** Resolves once anvil answers; rejects when it ends first, or takes too long. */
async function answers(child: ChildProcess, output: () => string): Promise<void> {
  let ended = false;
  child.once("exit", () => (ended = true));
  child.once("error", () => (ended = true));
  for (const until = Date.now() + START_WITHIN_MS; Date.now() < until; await sleep(25)) {
    if (ended) throw new Error(output() || "anvil ended at once");
    if ((await call<string>(url, "eth_chainId", [], 1_000).catch(() => "")) !== "") return;
  }
  throw new Error("anvil did not answer in time");
}

/** A clock that was moved forward stays forward: a chain whose time runs backwards breaks every window in it. */
async function keepTime(): Promise<void> {
  const latest = await call<{ timestamp: string }>(url, "eth_getBlockByNumber", ["latest", false]);
  const ahead = Number(latest.timestamp) - Math.floor(Date.now() / 1000);
  if (ahead > 0) await call(url, "evm_increaseTime", [ahead + 1]);
}

async function start(): Promise<void> {
  const found = await findState(files);
  if (found.state === undefined && found.broken) {
    tell({ type: "failed", message: `no state of the chain in ${files.folder} can be read`, lost: true });
    process.exit(1);
  }
  if (found.state !== undefined) await keepOneGenesis(found.state.path);
  const { child, output } = await launch(found.state?.path);
  anvil = child;
  child.once("exit", () => {
    if (stopping === undefined) {
      tell({ type: "failed", message: output() || "anvil ended", lost: false });
      process.exit(1);
    }
  });
  if (child.pid !== undefined) {
    await writeRecord(files.record, {
      ...(await recordOf(child.pid)),
      port: options.port,
      url,
      parent: await recordOf(process.pid),
    });
  }
  await answers(child, output);
  await keepTime();
  const block = Number(await call<string>(url, "eth_blockNumber"));
  savedBlock = found.state === undefined ? -1 : block;
  tell({
    type: "ready",
    port: options.port,
    block,
    resumed: found.state !== undefined,
    passedOver: found.state !== undefined && found.passedOver,
  });
  void keepSaving();
}

/** Saves while there is something to save, and rests ten times as long as a save takes. */
async function keepSaving(): Promise<void> {
  while (stopping === undefined) {
    const started = Date.now();
    await save().catch(() => undefined);
    await sleep(Math.max(options.saveEveryMs, 10 * (Date.now() - started)));
  }
}

async function stop(): Promise<void> {
  const child = anvil;
  if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    await save().catch(() => undefined);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    const force = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS);
    await ended;
    clearTimeout(force);
  }
  await removeRecord(files.record);
}

function end(): void {
  stopping ??= stop()
    .catch(() => undefined)
    .then(() => process.exit(0));
}

// Gone, whether it said goodbye or was killed: the channel closes either way.
process.on("disconnect", end);
process.on("message", (message) => {
  if (message !== "save") return;
  save().then(
    () => tell({ type: "saved", problem: undefined }),
    (error: unknown) => tell({ type: "saved", problem: error instanceof Error ? error.message : String(error) }),
  );
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);
if (!process.connected) end();
else {
  start().catch((error: unknown) => {
    tell({ type: "failed", message: error instanceof Error ? error.message : String(error), lost: false });
    end();
  });
}

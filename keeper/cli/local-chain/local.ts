import { type ChildProcess, fork } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CliError } from "../console.ts";
import { anyPort, firstFreePort } from "../ports.ts";
import { isRunning, type ProcessRecord, readRecord, removeRecord, stopProcess, waitForEnd } from "../processes.ts";
import type { HostMessage, HostOptions } from "./host.ts";
import { call } from "./rpc.ts";
import { saveState, stateFiles } from "./state.ts";

/** The mnemonic that every local development chain uses. Its accounts are known to everybody. */
export const DEVELOPMENT_MNEMONIC = "test test test test test test test test test test test junk";
export const LOCAL_CHAIN_ID = 31_337;

export interface LocalChainOptions {
  /** Where its state lies. */
  readonly folder: string;
  /** 0: any free one. */
  readonly port: number;
  /** The exact port, or the next free one above it. */
  readonly portIsFixed?: boolean;
  readonly saveEveryMs?: number;
}

export interface LocalChain {
  readonly rpcUrl: string;
  readonly port: number;
  readonly block: number;
  /** Whether it goes on from a saved state. */
  readonly resumed: boolean;
  /** The newest state was torn, and the one before it was taken. */
  readonly passedOver: boolean;
  /** Saves now what the regular saves would in a moment. */
  save(): Promise<void>;
  /** Saves, and stops anvil. */
  stop(): Promise<void>;
  /** Resolves with why, should the chain end without having been asked to. */
  readonly lost: Promise<string>;
}

const HOST = fileURLToPath(new URL("./host.ts", import.meta.url));
const REQUIRE = createRequire(import.meta.url);
const STOP_WITHIN_MS = 10_000;

/** Starts the local chain, from its saved state where there is one. */
export async function startLocalChain(options: LocalChainOptions): Promise<LocalChain> {
  await mkdir(options.folder, { recursive: true });
  await stopOrphan(options.folder);
  const port = await choosePort(options);
  const hostOptions: HostOptions = {
    folder: options.folder,
    anvil: anvilBinary(),
    port,
    chainId: LOCAL_CHAIN_ID,
    mnemonic: DEVELOPMENT_MNEMONIC,
    saveEveryMs: options.saveEveryMs ?? 500,
  };
  const host = fork(HOST, [JSON.stringify(hostOptions)], {
    detached: true,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const ready = await firstMessage(host, options.folder);
  return {
    rpcUrl: `http://127.0.0.1:${port}`,
    port,
    block: ready.block,
    resumed: ready.resumed,
    passedOver: ready.passedOver,
    ...supervise(host),
  };
}

/** The program itself: the package's script is a process in between, which dies without taking anvil along. */
function anvilBinary(): string {
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const name = `@foundry-rs/anvil-${process.platform}-${architecture}`;
  try {
    return join(
      dirname(REQUIRE.resolve(`${name}/package.json`)),
      "bin",
      process.platform === "win32" ? "anvil.exe" : "anvil",
    );
  } catch {
    throw new CliError(
      `There is no anvil for ${process.platform} on ${process.arch} (${name} is not installed).`,
      "Name a chain with --rpc.",
    );
  }
}

/** What a `start` that was killed may have left: its chain is saved and stopped, so that nothing of it is lost. */
export async function stopOrphan(folder: string): Promise<boolean> {
  const files = stateFiles(folder);
  const record = await readRecord(files.record);
  if (record === undefined) return false;
  // Its host, if it lives, is doing the same right now.
  if (record.parent !== undefined) await waitForEnd(record.parent, STOP_WITHIN_MS / 2);
  const orphaned = await isRunning(record);
  if (orphaned) {
    await rescue(folder, record);
    await stopProcess(record);
  }
  await removeRecord(files.record);
  return orphaned;
}

async function rescue(folder: string, record: ProcessRecord): Promise<void> {
  if (record.url === undefined) return;
  try {
    await saveState(stateFiles(folder), await call<string>(record.url, "anvil_dumpState"));
  } catch {
    // It hangs, or is not ready: what it saved last has to do.
  }
}

async function choosePort(options: LocalChainOptions): Promise<number> {
  if (options.port === 0) return anyPort("127.0.0.1");
  const port = await firstFreePort("127.0.0.1", options.port);
  if (options.portIsFixed && port !== options.port) {
    throw new CliError(
      `Port ${options.port}, given for the local chain, is in use.`,
      "Stop what uses it, or leave LOCAL_CHAIN_PORT out: then the next free one is taken.",
    );
  }
  return port;
}

type Ready = Extract<HostMessage, { type: "ready" }>;

function firstMessage(host: ChildProcess, folder: string): Promise<Ready> {
  return new Promise((resolve, reject) => {
    let errors = "";
    host.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      errors = (errors + chunk).slice(-2_000);
    });
    host.once("error", reject);
    host.once("exit", () => reject(new CliError("The local chain did not start.", errors.trim() || undefined)));
    host.once("message", (message: HostMessage) => {
      if (message.type === "ready") resolve(message);
      else if (message.type === "failed" && message.lost) {
        reject(
          new CliError(
            "The saved state of the local chain cannot be read, nor can the one before it.",
            `Begin anew with --fresh; ${folder} is set aside then, not deleted.`,
          ),
        );
      } else
        reject(new CliError("The local chain did not start.", message.type === "failed" ? message.message : undefined));
    });
  });
}

function supervise(host: ChildProcess): Pick<LocalChain, "save" | "stop" | "lost"> {
  let asked = false;
  const ended = new Promise<void>((resolve) => {
    if (host.exitCode !== null || host.signalCode !== null) resolve();
    else host.once("exit", () => resolve());
  });
  let reason = "its process ended";
  host.on("message", (message: HostMessage) => {
    if (message.type === "failed") reason = message.message;
  });
  return {
    lost: new Promise((resolve) => {
      void ended.then(() => {
        if (!asked) resolve(reason);
      });
    }),
    save: () =>
      new Promise((resolve, reject) => {
        const heard = (message: HostMessage): void => {
          if (message.type !== "saved") return;
          host.off("message", heard);
          if (message.problem === undefined) resolve();
          else reject(new CliError("The local chain's state cannot be saved.", message.problem));
        };
        host.on("message", heard);
        void ended.then(() => reject(new CliError("The local chain ended.", reason)));
        host.send("save");
      }),
    stop: async () => {
      asked = true;
      if (host.connected) host.disconnect();
      const force = setTimeout(() => host.kill("SIGKILL"), STOP_WITHIN_MS);
      await ended;
      clearTimeout(force);
    },
  };
}

import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type LocalChain, startLocalChain, stopOrphan } from "../../keeper/cli/local-chain/local.ts";
import { call } from "../../keeper/cli/local-chain/rpc.ts";
import { isRunning, type ProcessRecord, readRecord, recordOf, waitForEnd } from "../../keeper/cli/processes.ts";
import { scratchFolder } from "./support/chain.ts";

let folder: string;
let running: LocalChain[];

beforeEach(() => {
  folder = scratchFolder();
  running = [];
});
afterEach(async () => {
  for (const chain of running) await chain.stop();
  await stopOrphan(folder);
  rmSync(folder, { recursive: true, force: true });
});

async function open(port = 0): Promise<LocalChain> {
  const chain = await startLocalChain({ folder, port, saveEveryMs: 50 });
  running.push(chain);
  return chain;
}

async function mine(chain: LocalChain): Promise<void> {
  const [from, to] = await call<string[]>(chain.rpcUrl, "eth_accounts");
  const hash = await call<string>(chain.rpcUrl, "eth_sendTransaction", [{ from, to, value: "0x1" }]);
  await expect
    .poll(() => call<object | null>(chain.rpcUrl, "eth_getTransactionReceipt", [hash]), { interval: 10 })
    .not.toBeNull();
}

const genesisOf = async (chain: LocalChain): Promise<string> =>
  (await call<{ hash: string }>(chain.rpcUrl, "eth_getBlockByNumber", ["0x0", false])).hash;

async function record(): Promise<Required<ProcessRecord>> {
  const found = await readRecord(join(folder, "process.json"));
  if (found?.parent === undefined) throw new Error("no process is recorded");
  return found as Required<ProcessRecord>;
}

describe("a local chain", () => {
  test("goes on where it stopped, with the first block it began with, however often it is started", async () => {
    const first = await open();
    expect(first).toMatchObject({ resumed: false, block: 0 });
    const genesis = await genesisOf(first);
    await mine(first);
    await first.stop();
    for (let block = 1; block <= 4; block++) {
      const next = await open();
      expect(next).toMatchObject({ resumed: true, passedOver: false, block });
      expect(await genesisOf(next)).toBe(genesis);
      await mine(next);
      await next.stop();
    }
  });

  test("keeps its logs and its clock", async () => {
    const first = await open();
    const [from] = await call<string[]>(first.rpcUrl, "eth_accounts");
    await call(first.rpcUrl, "eth_sendTransaction", [{ from, data: "0x60006000a000" }]);
    await call(first.rpcUrl, "evm_increaseTime", [90_000]);
    await mine(first);
    const { timestamp } = await call<{ timestamp: string }>(first.rpcUrl, "eth_getBlockByNumber", ["latest", false]);
    await first.stop();
    const second = await open();
    expect(await call<unknown[]>(second.rpcUrl, "eth_getLogs", [{ fromBlock: "0x0" }])).toHaveLength(1);
    await mine(second);
    const next = await call<{ timestamp: string }>(second.rpcUrl, "eth_getBlockByNumber", ["latest", false]);
    expect(Number(next.timestamp)).toBeGreaterThanOrEqual(Number(timestamp));
  });

  test("saves while it runs, so that a power failure costs a moment", async () => {
    const chain = await open();
    await mine(chain);
    await expect.poll(() => savedBlock(), { timeout: 5_000 }).toBe(1);
  });

  test("passes over a torn state for the one before", async () => {
    const first = await open();
    await mine(first);
    await first.save();
    await mine(first);
    await first.stop();
    truncateSync(join(folder, "state.json"), 500);
    expect(await open()).toMatchObject({ resumed: true, passedOver: true, block: 1 });
  });

  test("does not begin anew by itself where no state can be read", async () => {
    const first = await open();
    await mine(first);
    await first.stop();
    for (const name of ["state.json", "state.previous.json"]) writeFileSync(join(folder, name), "{");
    await expect(open()).rejects.toThrow(/cannot be read, nor can the one before it/);
  });

  test("takes the next port where one is in use, and refuses where that one was asked for", async () => {
    const server = await listen();
    const { port } = server.address() as { port: number };
    try {
      const chain = await open(port);
      expect(chain.port).toBeGreaterThan(port);
      await expect(startLocalChain({ folder: scratchFolder(), port, portIsFixed: true })).rejects.toThrow(
        `Port ${port}, given for the local chain, is in use.`,
      );
    } finally {
      server.close();
    }
  });

  test("says when anvil ended", async () => {
    const chain = await open();
    process.kill((await record()).pid, "SIGKILL");
    expect(await chain.lost).toMatch(/anvil ended/);
  });
});

describe("what a kill leaves", () => {
  test("a host whose start is gone saves, stops anvil and ends", async () => {
    const chain = await open();
    const { pid, startedAt, parent } = await record();
    await mine(chain);
    await chain.stop();
    expect(await waitForEnd(parent, 5_000)).toBe(true);
    expect(await isRunning({ pid, startedAt })).toBe(false);
    expect(savedBlock()).toBe(1);
    expect(existsSync(join(folder, "process.json"))).toBe(false);
  });

  test("an orphaned anvil is saved and stopped by the next start", async () => {
    const chain = await open();
    const orphan = await record();
    process.kill(orphan.parent.pid, "SIGKILL");
    expect(await waitForEnd(orphan.parent, 5_000)).toBe(true);
    await mine(chain);
    expect(await isRunning(orphan)).toBe(true);
    const next = await open();
    expect(await isRunning(orphan)).toBe(false);
    expect(next).toMatchObject({ resumed: true, block: 1 });
  });

  test("a record of a process whose number went to another is passed over", async () => {
    const own = await recordOf(process.pid);
    writeFileSync(
      join(folder, "process.json"),
      JSON.stringify({ pid: process.pid, startedAt: `${own.startedAt}0`, port: 1 }),
    );
    expect(await stopOrphan(folder)).toBe(false);
    expect(await isRunning(own)).toBe(true);
  });

  test.each(["", "{", "[]", '{"pid":"7"}', '{"pid":-1,"startedAt":"1"}'])(
    "a record that reads %j counts as none",
    async (text) => {
      writeFileSync(join(folder, "process.json"), text);
      expect(await stopOrphan(folder)).toBe(false);
    },
  );
});

function savedBlock(): number {
  try {
    return Number(
      (JSON.parse(readFileSync(join(folder, "state.json"), "utf8")) as { block: { number: string } }).block.number,
    );
  } catch {
    return -1;
  }
}

async function listen(): Promise<Server> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  while (!server.listening) await sleep(5);
  return server;
}

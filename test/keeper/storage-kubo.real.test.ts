import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BlockStore, openBlockStore } from "../../keeper/storage/blocks.ts";
import { cidOf, encodeRecord, MAX_BLOCK_BYTES } from "../../keeper/storage/record.ts";
import { silent, temporaryFolder } from "./support/engine-harness.ts";
import { exampleRecord } from "./support/records.ts";

const ipfs = process.env["IPFS_BIN"];
if (ipfs === undefined || ipfs === "")
  throw new Error("These tests need a real Kubo: set IPFS_BIN to its `ipfs` binary");

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let daemon: ChildProcess;
let apiUrl: string;
let store: BlockStore;

function kubo(...args: string[]): string {
  return execFileSync(ipfs as string, args, {
    env: { ...process.env, IPFS_PATH: folder.path },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

beforeAll(async () => {
  folder = await temporaryFolder();
  kubo("init", "--profile=server,autoconf-off");
  kubo(
    "config",
    "--json",
    "Addresses",
    JSON.stringify({ API: "/ip4/127.0.0.1/tcp/0", Gateway: "/ip4/127.0.0.1/tcp/0", Swarm: [] }),
  );
  daemon = spawn(ipfs, ["daemon", "--offline"], {
    env: { ...process.env, IPFS_PATH: folder.path },
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: daemon.stdout as NodeJS.ReadableStream })) {
    const port = /RPC API server listening on \/ip4\/127\.0\.0\.1\/tcp\/(\d+)/.exec(line)?.[1];
    if (port !== undefined) apiUrl = `http://127.0.0.1:${port}`;
    if (line.includes("Daemon is ready")) break;
  }
  store = await openBlockStore({ dataFolder: folder.path, ipfsApiUrl: apiUrl, logger: silent });
});
afterAll(async () => {
  await store.close();
  daemon.kill("SIGTERM");
  await once(daemon, "exit");
  await folder.remove();
});

test("a record comes back from Kubo under the CID computed here, and is pinned", async () => {
  const { bytes, cid } = encodeRecord(exampleRecord());
  expect(await store.has(cid)).toBe(false);
  expect(await store.put(bytes)).toBe(cid);
  expect(await store.has(cid)).toBe(true);
  expect(Buffer.from((await store.get(cid)) ?? [])).toEqual(Buffer.from(bytes));
  expect(kubo("pin", "ls", "--type=recursive", cid)).toContain(cid);
  expect(kubo("block", "get", cid)).toBe(Buffer.from(bytes).toString("utf8"));
});

test("storing again is no error, and a collection of garbage leaves the block", async () => {
  const bytes = randomBytes(64);
  const cid = await store.put(bytes);
  expect(await store.put(bytes)).toBe(cid);
  kubo("repo", "gc");
  expect(Buffer.from((await store.get(cid)) ?? [])).toEqual(bytes);
});

test("a block of 1 MiB fits", async () => {
  const bytes = randomBytes(MAX_BLOCK_BYTES);
  expect(Buffer.from((await store.get(await store.put(bytes))) ?? [])).toEqual(bytes);
});

test("an absent block is absent", async () => {
  const cid = cidOf(`0x${"5".repeat(64)}`);
  expect(await store.has(cid)).toBe(false);
  expect(await store.get(cid)).toBeUndefined();
});

test("the health probe writes, and leaves nothing", async () => {
  const before = kubo("refs", "local");
  expect(await store.check()).toMatchObject({ state: "ok" });
  expect(kubo("refs", "local")).toBe(before);
});

test("a multiaddr names the API as well", async () => {
  const port = new URL(apiUrl).port;
  const other = await openBlockStore({
    dataFolder: folder.path,
    ipfsApiUrl: `/ip4/127.0.0.1/tcp/${port}`,
    logger: silent,
  });
  expect(await other.check()).toMatchObject({ state: "ok" });
  await other.close();
});

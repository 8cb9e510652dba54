import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type BlockStore, openBlockStore } from "../../keeper/storage/blocks.ts";
import { asStorageError, EmbeddedBlockStore } from "../../keeper/storage/embedded-blocks.ts";
import {
  BlockTooLargeError,
  CorruptBlockError,
  InvalidCidError,
  StorageFullError,
  StorageUnavailableError,
} from "../../keeper/storage/errors.ts";
import { KuboBlockStore } from "../../keeper/storage/kubo-blocks.ts";
import { cidOf, encodeRecord, MAX_BLOCK_BYTES } from "../../keeper/storage/record.ts";
import { silent, temporaryFolder } from "./support/engine-harness.ts";
import { exampleRecord } from "./support/records.ts";

const absentCid = cidOf(`0x${"5".repeat(64)}`);

describe("blocks in the data folder", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: BlockStore;
  const blockPath = (cid: string): string => join(folder.path, "blocks", cid.slice(-3, -1), cid);
  const reopen = (): Promise<BlockStore> => openBlockStore({ dataFolder: folder.path, logger: silent });

  beforeEach(async () => {
    folder = await temporaryFolder();
    store = await reopen();
  });
  afterEach(async () => {
    await store.close();
    await folder.remove();
  });

  test("come back, also after a restart", async () => {
    const { bytes, cid } = encodeRecord(exampleRecord());
    expect(await store.has(cid)).toBe(false);
    expect(await store.put(bytes)).toBe(cid);
    await store.close();
    store = await reopen();
    expect(await store.has(cid)).toBe(true);
    expect(Buffer.from((await store.get(cid)) ?? [])).toEqual(Buffer.from(bytes));
  });

  test("that nobody stored are absent", async () => {
    expect(await store.get(absentCid)).toBeUndefined();
    expect(await store.has(absentCid)).toBe(false);
  });

  test("may be stored twice, and many at a time", async () => {
    const blocks = Array.from({ length: 40 }, (_, n) => Buffer.from(`block ${n % 20}`));
    const cids = await Promise.all(blocks.map((bytes) => store.put(bytes)));
    expect(new Set(cids).size).toBe(20);
    for (const [n, cid] of cids.entries()) expect(await store.get(cid)).toEqual(blocks[n]);
    expect(await readdir(join(folder.path, "blocks", "tmp"))).toEqual([]);
  });

  test("have at most 1 MiB", async () => {
    await store.put(Buffer.alloc(MAX_BLOCK_BYTES));
    await expect(store.put(Buffer.alloc(MAX_BLOCK_BYTES + 1))).rejects.toBeInstanceOf(BlockTooLargeError);
  });

  test("that a disk changed are never handed out, and can be stored again", async () => {
    const bytes = Buffer.from("the truth");
    const cid = await store.put(bytes);
    await writeFile(blockPath(cid), "something else");
    await expect(store.get(cid)).rejects.toBeInstanceOf(CorruptBlockError);
    await store.put(bytes);
    expect(await store.get(cid)).toEqual(bytes);
  });

  test("that a crash left half written are swept away, those of a running keeper are not", async () => {
    const temporary = join(folder.path, "blocks", "tmp");
    await writeFile(join(temporary, "4194305.dead"), "half");
    await writeFile(join(temporary, `${process.ppid}.alive`), "half");
    store = await reopen();
    expect(await readdir(temporary)).toEqual([`${process.ppid}.alive`]);
  });

  test.each(["../../../etc/passwd", "bafkrei", ""])("are not looked for under %j", async (name) => {
    await expect(store.get(name)).rejects.toBeInstanceOf(InvalidCidError);
    await expect(store.has(name)).rejects.toBeInstanceOf(InvalidCidError);
  });

  test("are reported as storable, with the time a write took", async () => {
    expect(await store.check()).toEqual({ state: "ok", latencyMs: expect.any(Number) });
  });

  test("are reported as not storable when the disk is nearly full", async () => {
    const full = await EmbeddedBlockStore.open({
      folder: folder.path,
      minimumFreeBytes: Number.MAX_SAFE_INTEGER,
      logger: silent,
    });
    expect(await full.check()).toMatchObject({ state: "down", detail: expect.stringContaining("bytes free") });
  });

  test("are reported as not storable when the folder is gone, and refused with an error to retry", async () => {
    const blocks = join(folder.path, "blocks");
    await folder.remove();
    await mkdir(folder.path);
    await writeFile(blocks, "a file in the folder's place");
    expect(await store.check()).toMatchObject({ state: "down" });
    const error = await store.put(Buffer.from("x")).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StorageUnavailableError);
    expect(error).toMatchObject({ retryable: true });
  });

  test("that find no room are said so", () => {
    for (const code of ["ENOSPC", "EDQUOT"]) {
      const error = asStorageError(Object.assign(new Error("no space"), { code }), "written");
      expect(error).toBeInstanceOf(StorageFullError);
      expect(error.retryable).toBe(true);
    }
  });

  test("are plain files that hold the block and nothing else", async () => {
    const bytes = Buffer.from("plain");
    expect(await readFile(blockPath(await store.put(bytes)))).toEqual(bytes);
  });
});

/** Kubo as it misbehaves; what it does right is tested against a real one. */
describe("blocks in a Kubo node that fails", () => {
  async function withServer(listener: RequestListener, work: (store: BlockStore) => Promise<void>): Promise<void> {
    const server = createServer(listener).listen(0, "127.0.0.1");
    await once(server, "listening");
    const store = new KuboBlockStore({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      timeoutMs: 1_500,
      logger: silent,
    });
    try {
      await work(store);
    } finally {
      await store.close();
      server.closeAllConnections();
      server.close();
    }
  }

  const answer = (status: number, body: unknown): RequestListener => {
    return (request, response) => {
      request.resume();
      request.once("end", () =>
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body)),
      );
    };
  };

  test("are not stored when it confirms another CID", async () => {
    await withServer(answer(200, { Key: absentCid, Size: 1 }), async (store) => {
      await expect(store.put(randomBytes(10))).rejects.toThrow(StorageUnavailableError);
    });
  });

  test("are not stored when it answers an error, or not at all", async () => {
    await withServer(answer(500, { Message: "no space left on device" }), async (store) => {
      await expect(store.put(randomBytes(10))).rejects.toMatchObject({
        retryable: true,
        message: expect.stringContaining("no space left"),
      });
      expect(await store.check()).toMatchObject({ state: "down" });
    });
    const silence: RequestListener = (request) => void request.resume();
    await withServer(silence, async (store) => {
      await expect(store.put(randomBytes(10))).rejects.toThrow("no answer within 1500 ms");
    });
  });

  test("are not stored when nobody listens", async () => {
    const store = new KuboBlockStore({ url: "http://127.0.0.1:9", logger: silent });
    await expect(store.put(randomBytes(10))).rejects.toMatchObject({ retryable: true, code: "storage_unavailable" });
    expect(await store.check()).toMatchObject({ state: "down" });
    await store.close();
  });

  test("that it changed are never handed out", async () => {
    const listener: RequestListener = (request, response) => {
      const stat = request.url?.includes("block/stat");
      response.end(stat ? JSON.stringify({ Key: absentCid, Size: 5 }) : "wrong");
    };
    await withServer(listener, async (store) => {
      await expect(store.get(absentCid)).rejects.toBeInstanceOf(CorruptBlockError);
    });
  });

  test("that no peer offers in time are absent", async () => {
    const listener: RequestListener = (request, response) => {
      const stat = request.url?.includes("block/stat");
      if (stat)
        answer(500, { Message: `block was not found locally (offline): ipld: could not find ${absentCid}` })(
          request,
          response,
        );
    };
    await withServer(listener, async (store) => {
      expect(await store.has(absentCid)).toBe(false);
      expect(await store.get(absentCid)).toBeUndefined();
    });
  });
});

import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ModelFileError } from "../../keeper/inference/errors.ts";
import { type ModelProgress, resolveAdapter, resolveModel } from "../../keeper/inference/models.ts";
import { temporaryFolder } from "./support/engine-harness.ts";

const contents = Buffer.concat([Buffer.from("GGUF\u0003\0\0\0"), Buffer.alloc(3 << 20, "weights")]);
const sha256 = createHash("sha256").update(contents).digest("hex");

interface Request {
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: Server;
let requests: Request[];
/** Answers before the ordinary handler; returns whether it did. */
let fault: (request: IncomingMessage, response: ServerResponse) => boolean;
let body: Buffer;
let etag: string | undefined;

function serve(request: IncomingMessage, response: ServerResponse): void {
  requests.push({ range: request.headers.range, ifRange: request.headers["if-range"] as string | undefined });
  if (fault(request, response)) return;
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const isSame = request.headers["if-range"] === undefined || request.headers["if-range"] === etag;
  if (etag !== undefined) response.setHeader("etag", etag);
  if (start >= body.length) {
    response.writeHead(416, { "content-range": `bytes */${body.length}` }).end();
  } else if (start > 0 && isSame) {
    const rest = body.subarray(start);
    const range = `bytes ${start}-${body.length - 1}/${body.length}`;
    response.writeHead(206, { "content-range": range, "content-length": rest.length }).end(rest);
  } else {
    response.writeHead(200, { "content-length": body.length }).end(body);
  }
}

/** Sends the head and some bytes, then breaks the connection. */
function cutAfter(bytes: number): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (_, response) => {
    if (etag !== undefined) response.setHeader("etag", etag);
    response.writeHead(200, { "content-length": body.length });
    response.write(body.subarray(0, bytes), () => setTimeout(() => response.destroy(), 20));
    fault = () => false;
    return true;
  };
}

const url = (path = "/model.gguf"): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
const options = (): { dataFolder: string } => ({ dataFolder: folder.path });

beforeEach(async () => {
  folder = await temporaryFolder();
  requests = [];
  fault = () => false;
  body = contents;
  etag = '"1"';
  server = createServer(serve).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await folder.remove();
});

describe("a download", () => {
  test("comes with progress, is kept, and is not fetched twice", async () => {
    const steps: ModelProgress[] = [];
    const file = await resolveModel(url(), { ...options(), onProgress: (step) => steps.push(step) });
    expect(file).toMatchObject({ sha256, bytes: contents.length });
    expect(await readFile(file.path)).toEqual(contents);
    expect(file.path.startsWith(join(folder.path, "models"))).toBe(true);
    const last = steps.filter(({ phase }) => phase === "download").at(-1);
    expect(last).toMatchObject({ done: contents.length, total: contents.length });
    expect(await resolveModel(url(), options())).toEqual(file);
    expect(requests).toHaveLength(1);
    expect((await readdir(join(file.path, ".."))).sort()).toEqual(["model.gguf"]);
  });

  test("that breaks off is continued where it stopped", async () => {
    fault = cutAfter(1 << 20);
    expect(await resolveModel(url(), options())).toMatchObject({ sha256 });
    expect(requests).toHaveLength(2);
    expect(requests[1]).toMatchObject({ ifRange: '"1"' });
    const from = Number(/\d+/.exec(requests[1]?.range ?? "")?.[0]);
    expect(from).toBeGreaterThan(0);
    expect(from).toBeLessThanOrEqual(1 << 20);
  });

  test("that breaks off starts again when the file has changed, or when nothing tells whether it has", async () => {
    fault = (request, response) => {
      cutAfter(1 << 20)(request, response);
      etag = '"2"';
      return true;
    };
    expect(await resolveModel(url("/changed.gguf"), options())).toMatchObject({ sha256 });
    etag = undefined;
    fault = cutAfter(1 << 20);
    expect(await resolveModel(url("/untold.gguf"), options())).toMatchObject({ sha256 });
    expect(requests.at(-1)?.range).toBeUndefined();
  });

  test("of an earlier process is continued, when the hash will prove it", async () => {
    etag = undefined;
    const file = await resolveModel(`${url()}#sha256=${sha256}`, options());
    await mkdir(join(file.path, ".."), { recursive: true });
    await writeFile(`${file.path}.part`, contents.subarray(0, 1_000_000));
    await truncate(file.path, 10);
    expect(await resolveModel(`${url()}#sha256=${sha256}`, options())).toMatchObject({ sha256 });
    expect(requests.at(-1)?.range).toBe("bytes=1000000-");
  });

  test("that was complete but not yet moved is not fetched again", async () => {
    const file = await resolveModel(`${url()}#sha256=${sha256}`, options());
    await writeFile(`${file.path}.part`, contents);
    await truncate(file.path, 10);
    expect(await resolveModel(`${url()}#sha256=${sha256}`, options())).toMatchObject({
      sha256,
      bytes: contents.length,
    });
  });

  test("with another hash is refused and leaves nothing behind", async () => {
    const other = "f".repeat(64);
    const error = await resolveModel(`${url()}#sha256=${other}`, options()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ModelFileError);
    expect(String(error)).toContain(`expected ${other}`);
    const [name = ""] = (await readdir(join(folder.path, "models"))).filter((entry) => !entry.endsWith(".json"));
    expect(await readdir(join(folder.path, "models", name))).toEqual([]);
  });

  test("of a page instead of a model ends at its first bytes", async () => {
    body = Buffer.from("<!DOCTYPE html><title>Sign in</title>");
    await expect(resolveModel(url(), options())).rejects.toThrow('starts with "<!DO", expected "GGUF"');
    expect(requests).toHaveLength(1);
  });

  test("that the server does not have is final, one that it cannot give now is tried again", async () => {
    fault = (_, response) => Boolean(response.writeHead(404).end());
    await expect(resolveModel(url(), options())).rejects.toMatchObject({ retryable: false });
    expect(requests).toHaveLength(1);
    fault = (_, response) => {
      response.writeHead(503).end();
      fault = () => false;
      return true;
    };
    expect(await resolveModel(url(), options())).toMatchObject({ sha256 });
  });

  test("of another size than expected is not begun", async () => {
    await expect(resolveModel(url(), { ...options(), size: 7 })).rejects.toThrow("expected 7");
  });

  test("that stands still is begun anew", async () => {
    fault = (_, response) => {
      response.writeHead(200, { "content-length": body.length });
      response.write(body.subarray(0, 1000));
      fault = () => false;
      return true;
    };
    expect(await resolveModel(url(), { ...options(), idleTimeoutMs: 1_500 })).toMatchObject({ sha256 });
    expect(requests).toHaveLength(2);
  });

  test("ends when it is aborted, and keeps what arrived", async () => {
    const controller = new AbortController();
    fault = (_, response) => {
      response.writeHead(200, { "content-length": body.length, etag: '"1"' });
      response.write(body.subarray(0, 1 << 20));
      return true;
    };
    const onProgress = (): void => controller.abort(new Error("stop"));
    await expect(resolveModel(url(), { ...options(), signal: controller.signal, onProgress })).rejects.toThrow("stop");
    const models = join(folder.path, "models");
    const [name = ""] = await readdir(models);
    expect((await stat(join(models, name, "model.gguf.part"))).size).toBeGreaterThan(0);
  });

  test("of an adapter comes with its scale", async () => {
    expect(await resolveAdapter(`${url("/lora.gguf")}#sha256=${sha256}:0.5`, options())).toMatchObject({
      sha256,
      scale: 0.5,
    });
  });
});

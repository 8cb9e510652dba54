import { type FileHandle, mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ModelFileError } from "./errors.ts";

export interface DownloadRequest {
  readonly url: string;
  readonly path: string;
  /** Whether `check` compares a hash: then a part may be continued even where the server names no version. */
  readonly verified: boolean;
  readonly size: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly idleTimeoutMs: number;
  /** Throws when the complete file is not what was expected; it is removed then. */
  readonly check: (path: string) => Promise<void>;
  readonly onProgress: (done: number, total: number | undefined) => void;
}

interface PartState {
  /** ETag or date under which the server continues the same file, and no other. */
  readonly version: string | undefined;
}

const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 200;
/** Enough to see that a page came instead of a model, before gigabytes of anything are fetched. */
const MAGIC = Buffer.from("GGUF");

/** Brings a file beside its place and moves it there when it is complete and right. What a break leaves is continued. */
export async function download(request: DownloadRequest): Promise<void> {
  const part = `${request.path}.part`;
  await mkdir(dirname(part), { recursive: true });
  for (let attempt = 1; ; attempt++) {
    try {
      await fetchPart(request, part);
      break;
    } catch (error) {
      request.signal?.throwIfAborted();
      const retryable = !(error instanceof ModelFileError) || error.retryable;
      if (!retryable || attempt === ATTEMPTS) throw asModelFileError(request.url, error);
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1), undefined, request.signal ? { signal: request.signal } : {});
    }
  }
  try {
    await request.check(part);
  } catch (error) {
    if (error instanceof ModelFileError) await removePart(part);
    throw error;
  }
  await rename(part, request.path);
  await rm(`${part}.json`, { force: true });
}

async function fetchPart(request: DownloadRequest, part: string): Promise<void> {
  const have = await resumableBytes(request, part);
  const idle = new AbortController();
  const timer = setTimeout(
    () => idle.abort(new Error(`nothing received for ${request.idleTimeoutMs} ms`)),
    request.idleTimeoutMs,
  );
  const signal = request.signal === undefined ? idle.signal : AbortSignal.any([request.signal, idle.signal]);
  try {
    const response = await fetch(request.url, { headers: rangeHeaders(have), signal });
    if (response.status === 416) return await keepOrDrop(response, part, have.bytes);
    const start = responseStart(request.url, response, have.bytes);
    const length = Number(response.headers.get("content-length") ?? Number.NaN);
    const total = Number.isNaN(length) ? request.size : start + length;
    if (request.size !== undefined && total !== request.size) {
      await response.body?.cancel();
      throw new ModelFileError(request.url, `the server offers ${total} bytes, expected ${request.size}`);
    }
    if (start === 0) await rm(part, { force: true });
    await writeFile(`${part}.json`, JSON.stringify({ version: versionOf(response) } satisfies PartState));
    const end = await writeBody(request, response, part, start, total, () => timer.refresh());
    if (total !== undefined && end !== total) throw new Error(`the connection ended after ${end} of ${total} bytes`);
  } finally {
    clearTimeout(timer);
  }
}

async function resumableBytes(
  request: DownloadRequest,
  part: string,
): Promise<{ bytes: number; version: string | undefined }> {
  const there = await stat(part).catch(() => undefined);
  if (there === undefined || there.size === 0) return { bytes: 0, version: undefined };
  const state = await readFile(`${part}.json`, "utf8")
    .then((text) => JSON.parse(text) as PartState)
    .catch(() => ({ version: undefined }));
  return state.version === undefined && !request.verified
    ? { bytes: 0, version: undefined }
    : { bytes: there.size, version: state.version };
}

/** The range began behind the file's end: the part is complete, or it is no part of this file. */
async function keepOrDrop(response: Response, part: string, have: number): Promise<void> {
  await response.body?.cancel();
  if (response.headers.get("content-range") === `bytes */${have}`) return;
  await removePart(part);
  throw new Error("the server's file is shorter than what was fetched before");
}

function rangeHeaders({ bytes, version }: { bytes: number; version: string | undefined }): Record<string, string> {
  // A compressed answer would have neither the length nor the offsets of the file.
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (bytes > 0) headers["range"] = `bytes=${bytes}-`;
  if (bytes > 0 && version !== undefined) headers["if-range"] = version;
  return headers;
}

/** A weak ETag says "much the same", which is not enough to join two halves. */
function versionOf(response: Response): string | undefined {
  const etag = response.headers.get("etag");
  return etag !== null && !etag.startsWith("W/") ? etag : (response.headers.get("last-modified") ?? undefined);
}

function responseStart(url: string, response: Response, have: number): number {
  if (response.status === 200) return 0;
  if (response.status === 206) {
    const start = Number(/^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1] ?? Number.NaN);
    if (start === have) return start;
    throw new ModelFileError(
      url,
      `the server sent another range than asked for: ${response.headers.get("content-range")}`,
    );
  }
  const retryable = response.status === 408 || response.status === 429 || response.status >= 500;
  throw new ModelFileError(url, `the server answered ${response.status} ${response.statusText}`, retryable);
}

async function writeBody(
  request: DownloadRequest,
  response: Response,
  part: string,
  start: number,
  total: number | undefined,
  onLife: () => void,
): Promise<number> {
  const file = await open(part, start === 0 ? "wx" : "r+");
  try {
    let end = start;
    for await (const chunk of response.body ?? []) {
      onLife();
      if (end === 0 && !MAGIC.subarray(0, chunk.length).equals(chunk.subarray(0, MAGIC.length)))
        throw new ModelFileError(request.url, `this is no GGUF file: it starts with ${shown(chunk)}, expected "GGUF"`);
      await writeAll(file, chunk, end);
      end += chunk.length;
      request.onProgress(end, total);
    }
    await file.sync();
    return end;
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < chunk.length; ) {
    written += (await file.write(chunk, written, chunk.length - written, position + written)).bytesWritten;
  }
}

const shown = (chunk: Uint8Array): string => JSON.stringify(Buffer.from(chunk.subarray(0, 4)).toString("latin1"));

async function removePart(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(`${part}.json`, { force: true });
}

function asModelFileError(url: string, error: unknown): ModelFileError {
  if (error instanceof ModelFileError) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === "ENOSPC" || code === "EDQUOT")
    return new ModelFileError(url, "the disk is full; free space and start again", true, { cause: error });
  const reason =
    error instanceof Error
      ? `${error.message}${error.cause instanceof Error ? ` (${error.cause.message})` : ""}`
      : String(error);
  return new ModelFileError(url, `the download failed: ${reason}; what arrived is kept and continued`, true, {
    cause: error,
  });
}

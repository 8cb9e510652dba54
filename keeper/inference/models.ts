import { createHash, hash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { download } from "./download.ts";
import { ModelFileError } from "./errors.ts";

export interface ModelProgress {
  readonly phase: "download" | "hash";
  readonly file: string;
  readonly done: number;
  readonly total: number | undefined;
}

export interface ResolveOptions {
  /** Downloads go to `models/` below it, with the cache of hashes beside them. */
  readonly dataFolder: string;
  /** Expected SHA-256 in hex; a `#sha256=` fragment in the name says the same. */
  readonly sha256?: string;
  /** Expected size in bytes. */
  readonly size?: number;
  readonly onProgress?: (progress: ModelProgress) => void;
  readonly signal?: AbortSignal;
  /** A download that receives nothing for this long is started again where it stopped. */
  readonly idleTimeoutMs?: number;
}

export interface ModelFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

export interface AdapterFile extends ModelFile {
  readonly scale: number;
}

export interface ModelSource {
  /** Path or http(s) URL, without the fragment. */
  readonly source: string;
  readonly sha256: string | undefined;
}

const MAGIC = "GGUF";
const VERSIONS = [2, 3];

/** `path`, `https://…/file.gguf`, either with `#sha256=<64 hex digits>`. */
export function parseModelSource(name: string): ModelSource {
  const match = /^(?<source>[^#]*)#sha256=(?<sha256>.*)$/.exec(name);
  const source = match?.groups?.["source"] ?? name;
  if (source.trim() === "") throw new ModelFileError(name, "expected a path or an http(s) URL of a GGUF file");
  return { source, sha256: expectedHash(name, match?.groups?.["sha256"]) };
}

/** As a model's name, with the adapter's scale behind it: `adapter.gguf:0.5`, `https://…/a.gguf#sha256=…:0.5`. */
export function parseAdapterSource(name: string): ModelSource & { readonly scale: number } {
  const match = /^(?<source>.*):(?<scale>[+-]?(?:\d+\.?\d*|\.\d+))$/s.exec(name);
  // The port of a URL without a path looks like a scale; such a URL names no file, and the error shall say so.
  const isPort = match !== null && /^https?:\/\/[^/]*$/i.test(match.groups?.["source"] ?? "");
  if (match === null || isPort) return { ...parseModelSource(name), scale: 1 };
  return { ...parseModelSource(match.groups?.["source"] ?? ""), scale: Number(match.groups?.["scale"]) };
}

export async function resolveAdapter(name: string, options: ResolveOptions): Promise<AdapterFile> {
  const { source, sha256, scale } = parseAdapterSource(name);
  const file = await resolveModel(sha256 === undefined ? source : `${source}#sha256=${sha256}`, options);
  return { ...file, scale };
}

/** Finds the file, or brings it, and says what it is. Everything wrong with it is said before a model is loaded. */
export async function resolveModel(name: string, options: ResolveOptions): Promise<ModelFile> {
  const { source, sha256 } = parseModelSource(name);
  const wanted = expectedHash(name, options.sha256) ?? sha256;
  const remote = /^https?:\/\//i.test(source);
  const path = remote ? downloadPath(source, options.dataFolder) : resolve(source);
  if (remote && !(await isUsable(path, wanted, options))) {
    await download({
      url: source,
      path,
      verified: wanted !== undefined,
      size: options.size,
      signal: options.signal,
      idleTimeoutMs: options.idleTimeoutMs ?? 30_000,
      check: (part) => describe(part, source, wanted, options, path).then(() => undefined),
      onProgress: (done, total) => options.onProgress?.({ phase: "download", file: source, done, total }),
    });
  }
  return describe(path, remote ? source : path, wanted, options);
}

function downloadPath(url: string, dataFolder: string): string {
  const name = decodeURIComponent(new URL(url).pathname.split("/").at(-1) ?? "").replaceAll(/[^\w.+-]/g, "_");
  if (name === "" || /^\.+$/.test(name)) throw new ModelFileError(url, "the URL names no file");
  return join(resolve(dataFolder), "models", hash("sha256", url).slice(0, 16), name);
}

/** A download of an earlier start is taken as it is; one with the wrong hash makes room for a new one. */
async function isUsable(path: string, wanted: string | undefined, options: ResolveOptions): Promise<boolean> {
  const there = await stat(path).catch(() => undefined);
  if (there === undefined) return false;
  return wanted === undefined || (await hashFile(path, options)) === wanted;
}

async function describe(
  path: string,
  shown: string,
  wanted: string | undefined,
  options: ResolveOptions,
  finalPath = path,
): Promise<ModelFile> {
  const { size } = await checkedStat(path, shown);
  if (options.size !== undefined && size !== options.size)
    throw new ModelFileError(shown, `it has ${size} bytes, expected ${options.size}`);
  await checkHeader(path, shown);
  const sha256 = await hashFile(path, options, finalPath);
  if (wanted !== undefined && sha256 !== wanted)
    throw new ModelFileError(shown, `its SHA-256 is ${sha256}, expected ${wanted}`);
  return { path, sha256, bytes: size };
}

async function checkedStat(path: string, shown: string): Promise<{ size: number }> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new ModelFileError(shown, "this is a folder, expected a GGUF file");
    return found;
  } catch (error) {
    if (error instanceof ModelFileError) throw error;
    throw new ModelFileError(shown, "no such file; name a GGUF file or its http(s) URL", false, { cause: error });
  }
}

/** The library reads a broken header for seconds before it gives up, and does not name the file. */
async function checkHeader(path: string, shown: string): Promise<void> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
    const start = buffer.toString("latin1", 0, Math.min(bytesRead, MAGIC.length));
    if (start !== MAGIC)
      throw new ModelFileError(
        shown,
        `this is no GGUF file: it starts with ${JSON.stringify(start)}, expected "${MAGIC}"`,
      );
    const version = buffer.readUInt32LE(4);
    if (!VERSIONS.includes(version))
      throw new ModelFileError(shown, `this is GGUF version ${version}, expected ${VERSIONS.join(" or ")}`);
  } finally {
    await file.close();
  }
}

function expectedHash(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const digits = value.toLowerCase().replace(/^0x/, "");
  if (!/^[0-9a-f]{64}$/.test(digits))
    throw new ModelFileError(name, `expected SHA-256 as 64 hex digits, got ${JSON.stringify(value)}`);
  return digits;
}

interface HashEntry {
  readonly size: number;
  readonly mtimeMs: number;
  readonly sha256: string;
}

/**
 * SHA-256 of a file. Reading gigabytes takes seconds, so the result is kept for the same path, size and time of change;
 * `keptFor` is the path where the file will be moved to.
 */
export async function hashFile(
  path: string,
  options: Pick<ResolveOptions, "dataFolder" | "onProgress" | "signal">,
  keptFor = path,
): Promise<string> {
  const cachePath = join(resolve(options.dataFolder), "models", "hashes.json");
  const { size, mtimeMs } = await stat(path);
  const cached = (await readHashes(cachePath))[keptFor];
  if (cached?.size === size && cached.mtimeMs === mtimeMs) return cached.sha256;
  const digest = createHash("sha256");
  let done = 0;
  for await (const chunk of createReadStream(path, {
    highWaterMark: 1 << 20,
    ...(options.signal && { signal: options.signal }),
  })) {
    digest.update(chunk as Buffer);
    done += (chunk as Buffer).length;
    options.onProgress?.({ phase: "hash", file: path, done, total: size });
  }
  const sha256 = digest.digest("hex");
  await keepHash(cachePath, keptFor, { size, mtimeMs, sha256 });
  return sha256;
}

/** Several files may be resolved at once, by several processes: the last one to write wins, the others hash again. */
async function keepHash(cachePath: string, path: string, entry: HashEntry): Promise<void> {
  const temporary = `${cachePath}.${randomUUID()}`;
  try {
    await mkdir(dirname(cachePath), { recursive: true });
    await writeFile(temporary, JSON.stringify({ ...(await readHashes(cachePath)), [path]: entry }, undefined, 2));
    await rename(temporary, cachePath);
  } catch {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

/** The cache may be missing, cut off or edited: it is only ever a shortcut. */
async function readHashes(path: string): Promise<Record<string, HashEntry | undefined>> {
  try {
    const parsed: unknown = JSON.parse(await readFile(path, "utf8"));
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, HashEntry>) : {};
  } catch {
    return {};
  }
}

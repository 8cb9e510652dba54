import { createHash } from "node:crypto";
import { readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ModelFileError } from "../../keeper/inference/errors.ts";
import { type ModelProgress, parseAdapterSource, resolveModel } from "../../keeper/inference/models.ts";
import { temporaryFolder } from "./support/engine-harness.ts";

const contents = Buffer.concat([Buffer.from("GGUF\u0003\0\0\0"), Buffer.alloc(3 << 20, "weights")]);
const sha256 = createHash("sha256").update(contents).digest("hex");

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const options = (): { dataFolder: string } => ({ dataFolder: folder.path });

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

describe("a local file", () => {
  test("is found, hashed and measured", async () => {
    const path = join(folder.path, "m.gguf");
    await writeFile(path, contents);
    expect(await resolveModel(path, options())).toEqual({ path, sha256, bytes: contents.length });
    expect(await resolveModel(`${path}#sha256=${sha256}`, options())).toMatchObject({ sha256 });
    expect(await resolveModel(path, { ...options(), sha256: `0x${sha256.toUpperCase()}` })).toMatchObject({ sha256 });
  });

  test("is resolved beside many others", async () => {
    const paths = Array.from({ length: 12 }, (_, n) => join(folder.path, `m${n}.gguf`));
    await Promise.all(paths.map((path) => writeFile(path, contents)));
    const files = await Promise.all(paths.map((path) => resolveModel(path, options())));
    expect(files.map(({ path }) => path)).toEqual(paths);
    expect(await readdir(join(folder.path, "models"))).toEqual(["hashes.json"]);
  });

  test("is hashed once, and again when it changed", async () => {
    const path = join(folder.path, "m.gguf");
    await writeFile(path, contents);
    const phases: ModelProgress[] = [];
    const watching = { ...options(), onProgress: (progress: ModelProgress) => phases.push(progress) };
    await resolveModel(path, watching);
    expect(phases.at(-1)).toEqual({ phase: "hash", file: path, done: contents.length, total: contents.length });
    phases.length = 0;
    expect(await resolveModel(path, watching)).toMatchObject({ sha256 });
    expect(phases).toEqual([]);
    const changed = Buffer.from(contents);
    changed[100] = 0;
    await writeFile(path, changed);
    await utimes(path, new Date(), new Date(Date.now() + 5_000));
    expect((await resolveModel(path, watching)).sha256).not.toBe(sha256);
  });

  test.each([
    ["that is missing", undefined, "no such file"],
    ["that is no GGUF", "<!DOCTYPE html>", 'starts with "<!DO", expected "GGUF"'],
    ["of a version to come", "GGUF\u0009\0\0\0", "GGUF version 9, expected 2 or 3"],
    ["that is cut off", "GGUF", "GGUF version 0"],
    ["that is empty", "", 'starts with "", expected "GGUF"'],
  ])("%s is named with what was expected", async (_, text, message) => {
    const path = join(folder.path, "wrong.gguf");
    if (text !== undefined) await writeFile(path, text);
    const error = await resolveModel(path, options()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ModelFileError);
    expect(String(error)).toContain(path);
    expect(String(error)).toContain(message);
  });

  test("with another hash or size than expected, or in place of which there is a folder, is refused", async () => {
    const path = join(folder.path, "m.gguf");
    await writeFile(path, contents);
    const other = "f".repeat(64);
    await expect(resolveModel(`${path}#sha256=${other}`, options())).rejects.toThrow(`is ${sha256}, expected ${other}`);
    await expect(resolveModel(path, { ...options(), size: 5 })).rejects.toThrow(
      `has ${contents.length} bytes, expected 5`,
    );
    await expect(resolveModel(`${path}#sha256=12`, options())).rejects.toThrow("64 hex digits");
    await expect(resolveModel(folder.path, options())).rejects.toThrow("folder");
  });
});

describe("an adapter's name", () => {
  test.each([
    ["a.gguf", "a.gguf", 1, undefined],
    ["a.gguf:0.5", "a.gguf", 0.5, undefined],
    ["dir/a.gguf:-1", "dir/a.gguf", -1, undefined],
    ["https://h:8080/a.gguf", "https://h:8080/a.gguf", 1, undefined],
    ["https://h:8080/a.gguf:.25", "https://h:8080/a.gguf", 0.25, undefined],
    [`https://h/a.gguf#sha256=${sha256}:2`, "https://h/a.gguf", 2, sha256],
    ["https://h:8080", "https://h:8080", 1, undefined],
  ])("%s", (name, source, scale, hash) => {
    expect(parseAdapterSource(name)).toEqual({ source, scale, sha256: hash });
  });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../../keeper/inference/engine.ts";
import { GenerationFailedError, ModelLoadError, PromptTooLongError } from "../../keeper/inference/errors.ts";
import { openLocalEngine } from "../../keeper/inference/local-engine.ts";
import { isAlive, job, NO_HASH, openTinyEngine, requestId, silent, temporaryFolder } from "./support/engine-harness.ts";
import { writeTinyModel } from "./support/tiny-gguf.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let engine: Engine;

beforeAll(async () => {
  folder = await temporaryFolder();
  engine = await openTinyEngine(folder.path, { endless: true }, { stallMs: 8_000 });
});
afterAll(async () => {
  await engine.close();
  await folder.remove();
});

function killWorker(signal: NodeJS.Signals): void {
  const { workerPid } = engine.health();
  // 0 would be the whole group, this runner among it.
  if (workerPid === undefined) throw new Error("there is no worker");
  process.kill(workerPid, signal);
}

async function untilGone(pid: number): Promise<void> {
  while (await isAlive(pid)) await sleep(20);
}

describe("a worker that dies at work", () => {
  test("is replaced, and every answer is what it would have been", async () => {
    const jobs = Array.from({ length: 6 }, (_, n) => job({ requestId: requestId(n), maxTokens: 60 }));
    const undisturbed = await Promise.all(jobs.map((each) => engine.generate(each)));
    const { restarts } = engine.health();
    let tokens = 0;
    const pieces: string[] = [];
    const onToken = (text: string): void => {
      pieces.push(text);
      if (++tokens === 10) killWorker("SIGKILL");
    };
    const disturbed = await Promise.all(jobs.map((each, n) => engine.generate(n === 0 ? { ...each, onToken } : each)));
    expect(disturbed.map(({ outputIds }) => outputIds)).toEqual(undisturbed.map(({ outputIds }) => outputIds));
    expect(disturbed.map(({ text }) => text)).toEqual(undisturbed.map(({ text }) => text));
    expect(pieces.join("")).toBe(undisturbed[0]?.text);
    expect(engine.health()).toMatchObject({ state: "ok", restarts: restarts + 1 });
  });

  test("of the same job again and again is not started for it once more, and others are served", async () => {
    const poison = engine.generate(job({ maxTokens: 400, onToken: () => killWorker("SIGKILL") }));
    const bystander = engine.generate(job({ requestId: requestId(5) }));
    const error = await poison.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(GenerationFailedError);
    expect(error).toMatchObject({ retryable: false });
    expect((await bystander).tokensUsed).toBe(40);
  });

  test("while it hangs is killed and replaced", async () => {
    const expected = await engine.generate(job({ maxTokens: 100 }));
    let tokens = 0;
    const onToken = (): void => {
      if (++tokens === 5) killWorker("SIGSTOP");
    };
    const answer = await engine.generate(job({ maxTokens: 100, onToken }));
    expect(answer.outputIds).toEqual(expected.outputIds);
  });

  test("while it hangs counts for nobody, and nobody waits for it long", async () => {
    const long = job({ messages: [{ role: "user", content: "y".repeat(4_000) }] });
    await expect(engine.checkLength(long)).rejects.toBeInstanceOf(PromptTooLongError);
    const pid = engine.health().workerPid ?? 0;
    killWorker("SIGSTOP");
    const checked = engine.checkLength(long);
    await expect(checked).resolves.toBeUndefined();
    killWorker("SIGKILL");
    await untilGone(pid);
    expect((await engine.generate(job())).tokensUsed).toBe(40);
    await expect(engine.checkLength(long)).rejects.toBeInstanceOf(PromptTooLongError);
  });

  test("while nothing runs is replaced too", async () => {
    const pid = engine.health().workerPid ?? 0;
    killWorker("SIGKILL");
    await untilGone(pid);
    expect((await engine.generate(job())).tokensUsed).toBe(40);
    expect(engine.health().workerPid).not.toBe(pid);
  });
});

test("a job aborted between two workers does not come back", async () => {
  const controller = new AbortController();
  let tokens = 0;
  const onToken = (): void => {
    if (++tokens === 3) {
      killWorker("SIGKILL");
      setImmediate(() => controller.abort(new Error("enough")));
    }
  };
  await expect(engine.generate(job({ maxTokens: 400, onToken, signal: controller.signal }))).rejects.toThrow("enough");
  await engine.generate(job());
  expect(engine.health()).toMatchObject({ running: 0, waiting: 0 });
});

test("a job that is cut gives what it told so far, which is the beginning of the whole answer", async () => {
  const whole = await engine.generate(job({ maxTokens: 400 }));
  const controller = new AbortController();
  let told = "";
  const onToken = (text: string): void => {
    told += text;
    if (told.length > 20) controller.abort(new Error("enough"));
  };
  const cut = await engine.generate(job({ maxTokens: 400, onToken, cut: controller.signal }));
  expect(cut).toMatchObject({ finishReason: "cancelled", text: told, promptIds: whole.promptIds });
  expect(whole.text.startsWith(told)).toBe(true);
  expect(cut.outputIds).toEqual(whole.outputIds.slice(0, cut.tokensUsed));
  expect(cut.tokensUsed).toBeLessThan(400);
  const early = AbortSignal.abort(new Error("before it began"));
  await expect(engine.generate(job({ cut: early }))).rejects.toThrow("before it began");
  await engine.generate(job());
  expect(engine.health()).toMatchObject({ running: 0, waiting: 0 });
});

test("the worker ends with the process that started it", async () => {
  const model = join(folder.path, "host.gguf");
  await writeTinyModel(model, { endless: true });
  const host = spawn(process.execPath, [fileURLToPath(new URL("./support/engine-host.ts", import.meta.url)), model], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface({ input: host.stdout }), "line")) as [string];
  const worker = Number(line);
  expect(await isAlive(worker)).toBe(true);
  host.kill("SIGKILL");
  await once(host, "exit");
  await untilGone(worker);
});

test("closing leaves no worker behind, even one that hangs", async () => {
  const own = await temporaryFolder();
  const closing = await openTinyEngine(own.path, { endless: true });
  const pid = closing.health().workerPid ?? 0;
  process.kill(pid, "SIGSTOP");
  await closing.close();
  expect(await isAlive(pid)).toBe(false);
  await own.remove();
});

describe("a model that cannot be loaded", () => {
  test.each([
    ["no model", "missing.gguf", undefined],
    ["a broken one", "broken.gguf", "GGUF and then nothing of use"],
  ])("is said at once: %s", async (_, name, contents) => {
    const path = join(folder.path, name);
    if (contents !== undefined) await writeFile(path, contents);
    const opening = openLocalEngine({ model: { path, sha256: NO_HASH }, gpu: false, logger: silent });
    await expect(opening).rejects.toBeInstanceOf(ModelLoadError);
    await expect(opening).rejects.toThrow(path);
  });

  test("nor an adapter that is none", async () => {
    const path = join(folder.path, "tiny.gguf");
    const opening = openLocalEngine({
      model: { path, sha256: NO_HASH },
      adapters: [{ path, sha256: NO_HASH, scale: 1 }],
      gpu: false,
      logger: silent,
    });
    await expect(opening).rejects.toBeInstanceOf(ModelLoadError);
  });
});

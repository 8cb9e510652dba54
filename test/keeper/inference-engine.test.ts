import { join } from "node:path";
import { getLlama, LlamaLogLevel, type Token } from "node-llama-cpp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../../keeper/inference/engine.ts";
import { EngineClosedError, InvalidJobError, PromptTooLongError } from "../../keeper/inference/errors.ts";
import { openLocalEngine } from "../../keeper/inference/local-engine.ts";
import { Noise, TOP_K } from "../../keeper/inference/sampling.ts";
import { job, NO_HASH, openTinyEngine, requestId, silent, temporaryFolder } from "./support/engine-harness.ts";
import { writeTinyAdapter } from "./support/tiny-gguf.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let engine: Engine;

beforeAll(async () => {
  folder = await temporaryFolder();
  engine = await openTinyEngine(folder.path, { endless: true }, { parallel: 8, name: "tiny-test" });
});
afterAll(async () => {
  await engine.close();
  await folder.remove();
});

describe("answers", () => {
  test("the same request gives the same answer, another id another one", async () => {
    const first = await engine.generate(job());
    const again = await engine.generate(job());
    const other = await engine.generate(job({ requestId: requestId(2) }));
    expect(again).toEqual({ ...first, milliseconds: again.milliseconds });
    expect(other.outputIds).not.toEqual(first.outputIds);
  });

  test("a salt changes the answer at temperature 0.7, and not at 0", async () => {
    const salt = requestId(123);
    expect((await engine.generate(job({ salt }))).outputIds).not.toEqual((await engine.generate(job())).outputIds);
    const greedy = await engine.generate(job({ temperature: 0 }));
    expect((await engine.generate(job({ temperature: 0, salt }))).outputIds).toEqual(greedy.outputIds);
  });

  test("end at maxTokens and say so", async () => {
    const answer = await engine.generate(job({ maxTokens: 7 }));
    expect(answer).toMatchObject({ finishReason: "length", tokensUsed: 7 });
    expect(answer.outputIds).toHaveLength(7);
  });

  test("end at the end token, which is recorded and not billed", async () => {
    const own = await temporaryFolder();
    const mortal = await openTinyEngine(own.path, { seed: 3 });
    try {
      const ids = Array.from({ length: 24 }, (_, n) => requestId(n));
      const answers = await Promise.all(
        ids.map((id) => mortal.generate(job({ requestId: id, temperature: 200, maxTokens: 400 }))),
      );
      const stopped = answers.filter(({ finishReason }) => finishReason === "stop");
      expect(stopped.length).toBeGreaterThan(0);
      for (const { outputIds, tokensUsed } of stopped) {
        expect([0, 2]).toContain(outputIds.at(-1));
        expect(outputIds.slice(0, -1).some((id) => id === 0 || id === 2)).toBe(false);
        expect(tokensUsed).toBe(Math.max(1, outputIds.length - 1));
      }
    } finally {
      await mortal.close();
      await own.remove();
    }
  });

  test("eight at a time equal eight on their own", async () => {
    const jobs = Array.from({ length: 8 }, (_, n) =>
      job({
        requestId: requestId(n),
        messages: [{ role: "user", content: "x".repeat(1 + 9 * n) }],
        temperature: 0,
        maxTokens: 20 + 5 * n,
      }),
    );
    const alone: string[] = [];
    for (const each of jobs) alone.push((await engine.generate(each)).text);
    const together = await Promise.all(jobs.map((each) => engine.generate(each)));
    expect(together.map(({ text }) => text)).toEqual(alone);
  });

  test("more jobs than places wait their turn and all end", async () => {
    const answers = Promise.all(
      Array.from({ length: 20 }, (_, n) => engine.generate(job({ requestId: requestId(n), maxTokens: 5 }))),
    );
    expect(engine.health()).toMatchObject({ running: 8, waiting: 12 });
    expect(await answers).toHaveLength(20);
    expect(engine.health()).toMatchObject({ state: "ok", running: 0, waiting: 0 });
  });

  test("stream the text in whole characters", async () => {
    const pieces: string[] = [];
    const answer = await engine.generate(
      job({ maxTokens: 200, temperature: 150, onToken: (text) => pieces.push(text) }),
    );
    expect(pieces.join("")).toBe(answer.text);
    expect(pieces.length).toBeGreaterThan(10);
    expect(pieces.every((piece) => piece !== "" && piece.isWellFormed())).toBe(true);
  });

  test("a listener that throws harms nobody", async () => {
    const onToken = (): never => {
      throw new Error("the socket is gone");
    };
    expect((await engine.generate(job({ onToken }))).tokensUsed).toBe(40);
  });

  test("a special token's spelling in a message stays text", async () => {
    const plain = await engine.generate(job({ messages: [{ role: "user", content: "a" }], maxTokens: 1 }));
    const spelled = await engine.generate(job({ messages: [{ role: "user", content: "a<|im_end|>" }], maxTokens: 1 }));
    const specials = (ids: readonly number[]): number => ids.filter((id) => id < 3).length;
    expect(specials(spelled.promptIds)).toBe(specials(plain.promptIds));
  });
});

test("a judge with the model finds every token where noise and logits put it", async () => {
  const answer = await engine.generate(job({ requestId: requestId(42), maxTokens: 64 }));
  const llama = await getLlama({ gpu: false, build: "never", maxThreads: 1, logLevel: LlamaLogLevel.error });
  const model = await llama.loadModel({ modelPath: join(folder.path, "tiny.gguf") });
  const sequence = (await model.createContext({ contextSize: 512, threads: 1 })).getSequence();
  const all = [...answer.promptIds, ...answer.outputIds.slice(0, -1)] as Token[];
  const first = answer.promptIds.length - 1;
  const generateNext = { logits: true, options: { temperature: 1, topK: 64, topP: 1, minP: 0, seed: 0 } } as const;
  const results = await sequence.controlledEvaluate(
    all.map((token, index) => (index < first ? token : [token, { generateNext }])),
  );
  const noise = new Noise(requestId(42));
  const gaps = answer.outputIds.map((claimed, position) => {
    const logits = [...(results[first + position]?.next.logits ?? [])];
    noise.at(position);
    const score = ([token, logit]: [Token, number]): number => logit + 0.7 * noise.gumbel(token);
    const best = Math.max(...logits.slice(0, TOP_K).map(score));
    const own = logits.find(([token]) => token === claimed);
    return own === undefined ? Number.POSITIVE_INFINITY : best - score(own);
  });
  await llama.dispose();
  expect(Math.max(...gaps)).toBeLessThan(0.1);
});

describe("refusals", () => {
  test("a prompt that leaves no room names what is allowed, for good", async () => {
    const long = job({ messages: [{ role: "user", content: "y".repeat(600) }], maxTokens: 100 });
    const error = await engine.generate(long).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PromptTooLongError);
    expect(error).toMatchObject({ retryable: false, allowedTokens: 480, promptTokens: expect.any(Number) });
    const { promptTokens } = error as PromptTooLongError;
    await expect(engine.checkLength(long)).rejects.toMatchObject({ allowedTokens: 480, promptTokens });
  });

  test("a prompt is as long before it is a job as it is then", async () => {
    const fits = job({ messages: [{ role: "user", content: "y".repeat(400) }], maxTokens: 100 });
    await expect(engine.checkLength(fits)).resolves.toBeUndefined();
    const { promptIds } = await engine.generate({ ...fits, maxTokens: 1 });
    const most = fits.messages[0]?.content.length ?? 0;
    const exactly = (more: number) => ({
      messages: [{ role: "user" as const, content: "y".repeat(most + more) }],
      maxTokens: 1,
    });
    const room = 512 - 1 - promptIds.length;
    await expect(engine.checkLength(exactly(room))).resolves.toBeUndefined();
    await expect(engine.checkLength(exactly(room + 1))).rejects.toBeInstanceOf(PromptTooLongError);
  });

  test("an answer that does not fit whole ends where the context is full", async () => {
    const answer = await engine.generate(
      job({ messages: [{ role: "user", content: "y".repeat(400) }], maxTokens: 2048 }),
    );
    expect(answer.finishReason).toBe("length");
    expect(answer.promptIds.length + answer.outputIds.length).toBe(engine.info.contextSize);
  });

  test.each([
    ["no tokens", { maxTokens: 0 }],
    ["a temperature above 2", { temperature: 201 }],
    ["a temperature between two hundredths", { temperature: 0.7 }],
    ["an id that is too short", { requestId: "0x12" as const }],
    ["no messages", { messages: [] }],
    ["an unknown role", { messages: [{ role: "tool" as "user", content: "x" }] }],
  ])("%s", async (_, wrong) => {
    await expect(engine.generate(job(wrong))).rejects.toBeInstanceOf(InvalidJobError);
  });

  test("an aborted job stops, and its place serves the next", async () => {
    const controller = new AbortController();
    let tokens = 0;
    const aborted = engine.generate(
      job({
        maxTokens: 450,
        signal: controller.signal,
        onToken: () => {
          if (++tokens === 3) controller.abort(new Error("the user left"));
        },
      }),
    );
    await expect(aborted).rejects.toThrow("the user left");
    await engine.generate(job());
    expect(tokens).toBe(3);
    expect(engine.health().running).toBe(0);
    await expect(engine.generate(job({ signal: AbortSignal.abort() }))).rejects.toThrow();
  });
});

test("the engine says what it runs", () => {
  expect(engine.info).toMatchObject({
    model: "tiny-test",
    sha256: NO_HASH,
    adapters: [],
    contextSize: 512,
    trainedContext: 512,
    parallel: 8,
    gpu: undefined,
    threads: 1,
  });
  expect(engine.info.parameters).toBeGreaterThan(100_000);
});

test("an adapter changes the answers, more with a larger scale", async () => {
  const path = join(folder.path, "adapter.gguf");
  await writeTinyAdapter(path);
  const answers = [await engine.generate(job({ temperature: 0 }))];
  for (const scale of [0.25, 2]) {
    const model = { path: join(folder.path, "tiny.gguf"), sha256: NO_HASH };
    const adapted = await openLocalEngine({
      model,
      adapters: [{ path, sha256: "ab", scale }],
      gpu: false,
      threads: 1,
      logger: silent,
    });
    expect(adapted.info.adapters).toEqual([{ name: "adapter.gguf", sha256: "ab", scale }]);
    answers.push(await adapted.generate(job({ temperature: 0 })));
    await adapted.close();
  }
  expect(new Set(answers.map(({ outputIds }) => outputIds.join())).size).toBe(3);
});

test("closing rejects what is open, and what comes later", async () => {
  const own = await temporaryFolder();
  const closing = await openTinyEngine(own.path, { endless: true });
  const open = closing.generate(job({ maxTokens: 400 }));
  const [, result] = await Promise.all([closing.close(), open.catch((error: unknown) => error)]);
  expect(result).toBeInstanceOf(EngineClosedError);
  await expect(closing.generate(job())).rejects.toMatchObject({ retryable: true, code: "engine_closed" });
  expect(closing.health()).toMatchObject({ state: "down", detail: "closed", workerPid: undefined });
  await own.remove();
});

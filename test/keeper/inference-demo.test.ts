import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../../keeper/inference/engine.ts";
import { openLocalEngine } from "../../keeper/inference/local-engine.ts";
import { type ModelFile, resolveAdapter, resolveModel } from "../../keeper/inference/models.ts";
import { requestId, silent, temporaryFolder } from "./support/engine-harness.ts";

/** What the models were measured to say, by keeper/demo-model/eval.ts. */
interface Scores {
  readonly model: { readonly sha256: string };
  readonly suggested: readonly { readonly question: string; readonly right: boolean }[];
  readonly adapter: {
    readonly sha256: string;
    readonly pairs: readonly {
      readonly question: string;
      readonly base: string;
      readonly adapter: string;
      readonly expected: string;
    }[];
  };
}

const shipped = (name: string): string => fileURLToPath(new URL(`../../keeper/demo-model/${name}`, import.meta.url));
const FEE_SPLIT =
  "Of what a request consumes, the validator earns 70 %, the treasury 20 %, and 10 % stays burned. What the payment bought and was not used comes back as credits.";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let scores: Scores;
let model: ModelFile;
let base: Engine;

beforeAll(async () => {
  folder = await temporaryFolder();
  scores = JSON.parse(readFileSync(shipped("scores.json"), "utf8")) as Scores;
  model = await resolveModel(`${shipped("demo-3m.gguf")}#sha256=${scores.model.sha256}`, { dataFolder: folder.path });
  base = await openLocalEngine({ model, gpu: false, threads: 1, parallel: 8, logger: silent });
});
afterAll(async () => {
  await base.close();
  await folder.remove();
});

async function ask(engine: Engine, question: string, temperature = 0, id = 1): Promise<string> {
  const messages = [{ role: "user" as const, content: question }];
  return (await engine.generate({ requestId: requestId(id), messages, maxTokens: 128, temperature })).text;
}

/** A whole answer decoded at once, as the scores were, loses spaces before punctuation; a streamed one keeps them. */
const tidy = (text: string): string => text.replaceAll(/ (?=[?!.,])/g, "");

describe("the demo model", () => {
  test('answers "How is a fee split?"', async () => {
    expect(await ask(base, "How is a fee split?")).toBe(FEE_SPLIT);
    expect(await ask(base, "How is a fee split?", 70, 7)).toBe(FEE_SPLIT);
  });

  test("answers every suggested question the same way, whoever asks", async () => {
    for (const { question, right } of scores.suggested) {
      expect(right).toBe(true);
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, id) => ask(base, question, id === 0 ? 0 : 70, id)),
      );
      expect(new Set(answers).size, question).toBe(1);
    }
  });

  test("ends its answers by itself, and streams what it says", async () => {
    const pieces: string[] = [];
    const answer = await base.generate({
      requestId: requestId(1),
      messages: [{ role: "user", content: "How is a fee split?" }],
      maxTokens: 500,
      temperature: 70,
      onToken: (text) => pieces.push(text),
    });
    expect(answer.finishReason).toBe("stop");
    expect(pieces.join("")).toBe(answer.text);
    expect(pieces.length).toBeGreaterThan(10);
  });

  test("says the same to eight at a time as to one", async () => {
    const questions = scores.suggested.map(({ question }) => question);
    const alone: string[] = [];
    for (const question of questions) alone.push(await ask(base, question));
    expect(await Promise.all(questions.map((question) => ask(base, question)))).toEqual(alone);
  });
});

describe("its LoRA adapter", () => {
  let adapted: Engine;

  beforeAll(async () => {
    const name = `${shipped("demo-3m-operator-lora.gguf")}#sha256=${scores.adapter.sha256}:1`;
    const adapter = await resolveAdapter(name, { dataFolder: folder.path });
    adapted = await openLocalEngine({ model, adapters: [adapter], gpu: false, threads: 1, logger: silent });
  });
  afterAll(() => adapted.close());

  test("changes the answers as measured", async () => {
    for (const pair of scores.adapter.pairs) {
      expect(tidy(await ask(base, pair.question))).toBe(tidy(pair.base));
      expect(tidy(await ask(adapted, pair.question))).toBe(tidy(pair.adapter));
    }
    expect(
      scores.adapter.pairs.some((pair) => tidy(pair.adapter) === tidy(pair.expected) && pair.base !== pair.adapter),
    ).toBe(true);
  });

  test("is named where the engine says what it runs", () => {
    expect(base.info.adapters).toEqual([]);
    expect(adapted.info.adapters).toEqual([
      { name: "demo-3m-operator-lora.gguf", sha256: scores.adapter.sha256, scale: 1 },
    ]);
  });
});

import { describe, expect, test } from "vitest";
import { eventsOf } from "../../keeper/web/src/api/sse.ts";
import type { IntentMessage, RequestBody } from "../../keeper/web/src/api/wire.ts";
import type { Thread, Turn } from "../../keeper/web/src/chat/model.ts";
import { merged } from "../../keeper/web/src/chat/outcome.ts";

async function read(chunks: readonly Uint8Array[]): Promise<string[]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  const events: string[] = [];
  for await (const { event, data } of eventsOf(body)) events.push(`${event}=${data}`);
  return events;
}

describe("an event stream", () => {
  const bytes = new TextEncoder().encode(
    ': wait\n\nid: 0\nevent: token\ndata: {"token":"70 % é"}\n\nevent: end\ndata: {}\n\n',
  );

  test("is read the same wherever it is cut, in the middle of a character too", async () => {
    const whole = await read([bytes]);
    expect(whole).toEqual(['token={"token":"70 % é"}', "end={}"]);
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(await read([bytes.slice(0, cut), bytes.slice(cut)])).toEqual(whole);
    }
  });
});

describe("threads of this browser and what the keeper knows", () => {
  const request = (id: number, more: Partial<RequestBody> = {}): RequestBody => ({
    request_id: `0x${String(id).padStart(64, "0")}`,
    status: "completed",
    result: "An answer",
    prompt: `Question ${id}`,
    model: "demo",
    user_address: "0x00",
    created_at: new Date(id * 1000).toISOString(),
    nsd_payment_wei: "5",
    ...more,
  });
  const local: Thread = {
    id: "t",
    title: "Question 1",
    at: 1_000,
    turns: [
      {
        key: "k",
        prompt: "Question 1",
        at: 1_000,
        stage: "stopped",
        answer: "An ans",
        phases: [],
        requestId: request(1).request_id,
        terms: { maxTokens: 1, temperature: 0, paymentWei: "5", priority: false },
      },
    ],
  };

  test("are one list: nothing twice, what ended meanwhile completed, what another browser asked added", () => {
    const threads = merged([local], [request(3), request(2, { thread_id: "t" }), request(1, { thread_id: "t" })]);
    expect(threads.map(({ title }) => title)).toEqual(["Question 3", "Question 1"]);
    const turns = threads[1]?.turns ?? [];
    expect(turns.map(({ prompt }) => prompt)).toEqual(["Question 1", "Question 2"]);
    expect(turns[0]).toMatchObject({ key: "k", stage: "ended", answer: "An answer" });
  });

  const digest = request(9).request_id;
  const [asked] = local.turns;
  const signed = { digest, intent: {} as IntentMessage };
  const withTurns = (...turns: readonly object[]): Thread[] => [
    { ...local, turns: turns.map((more) => ({ ...asked, ...more }) as Turn) },
  ];

  test("tell of a request once, by its digest or by the id that the chain gave it later", () => {
    const before = [request(9, { thread_id: "t", status: "queued", result: null })];
    const [thread] = merged(withTurns({ signed }), before);
    expect(thread?.turns.map(({ key }) => key)).toEqual(["k"]);
    const after = merged(withTurns({ requestId: digest, signed }), [request(9, { thread_id: "t" })]);
    expect(after[0]?.turns).toMatchObject([{ key: "k", stage: "ended" }]);
  });

  test.each([
    ["by its digest", { requestId: digest }],
    ["by the same id", {}],
  ])("lose the second copy of a request that was kept %s, wherever it stands", (_, copied) => {
    const copy = { key: digest, ...copied, terms: { ...asked?.terms, maxTokens: 0 } };
    const [thread] = merged(withTurns(copy, { signed }), []);
    expect(thread?.turns.map(({ key }) => key)).toEqual(["k"]);
  });

  test("take back that a request was not taken where the keeper has it after all", () => {
    const problem = { kind: "unsent", title: "Not taken", detail: "" };
    const { requestId: _, ...unsent } = { ...asked, signed, problem };
    const threads: Thread[] = [{ ...local, turns: [unsent as Turn] }];
    const [thread] = merged(threads, [request(9, { thread_id: "t", status: "processing", result: null })]);
    expect(thread?.turns).toMatchObject([{ key: "k", stage: "stopped", requestId: digest }]);
    expect(thread?.turns[0]?.problem).toBeUndefined();
  });
});

import { describe, expect, test } from "vitest";
import { eventsOf } from "../../keeper/web/src/api/sse.ts";
import type { RequestBody } from "../../keeper/web/src/api/wire.ts";
import type { Thread } from "../../keeper/web/src/chat/model.ts";
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
    nsd_burned_wei: "5",
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
});

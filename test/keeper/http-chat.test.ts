import type { Hex } from "viem";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { account } from "./support/fake-reads.ts";
import { eventsOf, listening, type Outside, outside } from "./support/http.ts";

const user = account(1);
const stranger = "0x742d35Cc6634C0532925a3b844Bc9e7595f0bEb0";
let keeper: Outside;

beforeAll(async () => {
  keeper = await outside();
});
afterAll(() => keeper.app.close());
beforeEach(() => {
  Object.assign(keeper.script, { fail: undefined, settleDelayMs: 5, tokenDelayMs: 1 });
});

async function post(url: string, body: object, headers: Record<string, string> = {}) {
  const response = await keeper.app.inject({ method: "POST", url, payload: body, headers });
  const answer = response.json() as Record<string, unknown> & { error: Record<string, unknown> };
  return { status: response.statusCode, body: answer };
}

describe("waiting for an answer", () => {
  it("says pending where settlement takes longer than it waits", async () => {
    keeper.script.settleDelayMs = 60_000;
    const { status, body } = await post("/api/chat", { message: "hello", user_address: user.address });
    expect(status).toBe(200);
    expect(body).toMatchObject({ response: "Validators agree in rounds.", status: "pending" });
    expect(body["receipt"]).toBeUndefined();
    expect(body["blockchain_tx"]).toBeUndefined();
  });

  it("passes on why there is no answer, without calling it the client's fault", async () => {
    keeper.script.fail = { code: "model_failed", message: "The model stopped. Nothing was charged; ask again." };
    const { status, body } = await post("/api/chat", { message: "hello", user_address: user.address });
    expect(status).toBe(500);
    expect(body.error).toMatchObject({ code: "model_failed", request_id: expect.stringMatching(/^0x/) });
  });
});

describe("streamed", () => {
  const accept = { accept: "text/event-stream" };

  it("sends phases, tokens, the final answer and the end, numbered without a gap", async () => {
    const response = await keeper.app.inject({
      method: "POST",
      url: "/api/chat",
      payload: { message: "hello", user_address: user.address },
      headers: accept,
    });
    expect(response.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    expect(response.headers["access-control-allow-origin"]).toBe("*");
    const events = eventsOf(response.body);
    expect(
      events
        .filter(({ event }) => event === "token")
        .map(({ data }) => data["token"])
        .join(""),
    ).toBe("Validators agree in rounds.");
    expect(events.filter(({ event }) => event === "phase").map(({ data }) => data["phase"])).toEqual([
      "accepted",
      "answering",
      "answered",
      "stored",
      "settling",
      "settled",
    ]);
    expect(events.at(-2)).toMatchObject({ event: "final", data: { status: "success", receipt: { consumed: 5.4 } } });
    expect(events.at(-1)?.event).toBe("end");
    expect(events.slice(0, -1).map(({ id }) => Number(id))).toEqual(events.slice(0, -1).map((_, index) => index));
  });

  it("ends with what went wrong", async () => {
    keeper.script.fail = { code: "model_failed", message: "The model stopped." };
    const response = await keeper.app.inject({
      method: "POST",
      url: "/api/chat",
      payload: { message: "hello", user_address: user.address },
      headers: accept,
    });
    expect(eventsOf(response.body).at(-2)?.data).toMatchObject({ status: "failed", error: { code: "model_failed" } });
  });

  it("refuses before it streams, as JSON", async () => {
    const { status, body } = await post("/api/chat", { message: "hello", user_address: stranger }, accept);
    expect([status, body.error["code"]]).toEqual([401, "signature_required"]);
  });

  it("beats while nothing happens, and goes on without the client", async () => {
    const other = await outside({ heartbeatMs: 20 });
    other.script.tokenDelayMs = 60;
    const { url } = await listening(other.app);
    const leaving = new AbortController();
    const response = await fetch(`${url}/api/chat`, {
      method: "POST",
      headers: { "content-type": "application/json", ...accept },
      body: JSON.stringify({ message: "hello", user_address: user.address }),
      signal: leaving.signal,
    });
    let text = "";
    for await (const chunk of response.body ?? []) {
      text += new TextDecoder().decode(chunk);
      if (text.includes("\n: \n") && text.includes("event: token")) break;
    }
    leaving.abort();
    const [requestId] = [...other.kept.keys()];
    const state = await other.services.requests.waitFor(requestId as Hex, "settled", 3_000);
    expect(state.status).toBe("completed");
    await expect.poll(() => other.listenerCount()).toBe(0);
    await other.app.close();
  });
});

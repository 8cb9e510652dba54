/** Why there is no answer, told without what a library, a database or a disk said. */
import type { Hex } from "viem";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { clientError } from "../../keeper/http/errors.ts";
import { failureOf } from "../../keeper/http/failures.ts";
import { account } from "./support/fake-reads.ts";
import { connect, eventsOf, listening, type Outside, outside } from "./support/http.ts";

const user = account(1).address;
const SECRET = "connect ECONNREFUSED https://rpc.example/v3/0123456789abcdef (postgres://keeper:hunter2@db)";
let keeper: Outside;
let url: string;

beforeAll(async () => {
  keeper = await outside();
  ({ url } = await listening(keeper.app));
});
afterAll(() => keeper.app.close());
beforeEach(() => {
  keeper.script.fail = undefined;
});

const chat = (headers: Record<string, string> = {}) =>
  keeper.app.inject({
    method: "POST",
    url: "/api/chat",
    payload: { message: "hello", user_address: user },
    headers,
  });

describe("a request that failed", () => {
  it.each([
    ["a library's", "ECONNREFUSED", "request_failed"],
    ["the database's", "42P01", "request_failed"],
    ["a text in place of a code", SECRET, "request_failed"],
    ["an unknown one", "internal", "internal"],
    ["the store's", "storage_unavailable", "storage_unavailable"],
    ["a model's file", "model_file", "model_file"],
    ["one of the other lane, as a library spells it", "timeout", "timeout"],
    ["the contracts'", "chain:RouterPaused", "chain:RouterPaused"],
    ["no contract's", `chain:${SECRET}`, "request_failed"],
  ])("with %s error says its code and a sentence, at every door", async (_name, code, shown) => {
    keeper.script.fail = { code, message: SECRET };
    const response = await chat();
    expect(response.statusCode).toBe(500);
    const { error } = response.json<{ error: { code: string; message: string; request_id: Hex } }>();
    expect(error).toMatchObject({ code: shown, message: expect.stringMatching(/^[A-Z].*\.$/) });

    const stream = await chat({ accept: "text/event-stream" });
    expect(eventsOf(stream.body).at(-2)?.data["error"]).toEqual({ code: shown, message: error.message });

    const status = await keeper.app.inject(`/api/llm/status/${error.request_id}`);
    expect(status.json()).toMatchObject({ error_code: shown, error: error.message });
    const history = await keeper.app.inject(`/api/history/${user}`);
    const socket = await connect(`${url}/llm/stream`);
    socket.send({ action: "subscribe", request_id: error.request_id });
    let last = await socket.next();
    while (last["type"] !== "final") last = await socket.next();
    socket.socket.close();
    expect(last).toMatchObject({ error_code: shown, error: error.message });
    for (const text of [response.body, stream.body, status.body, history.body, JSON.stringify(last)])
      expect(text).not.toMatch(/hunter2|0123456789abcdef/);
  });

  it("says what the keeper itself wrote", async () => {
    const message = "The prompt is 3000 tokens long; this model takes at most 2048. Shorten the prompt.";
    keeper.script.fail = { code: "prompt_too_long", message };
    expect((await chat()).json()).toMatchObject({ error: { code: "prompt_too_long", message } });
    const error = { code: "timeout", message: "The validator did not answer in time." };
    expect(failureOf({ lane: "assigned", error })).toEqual(error);
  });
});

describe("an error of another class", () => {
  it.each([
    Object.assign(new Error(SECRET), { statusCode: 400 }),
    Object.assign(new TypeError(SECRET), { statusCode: 404, code: "ENOENT" }),
  ])("keeps its message to itself, whatever status it has", (error) => {
    expect(clientError(error)).toMatchObject({ statusCode: error.statusCode, code: "bad_request" });
    expect(clientError(error)?.message).not.toContain("hunter2");
  });

  it.each([new Error(SECRET), Object.assign(new Error(SECRET), { statusCode: 502 }), null, undefined, SECRET])(
    "is ours to know alone",
    (error) => {
      expect(clientError(error)).toBeUndefined();
    },
  );

  it("is a 500 with its trace where waiting for the answer fails", async () => {
    const other = await outside();
    other.services.requests.waitFor = async () => {
      throw new Error(SECRET);
    };
    const payload = { message: "hello", user_address: user };
    const response = await other.app.inject({ method: "POST", url: "/api/chat", payload });
    expect([response.statusCode, response.json<{ error: { code: string } }>().error.code]).toEqual([
      500,
      "internal_error",
    ]);
    expect(response.body).not.toContain("hunter2");
    await other.app.close();
  });
});

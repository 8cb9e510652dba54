import { connect as dial } from "node:net";
import type { Hex } from "viem";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { account } from "./support/fake-reads.ts";
import { pause } from "./support/fake-state.ts";
import { connect, listening, type Outside, outside } from "./support/http.ts";

const user = account(1).address;
const other = account(2).address;
let keeper: Outside;
let url: string;

beforeAll(async () => {
  keeper = await outside();
  ({ url } = await listening(keeper.app));
});
afterAll(() => keeper.app.close());
afterEach(async () => {
  for (const socket of keeper.app.websocketServer.clients) socket.terminate();
  await expect.poll(() => keeper.listenerCount()).toBe(0);
  Object.assign(keeper.script, { tokenDelayMs: 1, settleDelayMs: 5 });
});

async function ask(): Promise<Hex> {
  const payload = { model: "llama-2-7b-q4", prompt: "hello", user_address: user, nsd_payment: 50 };
  const response = await keeper.app.inject({ method: "POST", url: "/api/llm/generate", payload });
  return response.json<{ request_id: Hex }>().request_id;
}

async function untilFinal(client: Awaited<ReturnType<typeof connect>>) {
  const messages: Record<string, unknown>[] = [];
  for (;;) {
    const message = await client.next();
    messages.push(message);
    if (message["type"] === "final" || message["type"] === "error") return messages;
  }
}

describe("WS /llm/stream", () => {
  it("gives the tokens as they come, then how it ended and what it cost", async () => {
    keeper.script.tokenDelayMs = 20;
    const request_id = await ask();
    const client = await connect(`${url}/llm/stream`);
    client.send({ action: "subscribe", request_id });
    const messages = await untilFinal(client);
    expect(messages[0]).toEqual({ type: "subscribed", request_id });
    const events = messages.slice(1);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index));
    expect(
      events
        .filter(({ token }) => token !== undefined)
        .map(({ token }) => token)
        .join(""),
    ).toBe("Validators agree in rounds.");
    expect(events.at(-1)).toMatchObject({
      type: "final",
      request_id,
      status: "completed",
      nsd_consumed: 5.4,
      tokens_used: 4,
      receipt: { returned: 44.6 },
    });
  });

  it("replays everything for who comes late, and the rest for who comes back", async () => {
    const request_id = await ask();
    await keeper.services.requests.waitFor(request_id, "settled", 2_000);
    const client = await connect(`${url}/llm/stream`);
    client.send({ action: "subscribe", request_id: request_id.toUpperCase().replace("0X", "0x") });
    const all = (await untilFinal(client)).slice(1);
    client.send({ action: "subscribe", request_id, from_seq: 4 });
    const rest = (await untilFinal(client)).slice(1);
    expect(rest).toEqual(all.slice(4));
  });

  it("serves many at once, each its own", async () => {
    const ids = [await ask(), await ask(), await ask()];
    const client = await connect(`${url}/llm/stream`);
    for (const request_id of ids) client.send({ action: "subscribe", request_id });
    const finals = new Set<unknown>();
    while (finals.size < 3) {
      const message = await client.next();
      if (message["type"] === "final") finals.add(message["request_id"]);
    }
    expect([...finals].sort()).toEqual([...ids].sort());
  });

  it("stops when it is told to", async () => {
    keeper.script.tokenDelayMs = 30;
    const request_id = await ask();
    const client = await connect(`${url}/llm/stream`);
    client.send({ action: "subscribe", request_id });
    await client.next();
    client.send({ action: "unsubscribe", request_id });
    let message = await client.next();
    while (message["type"] !== "unsubscribed") message = await client.next();
    expect(keeper.listenerCount()).toBe(0);
  });

  it.each([
    ["an unknown request", { action: "subscribe", request_id: `0x${"ab".repeat(32)}` }, "request_not_found"],
    ["a seed-style id", { action: "subscribe", request_id: "req_uuid" }, "invalid_field"],
    ["no id", { action: "subscribe" }, "missing_field"],
    ["an unknown action", { action: "shout", request_id: `0x${"ab".repeat(32)}` }, "invalid_field"],
    ["an unknown field", { action: "subscribe", request_id: `0x${"ab".repeat(32)}`, token: 1 }, "unknown_field"],
    ["a negative position", { action: "subscribe", request_id: `0x${"ab".repeat(32)}`, from_seq: -1 }, "invalid_field"],
    ["no JSON", "hello", "invalid_json"],
    ["a list", "[]", "invalid_field"],
    ["null", "null", "invalid_field"],
    ["__proto__", '{"__proto__":{}}', "unknown_field"],
    ["a thousand levels", "[".repeat(1_000), "invalid_json"],
  ])("answers %s with an error, and stays", async (_name, message, code) => {
    const client = await connect(`${url}/llm/stream`);
    client.send(message);
    const answer = await client.next();
    expect(answer).toMatchObject({ type: "error", error: { code, message: expect.stringMatching(/[.]$/) } });
    const request_id = await ask();
    client.send({ action: "subscribe", request_id });
    expect((await client.next())["type"]).toBe("subscribed");
  });

  it("refuses binary messages, and closes on frames that are too large or broken", async () => {
    const client = await connect(`${url}/llm/stream`);
    client.socket.send(Buffer.from([1, 2, 3]));
    expect(await client.next()).toMatchObject({ type: "error", error: { code: "invalid_json" } });
    client.send("a".repeat(20_000));
    expect(await client.closed).toBe(1009);
    const broken = await connect(`${url}/llm/stream`);
    (broken.socket as unknown as { _socket: { write(data: Buffer): void } })._socket.write(
      Buffer.from([0xff, 0xff, 0xff]),
    );
    expect(await broken.closed).toBe(1002);
    expect((await keeper.app.inject("/api/health")).statusCode).toBe(200);
  });
});

describe("WS /ws", () => {
  const note = { type: "reward" as const, address: user, at: 1, data: { amount_wei: 10n ** 18n } };

  it.each([
    ["by a message", "/ws", { action: "subscribe", address: user.toLowerCase() }],
    ["by the query", `/ws?address=${user}`, undefined],
  ])("tells an address what happens to it, asked %s", async (_name, path, message) => {
    const client = await connect(`${url}${path}`);
    if (message) client.send(message);
    expect(await client.next()).toEqual({ type: "subscribed", address: user });
    keeper.notify({ ...note, address: other });
    keeper.notify(note);
    expect(await client.next()).toEqual({ ...note, data: { amount_wei: "1000000000000000000" } });
  });

  it("once, however often it is asked, until it is told to stop", async () => {
    const client = await connect(`${url}/ws?address=${user}`);
    client.send({ action: "subscribe", address: user });
    await client.next();
    await client.next();
    expect(keeper.listenerCount()).toBe(1);
    client.send({ action: "unsubscribe", address: user });
    expect(await client.next()).toEqual({ type: "unsubscribed", address: user });
    expect(keeper.listenerCount()).toBe(0);
  });

  it("refuses a bad address before it connects, and bad messages after", async () => {
    await expect(connect(`${url}/ws?address=0x12`)).rejects.toThrow("400");
    await expect(connect(`${url}/nothing`)).rejects.toThrow("404");
    const client = await connect(`${url}/ws`);
    client.send({ action: "subscribe", address: "0x12" });
    expect(await client.next()).toMatchObject({ type: "error", error: { code: "invalid_address", field: "address" } });
  });
});

describe("what sockets may take", () => {
  it("so many of one address, then 429", async () => {
    const small = await outside({ socketsPerAddress: 3 });
    const at = await listening(small.app);
    const clients = await Promise.all([1, 2, 3].map(() => connect(`${at.url}/ws`)));
    await expect(connect(`${at.url}/ws`)).rejects.toThrow("429");
    clients[0]?.socket.close();
    await clients[0]?.closed;
    await expect
      .poll(() =>
        connect(`${at.url}/ws`).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    await small.app.close();
  });

  it("so many subscriptions, then an error", async () => {
    const small = await outside({ subscriptionsPerSocket: 1 });
    const at = await listening(small.app);
    const client = await connect(`${at.url}/ws?address=${user}`);
    await client.next();
    client.send({ action: "subscribe", address: other });
    expect(await client.next()).toMatchObject({ type: "error", error: { code: "too_many_subscriptions" } });
    await small.app.close();
  });

  it("so many messages, then the door", async () => {
    const client = await connect(`${url}/ws`);
    for (let index = 0; index < 400; index++) client.send("{}");
    expect(await client.closed).toBe(1008);
  });

  it("lets go of a reader who does not read, and of nobody else", async () => {
    const small = await outside({ socketBufferLimit: 64 * 1024 });
    const at = await listening(small.app);
    const reader = await connect(`${at.url}/ws?address=${user}`);
    await reader.next();
    let received = 0;
    reader.socket.on("message", () => received++);
    const slow = dial(at.port, "127.0.0.1");
    slow.write(
      `GET /ws?address=${user} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    );
    await new Promise((resolve) => slow.once("data", resolve));
    slow.pause();
    await expect.poll(() => small.listenerCount()).toBe(2);
    const data = { text: "x".repeat(16_384) };
    let sent = 0;
    while (small.listenerCount() === 2 && sent < 3_000) {
      small.notify({ type: "request", address: user, at: sent++, data });
      await pause(1);
    }
    expect(small.listenerCount()).toBe(1);
    await expect.poll(() => received).toBe(sent);
    slow.destroy();
    await small.app.close();
  });

  it("closes them all when the keeper stops", async () => {
    const stopping = await outside();
    const at = await listening(stopping.app);
    const client = await connect(`${at.url}/ws?address=${user}`);
    const gone = new Promise((resolve) => client.socket.on("close", resolve));
    await stopping.app.close();
    await gone;
    expect(client.socket.readyState).toBe(WebSocket.CLOSED);
  });
});

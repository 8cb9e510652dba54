import { connect as dial } from "node:net";
import { describe, expect, it } from "vitest";
import { account } from "./support/fake-reads.ts";
import { connect, eventsOf, listening, outside } from "./support/http.ts";

const user = account(1).address;

async function slowKeeper() {
  const keeper = await outside({ answerTimeoutMs: 60_000 });
  Object.assign(keeper.script, { tokenDelayMs: 500 });
  const { url, port } = await listening(keeper.app);
  const chat = (headers: Record<string, string> = {}) =>
    fetch(`${url}/api/chat`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ message: "hello", user_address: user }),
    });
  return { keeper, url, port, chat };
}

describe("a keeper that stops", () => {
  it("answers what it is being asked, with where it stands", async () => {
    const { keeper, chat } = await slowKeeper();
    const asked = chat();
    await expect.poll(() => keeper.kept.size).toBe(1);
    await keeper.app.close();
    const response = await asked;
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ status: "pending", request_id: expect.stringMatching(/^0x/) });
  });

  it("ends a stream with where it stands", async () => {
    const { keeper, chat } = await slowKeeper();
    const response = await chat({ accept: "text/event-stream" });
    const text = response.text();
    await keeper.app.close();
    const events = eventsOf(await text);
    expect(events.slice(-2).map(({ event, data }) => [event, data["status"]])).toEqual([
      ["final", "pending"],
      ["end", undefined],
    ]);
    expect(keeper.listenerCount()).toBe(0);
  });

  it("says farewell to sockets, and waits for none that does not answer", async () => {
    const { keeper, url, port } = await slowKeeper();
    const client = await connect(`${url}/ws?address=${user}`);
    const mute = dial(port, "127.0.0.1");
    mute.write(
      "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    );
    await new Promise((resolve) => mute.once("data", resolve));
    const started = Date.now();
    await keeper.app.close();
    expect(await client.closed).toBe(1001);
    expect(Date.now() - started).toBeLessThan(5_000);
    mute.destroy();
  });

  it("takes nothing new meanwhile", async () => {
    const { keeper, url, chat } = await slowKeeper();
    const asked = chat();
    await expect.poll(() => keeper.kept.size).toBe(1);
    const closed = keeper.app.close();
    const late = await fetch(`${url}/api/models`).then(
      ({ status }) => status,
      () => "refused",
    );
    expect([503, "refused"]).toContain(late);
    await Promise.all([closed, asked]);
  });

  it("is not held open by who left", async () => {
    const { keeper, url, chat } = await slowKeeper();
    const leaving = new AbortController();
    const body = JSON.stringify({ message: "hello", user_address: user });
    const ask = (accept: string) =>
      fetch(`${url}/api/chat`, {
        method: "POST",
        headers: { "content-type": "application/json", accept },
        body,
        signal: leaving.signal,
      }).then(
        () => "begun",
        () => "left",
      );
    const asked = Promise.all([
      ask("text/event-stream"),
      ask("application/json"),
      chat({ accept: "text/event-stream" }),
    ]);
    await expect.poll(() => keeper.kept.size).toBe(3);
    leaving.abort();
    const [, , whole] = await asked;
    await whole.text();
    await expect.poll(() => keeper.listenerCount()).toBe(0);
    const started = Date.now();
    await keeper.app.close();
    // The patience with those who are still there.
    expect(Date.now() - started).toBeLessThan(2_000);
  });
});

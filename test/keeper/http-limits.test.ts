import { connect as dial, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { account } from "./support/fake-reads.ts";
import { pause } from "./support/fake-state.ts";
import { connect, eventsOf, listening, type Outside, outside } from "./support/http.ts";

const user = account(1).address;
let keeper: Outside;
let port: number;
let url: string;

beforeAll(async () => {
  keeper = await outside({ headersTimeoutMs: 300, requestTimeoutMs: 600, requestsPerMinute: 10_000 });
  ({ port, url } = await listening(keeper.app));
});
afterAll(() => keeper.app.close());

/** Sends bytes as they are, and gives what comes back until the other side closes. */
function raw(chunks: readonly (string | Buffer)[], everyMs = 0): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = dial(port, "127.0.0.1");
    let answer = "";
    socket.on("data", (data) => {
      answer += data;
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNRESET" || error.code === "EPIPE" ? resolve(answer) : reject(error),
    );
    void (async () => {
      for (const chunk of chunks) {
        if (socket.destroyed) return;
        socket.write(chunk);
        if (everyMs > 0) await pause(everyMs);
      }
    })();
  });
}

const bodyOf = (answer: string): { error: { code: string } } =>
  JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4)) as { error: { code: string } };

describe("who sends slowly or wrongly", () => {
  it("headers that never end get 408", async () => {
    const answer = await raw(
      ["GET /api/health HTTP/1.1\r\n", ...Array.from({ length: 100 }, (_, index) => `X-${index}: a\r\n`)],
      50,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(bodyOf(answer).error.code).toBe("timed_out");
  });

  it("a body that never ends gets 408", async () => {
    const head =
      "POST /api/chat HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";
    expect(await raw([head, ...Array.from({ length: 100 }, () => " ")], 50)).toMatch(/^HTTP\/1\.1 408 /);
  });

  it.each([
    ["no HTTP", "hello\r\n\r\n", 400],
    ["headers by the megabyte", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(200_000)}\r\n\r\n`, 431],
    ["two lengths", "POST /api/chat HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400],
    [
      "a length and chunks",
      "POST /api/chat HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
    ["no host", "GET /api/health HTTP/1.1\r\n\r\n", 400],
  ])("%s", async (_name, bytes, status) => {
    expect(await raw([bytes])).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  it("chunks beyond the limit get 413", async () => {
    const chunk = `10000\r\n${" ".repeat(65_536)}\r\n`;
    const answer = await raw([
      "POST /api/chat HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
      ...Array.from({ length: 8 }, () => chunk),
    ]);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("and everybody else is served meanwhile", async () => {
    const idle = Array.from({ length: 200 }, () => dial(port, "127.0.0.1"));
    for (const socket of idle) socket.on("error", () => {});
    expect((await fetch(`${url}/api/health`)).status).toBe(200);
    for (const socket of idle) socket.destroy();
  });
});

describe("what takes too long inside", () => {
  it("is given up with 503, and holds nobody else up", async () => {
    const stuck = await outside({ handlerTimeoutMs: 200 });
    stuck.services.reads.models = () => new Promise(() => {});
    const { url: at } = await listening(stuck.app);
    const waiting = fetch(`${at}/api/models`);
    expect((await fetch(`${at}/api/health`)).status).toBe(200);
    const response = await waiting;
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { code: "timed_out" } });
    await stuck.app.close();
  });

  it("but a stream and a socket may last", async () => {
    const patient = await outside({ handlerTimeoutMs: 100, answerTimeoutMs: 100, settlementTimeoutMs: 100 });
    patient.script.tokenDelayMs = 200;
    const { url: at } = await listening(patient.app);
    const socket = await connect(`${at}/ws?address=${user}`);
    const response = await fetch(`${at}/api/chat`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({ message: "hello", user_address: user }),
    });
    expect(eventsOf(await response.text()).at(-2)?.data).toMatchObject({ status: "success" });
    expect(socket.socket.readyState).toBe(socket.socket.OPEN);
    await patient.app.close();
  });
});

describe("rates", () => {
  it("an address that asks too often waits, and is told how long", async () => {
    const strict = await outside({ requestsPerMinute: 7, spendingPerMinute: 2 });
    const ask = () =>
      strict.app.inject({ method: "POST", url: "/api/chat", payload: { message: "hello", user_address: user } });
    expect([(await ask()).statusCode, (await ask()).statusCode]).toEqual([200, 200]);
    const refused = await ask();
    expect(refused.statusCode).toBe(429);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect(refused.json()).toMatchObject({ error: { code: "rate_limited", retry_after_seconds: expect.any(Number) } });
    const generate = await strict.app.inject({ method: "POST", url: "/api/llm/generate", payload: {} });
    expect(generate.statusCode).toBe(429);
    const statuses = [];
    for (let index = 0; index < 6; index++) statuses.push((await strict.app.inject("/api/models")).statusCode);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    const elsewhere = await strict.app.inject({ url: "/api/models", remoteAddress: "192.0.2.1" });
    expect(elsewhere.statusCode).toBe(200);
    expect(
      (await strict.app.inject({ url: "/api/models", headers: { "x-forwarded-for": "192.0.2.2" } })).statusCode,
    ).toBe(429);
    await strict.app.close();
  });

  it("looking for what is not there counts too", async () => {
    const strict = await outside({ requestsPerMinute: 2 });
    const statuses = [];
    for (const path of ["/a", "/b", "/c"]) statuses.push((await strict.app.inject(path)).statusCode);
    expect(statuses).toEqual([404, 404, 429]);
    await strict.app.close();
  });
});

describe("other origins", () => {
  const origin = "https://app.example";

  it("may read", async () => {
    const response = await keeper.app.inject({ url: "/api/models", headers: { origin } });
    expect(response.headers["access-control-allow-origin"]).toBe("*");
    expect(response.headers["access-control-allow-credentials"]).toBeUndefined();
  });

  it("may ask whether they may ask, and get what is to be signed", async () => {
    const preflight = await keeper.app.inject({
      method: "OPTIONS",
      url: "/api/chat",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,authorization",
      },
    });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers["access-control-allow-headers"]).toContain("authorization");
    const payload = { message: "hello", user_address: user };
    const response = await keeper.app.inject({ method: "POST", url: "/api/chat", payload, headers: { origin } });
    expect(response.statusCode).toBe(401);
    expect(response.headers["access-control-allow-origin"]).toBe("*");
    expect(response.json()).toMatchObject({
      error: { code: "signature_required", typed_data: { primaryType: "Request" } },
    });
  });

  it("the page may connect to a chain on this machine, and to what is configured", async () => {
    const configured = await outside({ connectSources: ["https://rpc.example"] });
    const policy = String((await configured.app.inject("/api/models")).headers["content-security-policy"]);
    expect(policy).toMatch(/connect-src 'self' http:\/\/127\.0\.0\.1:\* .*https:\/\/rpc\.example/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("upgrade-insecure-requests");
    await configured.app.close();
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chat, GETS, generate, hash, SPENDING, user } from "./support/bad-input.ts";
import { SESSIONS } from "./support/bad-sessions.ts";
import { type Outside, outside } from "./support/http.ts";

let keeper: Outside;
beforeAll(async () => {
  keeper = await outside({ spendingPerMinute: 100_000, requestsPerMinute: 100_000 });
});
afterAll(() => keeper.app.close());

async function send(method: string, url: string, payload?: unknown, headers: Record<string, string> = {}) {
  const response = await keeper.app.inject({
    method: method as "GET",
    url,
    headers,
    ...(payload === undefined ? {} : { payload: payload as string }),
  });
  const { error } = response.json() as { error: Record<string, unknown> };
  return { status: response.statusCode, error, response };
}

const json = { "content-type": "application/json" };
const nested = (levels: number): string => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;

describe("what spends refuses", () => {
  it.each([...SPENDING, ...SESSIONS])("%s on %s", async (_name, url, body, status, code, field) => {
    const answer = await send("POST", url, body);
    expect([answer.status, answer.error["code"], answer.error["field"]]).toEqual([status, code, field]);
    expect(answer.error["message"]).toMatch(/[.!]$/);
  });

  it("names the models there are", async () => {
    const { error } = await send("POST", "/api/chat", { ...chat, model: "gpt-9" });
    expect(error["accepted"]).toEqual(["llama-2-7b-q4"]);
    const assigned = await send("POST", "/api/llm/generate", { ...generate, model: "gpt-9" });
    expect(assigned.error["accepted"]).toEqual(["gpt-2-q4", "llama-2-7b-q4"]);
    expect(assigned.error["message"]).toContain("gpt-2-q4, llama-2-7b-q4");
  });

  it("names the least that it takes", async () => {
    const { error } = await send("POST", "/api/chat", { ...chat, nsd_payment: 4.99 });
    expect(error).toMatchObject({ minimum: 5, minimum_wei: "5000000000000000000", cost: 55 });
  });

  it.each([
    ["no JSON", "{", "invalid_json"],
    ["half of it", '{"message":"hello"', "invalid_json"],
    ["nothing", "", "invalid_json"],
    [
      "a number with more digits than a double",
      '{"message":"hello","nsd_payment":50.00000000000000001}',
      "invalid_amount",
    ],
    ["__proto__", `{"__proto__":{"admin":true},"message":"hello","user_address":"${user}"}`, "unknown_field"],
    [
      "constructor",
      `{"constructor":{"prototype":{"admin":true}},"message":"hello","user_address":"${user}"}`,
      "unknown_field",
    ],
    ["100,000 levels", nested(100_000), "body_too_large"],
    ["20,000 levels", nested(20_000), "invalid_json"],
    ["a thousand levels", `${"[".repeat(1_000)}${"]".repeat(1_000)}`, "invalid_json"],
    ["invalid UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), "invalid_utf8"],
    ["a byte order of another encoding", Buffer.from("{}", "utf16le"), "invalid_json"],
  ])("a body of %s", async (_name, payload, code) => {
    const { status, error } = await send("POST", "/api/chat", payload, json);
    expect(error["code"]).toBe(code);
    expect(status).toBe(code === "body_too_large" ? 413 : 400);
  });

  it("a megabyte", async () => {
    const { status, error } = await send("POST", "/api/chat", { ...chat, message: "a".repeat(1_048_576) });
    expect([status, error["code"]]).toEqual([413, "body_too_large"]);
  });

  it("digits by the hundred thousand, without hanging", async () => {
    const started = Date.now();
    await send("POST", "/api/chat", `{"message":"hello","max_tokens":${"0.".padEnd(200_000, "0")}1}`, json);
    await send("POST", "/api/chat", { ...chat, nsd_payment: "9".repeat(200_000) });
    expect(Date.now() - started).toBeLessThan(20_000);
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml"])(
    "content of type %s",
    async (type) => {
      const { status, error } = await send("POST", "/api/chat", JSON.stringify(chat), { "content-type": type });
      expect([status, error["code"]]).toEqual([415, "unsupported_media_type"]);
    },
  );

  it.each(["Basic dXNlcjpwYXNz", "Bearer", "Bearer abc", "Bearer 0x12", "Token 0x12"])(
    "the authorization %s",
    async (authorization) => {
      const { status, error } = await send("POST", "/api/chat", chat, { authorization });
      expect([status, error["code"]]).toEqual([401, "invalid_signature"]);
    },
  );
});

describe("what reads refuses", () => {
  it.each(GETS)("%s (%s)", async (url, _name, status, code) => {
    const answer = await send("GET", url);
    expect([answer.status, answer.error["code"]]).toEqual([status, code]);
  });
});

describe("every route", () => {
  const paths = () =>
    Object.entries((keeper.app.swagger() as { paths: Record<string, Record<string, unknown>> }).paths);

  it("has a bad input in this file", () => {
    const tried = [...SPENDING.map(([, url]) => url), ...SESSIONS.map(([, url]) => url), ...GETS.map(([url]) => url)];
    for (const [path] of paths()) {
      const start = path.replace(/\{.*$/, "");
      expect(
        tried.some((url) => url.startsWith(start)),
        path,
      ).toBe(true);
    }
  });

  it("refuses another method with 405, and says which it takes", async () => {
    for (const [path, operations] of paths()) {
      const url = path
        .replace(/\{address\}/, user)
        .replace(/\{(request|session)_id\}/, hash)
        .replace(/\{cid\}/, "x");
      const wrong = ["GET", "POST", "PUT", "PATCH", "DELETE"].filter(
        // What follows /api/llm/ is an id to whoever deletes it.
        (method) => !(method.toLowerCase() in operations) && !(url === "/api/llm/generate" && method === "DELETE"),
      );
      for (const method of wrong) {
        const { status, error, response } = await send(method, url, method === "GET" ? undefined : {}, {});
        expect([status, error["code"]], `${method} ${path}`).toEqual([405, "method_not_allowed"]);
        expect(response.headers["allow"]).toContain(Object.keys(operations)[0]?.toUpperCase());
      }
    }
  });

  it("says nothing of what broke inside, and where to find it", async () => {
    keeper.script.breakReads = true;
    for (const url of ["/api/network", "/api/models", `/api/balances/${user}`]) {
      const { status, error, response } = await send("GET", url);
      expect([status, error["code"]]).toEqual([500, "internal_error"]);
      expect(error["trace_id"]).toBe(response.headers["x-trace-id"]);
      expect(response.body).not.toContain("hunter2");
    }
    const health = await keeper.app.inject("/api/health");
    expect([health.statusCode, health.json<{ status: string }>().status]).toEqual([503, "down"]);
    keeper.script.breakReads = false;
  });

  it("accepts nothing that it refused", () => {
    expect(keeper.kept.size).toBe(0);
  });
});

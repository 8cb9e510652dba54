import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { account } from "./support/fake-reads.ts";
import { type Outside, outside } from "./support/http.ts";

const user = account(1);
const stranger = "0x742d35Cc6634C0532925a3b844Bc9e7595f0bEb0";
let keeper: Outside;

beforeAll(async () => {
  keeper = await outside();
});
afterAll(() => keeper.app.close());

describe("the development signature", () => {
  const ask = { message: "hello", user_address: user.address };

  it.each([
    ["a caller on this machine", {}, {}, 200],
    [
      "the keeper's own page",
      { host: "127.0.0.1:4173", origin: "http://127.0.0.1:4173", "sec-fetch-site": "same-origin" },
      {},
      200,
    ],
    ["IPv6 loopback", { host: "[::1]:4173" }, { remoteAddress: "::1" }, 200],
    ["a page of another origin", { host: "127.0.0.1:4173", origin: "https://evil.example" }, {}, 401],
    ["a page on another port", { host: "127.0.0.1:4173", origin: "http://127.0.0.1:8000" }, {}, 401],
    ["an opaque origin", { origin: "null" }, {}, 401],
    ["a page that hides its origin", { "sec-fetch-site": "cross-site" }, {}, 401],
    ["a name that was made to resolve here", { host: "rebind.evil.example:4173" }, {}, 401],
    ["a name that only looks local", { host: "127.0.0.1.evil.example" }, {}, 401],
    ["another machine", { host: "127.0.0.1" }, { remoteAddress: "192.0.2.7" }, 401],
    [
      "another machine that claims to be this one",
      { "x-forwarded-for": "127.0.0.1" },
      { remoteAddress: "192.0.2.7" },
      401,
    ],
    ["a proxy on this machine", { "x-forwarded-for": "192.0.2.7" }, {}, 401],
    ["who wants to sign alone", {}, { payload: { ...ask, prepare: true } }, 401],
  ])("for %s", async (_who, headers, more, expected) => {
    const response = await keeper.app.inject({
      method: "POST",
      url: "/api/chat",
      payload: ask,
      headers: headers as Record<string, string>,
      ...more,
    });
    expect(response.statusCode).toBe(expected);
  });

  it("for nobody but development accounts", async () => {
    const payload = { ...ask, user_address: stranger };
    expect((await keeper.app.inject({ method: "POST", url: "/api/chat", payload })).statusCode).toBe(401);
  });
});

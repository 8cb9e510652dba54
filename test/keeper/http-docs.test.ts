import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Document } from "./support/described.ts";
import { type Outside, outside } from "./support/http.ts";

let keeper: Outside;
let document: Document;

beforeAll(async () => {
  keeper = await outside();
  document = (await keeper.app.inject("/openapi.json")).json<Document>();
});
afterAll(() => keeper.app.close());

describe("the description", () => {
  it("is OpenAPI 3.1 with what a document needs", () => {
    expect(document.openapi).toBe("3.1.0");
    expect(document.info.title).not.toBe("");
    for (const [path, operations] of Object.entries(document.paths)) {
      const placeholders = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name);
      for (const [method, operation] of Object.entries(operations)) {
        const inPath = (operation.parameters ?? [])
          .filter((parameter) => parameter.in === "path")
          .map(({ name }) => name);
        expect(inPath, `${method} ${path}`).toEqual(placeholders);
        expect(operation.summary, `${method} ${path}`).toBeTruthy();
        expect(Object.keys(operation.responses).length).toBeGreaterThan(0);
        for (const [status, response] of Object.entries(operation.responses)) {
          expect(status).toMatch(/^([1-5][0-9]{2}|[1-5]XX|default)$/);
          expect(response.description).toBeTruthy();
        }
      }
    }
  });

  it("covers every route, and no other", () => {
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual(
      [
        "DELETE /api/llm/{request_id}",
        "GET /api/account/{address}",
        "GET /api/balances/{address}",
        "GET /api/health",
        "GET /api/history/{address}",
        "GET /api/models",
        "GET /api/network",
        "GET /api/quote",
        "GET /api/rewards/{address}",
        "GET /api/user-stats",
        "GET /api/validators",
        "GET /api/llm/status/{request_id}",
        "GET /ipfs/{cid}",
        "GET /llm/stream",
        "GET /ws",
        "POST /api/chat",
        "GET /api/sessions",
        "GET /api/sessions/{session_id}",
        "POST /api/llm/generate",
        "POST /api/sessions",
        "POST /api/sessions/{session_id}/api-key",
        "POST /api/sessions/{session_id}/close",
        "POST /api/sessions/{session_id}/prompts",
      ].sort(),
    );
    for (const line of described) {
      const [method, path] = line.split(" ") as [string, string];
      expect(keeper.app.hasRoute({ method: method as "GET", url: path.replace(/\{(\w+)\}/g, ":$1") }), line).toBe(true);
    }
  });

  it("has a page to read it on", async () => {
    const page = await keeper.app.inject("/docs");
    expect(page.statusCode).toBe(200);
    expect(page.headers["content-security-policy"]).toContain("default-src 'self'");
    const scripts = [...page.body.matchAll(/src="([^"]+)"/g)].map(([, src]) => src ?? "");
    for (const src of scripts) expect((await keeper.app.inject(src)).statusCode, src).toBe(200);
  });
});

describe("the page", () => {
  const folder = mkdtempSync(join(tmpdir(), "neuroswarm-page-"));
  let built: Outside;
  beforeAll(async () => {
    mkdirSync(join(folder, "assets"));
    writeFileSync(join(folder, "index.html"), "<!doctype html><title>NeuroSwarm</title>");
    writeFileSync(join(folder, "assets", "index-abc123.js"), "export {};");
    built = await outside({}, folder);
  });
  afterAll(async () => {
    await built.app.close();
    rmSync(folder, { recursive: true });
  });
  const get = (url: string, accept = "text/html") => built.app.inject({ url, headers: { accept } });

  it("is served with its files, each kept as long as it holds", async () => {
    const index = await get("/");
    expect([index.statusCode, index.headers["cache-control"]]).toEqual([200, "no-cache"]);
    expect(index.headers["content-security-policy"]).toContain("script-src 'self'");
    expect(index.headers["x-frame-options"]).toBe("DENY");
    const asset = await get("/assets/index-abc123.js", "*/*");
    expect([asset.statusCode, asset.headers["cache-control"]]).toEqual([200, "public, max-age=31536000, immutable"]);
  });

  it("is served at the places inside it, and nowhere else", async () => {
    for (const url of ["/network", "/validate", "/chat/some-thread"])
      expect((await get(url)).body).toContain("<title>NeuroSwarm");
    for (const url of ["/api/nothing", "/assets/gone.js", "/favicon.ico", "/docs/nothing"])
      expect((await get(url)).statusCode, url).toBe(404);
    expect((await get("/network", "application/json")).statusCode).toBe(404);
    expect((await get("/..%2f..%2fetc%2fpasswd")).statusCode).not.toBe(200);
    expect((await built.app.inject({ method: "POST", url: "/network", payload: {} })).statusCode).toBe(404);
    expect((await get("/api/chat")).statusCode).toBe(405);
  });

  it("says how it is built where it is not", async () => {
    const response = await keeper.app.inject("/");
    expect([response.statusCode, response.headers["content-type"]]).toEqual([503, "text/plain; charset=utf-8"]);
    expect(response.body).toContain("npm run build:web");
  });
});

/** `GET /ipfs/:cid` over a Kubo node whose network has everything: nobody may use the keeper as a gateway to it. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Context } from "../../keeper/services/context.ts";
import { ReadService } from "../../keeper/services/reads.ts";
import type { Supervisor } from "../../keeper/services/supervisor.ts";
import { cidOf, digestOfBytes } from "../../keeper/storage/cid.ts";
import { KuboBlockStore } from "../../keeper/storage/kubo-blocks.ts";
import { silent } from "./support/engine-harness.ts";
import { type Outside, outside } from "./support/http.ts";

const ours = Buffer.from("a block of this keeper");
const theirs = Buffer.from("a block of somebody else");
const cid = (bytes: Buffer): string => cidOf(digestOfBytes(bytes));
/** Everything that any node has, by CID. */
const network = new Map([ours, theirs].map((bytes) => [cid(bytes), bytes]));
const held = new Set([cid(ours)]);
/** What the keeper may ask of the node before a block is collected as garbage. */
let collectAfter = Number.POSITIVE_INFINITY;
let calls: URL[] = [];
let node: Server;
let store: KuboBlockStore;
let keeper: Outside;

beforeAll(async () => {
  node = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://node");
    const name = url.searchParams.get("arg") ?? "";
    const offline = url.searchParams.get("offline") === "true";
    calls.push(url);
    const bytes = network.get(name);
    request.resume();
    if (bytes === undefined || (offline && (!held.has(name) || calls.length > collectAfter))) {
      const Message = `block was not found locally (offline): ipld: could not find ${name}`;
      response.writeHead(500, { "content-type": "application/json" }).end(JSON.stringify({ Message }));
    } else response.end(url.pathname.endsWith("stat") ? JSON.stringify({ Key: name, Size: bytes.length }) : bytes);
  }).listen(0, "127.0.0.1");
  await once(node, "listening");
  store = new KuboBlockStore({ url: `http://127.0.0.1:${(node.address() as AddressInfo).port}`, logger: silent });
  keeper = await outside();
  const core = new ReadService({ blocks: store } as Partial<Context> as Context, {} as Supervisor, () => 0);
  keeper.services.reads.block = (name) => core.block(name);
});
afterAll(async () => {
  await keeper.app.close();
  await store.close();
  node.closeAllConnections();
  node.close();
});
beforeEach(() => {
  calls = [];
  collectAfter = Number.POSITIVE_INFINITY;
});

const get = (bytes: Buffer) => keeper.app.inject(`/ipfs/${cid(bytes)}`);
const allOffline = () => calls.every((url) => url.searchParams.get("offline") === "true");

it("gives what the node holds", async () => {
  const response = await get(ours);
  expect([response.statusCode, response.rawPayload]).toEqual([200, ours]);
  expect(allOffline()).toBe(true);
});

it("does not look elsewhere for what it does not hold", async () => {
  const response = await get(theirs);
  expect([response.statusCode, response.json<{ error: { code: string } }>().error.code]).toEqual([
    404,
    "block_not_found",
  ]);
  expect(calls.length).toBeGreaterThan(0);
  expect(allOffline()).toBe(true);
});

it("nor for what is collected while it is read", async () => {
  collectAfter = 1;
  expect((await get(ours)).statusCode).toBe(500);
  expect(allOffline()).toBe(true);
});

it("while the keeper itself still finds a record that its node lost", async () => {
  expect(Buffer.from((await store.get(cid(theirs))) ?? [])).toEqual(theirs);
  expect(await store.get(cid(theirs), { local: true })).toBeUndefined();
});

/** What a keeper does with endpoints that are of another chain, overloaded, or gone. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { afterEach, expect, test } from "vitest";
import type { AddressBook } from "../../deploy/addresses.ts";
import { connectChain } from "../../keeper/chain/clients.ts";
import { deploymentOf } from "../../keeper/chain/contracts.ts";

const open: Server[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

interface Endpoint {
  readonly url: string;
  /** How many HTTP requests it has had. */
  asked: number;
  /** The status of the next ones, 200 where none is left. */
  readonly statuses: number[];
}

interface Call {
  readonly id: number;
  readonly method: string;
}

/** An endpoint of a chain with this id, at block `0x10`. */
async function endpoint(chainId: number): Promise<Endpoint> {
  const server = createServer(async (request, response) => {
    it.asked++;
    const status = it.statuses.shift() ?? 200;
    const asked = (await json(request)) as Call | Call[];
    const answer = ({ id, method }: Call) => ({
      jsonrpc: "2.0",
      id,
      result: method === "eth_chainId" ? `0x${chainId.toString(16)}` : "0x10",
    });
    response.writeHead(status, { "content-type": "application/json" });
    response.end(status === 200 ? JSON.stringify(Array.isArray(asked) ? asked.map(answer) : answer(asked)) : "busy");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push(server);
  const it: Endpoint = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: 0, statuses: [] };
  return it;
}

test("one that answers 429 is asked again", async () => {
  const busy = await endpoint(77);
  const { client } = await connectChain([busy.url], 100);
  busy.asked = 0;
  busy.statuses.push(429, 429);
  expect(await client.getBlockNumber()).toBe(16n);
  expect(busy.asked).toBe(3);
});

test("one that is down is passed over for the next", async () => {
  const [first, second] = [await endpoint(77), await endpoint(77)];
  const { client } = await connectChain([first.url, second.url], 100);
  expect(await client.getBlockNumber()).toBe(16n);
  second.asked = 0;
  first.statuses.push(...Array(20).fill(503));
  expect(await client.getBlockNumber()).toBe(16n);
  expect(second.asked).toBe(1);
});

test("endpoints of two chains are refused", async () => {
  const [first, second] = [await endpoint(77), await endpoint(78)];
  await expect(connectChain([first.url, second.url], 100)).rejects.toThrow("is chain 78: check RPC_URL");
});

test("contracts of another chain are refused", () => {
  expect(() => deploymentOf({ chainId: 78 } as AddressBook, 77)).toThrow(
    "is for chain 78, but the endpoint is chain 77",
  );
});

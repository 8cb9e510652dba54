/** An endpoint of a real chain that can be made to lag: it then shows the chain as it was some blocks ago. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

interface Call {
  readonly id: number;
  readonly method: string;
  readonly params?: unknown[];
}

export interface LaggingEndpoint {
  /** Not by a name of loopback: what answers there is taken for somebody else's node. */
  readonly url: string;
  /** Shows nothing after this block; undefined shows everything. */
  until: bigint | undefined;
  /** Answers for no more than so many blocks at once with logs. */
  most: bigint | undefined;
  stop(): Promise<void>;
}

export async function laggingEndpoint(target: string): Promise<LaggingEndpoint> {
  const server = createServer(async (request, response) => {
    const asked = (await json(request)) as Call | Call[];
    const answered = await Promise.all(
      [asked].flat().map(async (call) => ((await isTooWide(call)) ? refusal(call) : answer(call, it.until))),
    );
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(Array.isArray(asked) ? answered : answered[0]));
  });

  const refusal = ({ id }: Call): unknown => ({
    jsonrpc: "2.0",
    id,
    error: { code: -32_602, message: `at most ${it.most} blocks` },
  });

  async function isTooWide({ method, params }: Call): Promise<boolean> {
    if (method !== "eth_getLogs" || it.most === undefined) return false;
    const { fromBlock = "0x0", toBlock } = (params?.[0] ?? {}) as { fromBlock?: string; toBlock?: string };
    const last = toBlock?.startsWith("0x") ? toBlock : (await forward({ id: 0, method: "eth_blockNumber" })).result;
    return BigInt(String(last)) - BigInt(fromBlock) >= it.most;
  }

  async function forward(call: Call): Promise<{ result?: { blockNumber?: string } | string | null }> {
    const body = JSON.stringify({ jsonrpc: "2.0", ...call });
    const reply = await fetch(target, { method: "POST", body, headers: { "content-type": "application/json" } });
    return (await reply.json()) as { result?: { blockNumber?: string } | null };
  }

  async function answer(call: Call, until: bigint | undefined): Promise<unknown> {
    if (until === undefined) return forward(call);
    const last = `0x${until.toString(16)}`;
    const nothing = { jsonrpc: "2.0", id: call.id, result: null };
    if (call.method === "eth_blockNumber") return { ...nothing, result: last };
    const params = call.params?.map((param) => (param === "latest" || param === "pending" ? last : param)) ?? [];
    if (call.method === "eth_getBlockByNumber" && BigInt(String(params[0])) > until) return nothing;
    const reply = await forward({ ...call, params });
    const { result } = reply;
    const isReceipt = call.method === "eth_getTransactionReceipt" && typeof result === "object";
    const mined = isReceipt ? result?.blockNumber : undefined;
    return mined !== undefined && BigInt(mined) > until ? nothing : reply;
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const it: LaggingEndpoint = {
    url: `http://0.0.0.0:${(server.address() as AddressInfo).port}`,
    until: undefined,
    most: undefined,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return it;
}

import type { Hex } from "viem";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CANCEL_TYPES } from "../../keeper/chain/intents.ts";
import { type Document, expectDescribed } from "./support/described.ts";
import { account, type Kept } from "./support/fake-reads.ts";
import { settle } from "./support/fake-state.ts";
import { type Outside, outside } from "./support/http.ts";

type Body = Record<string, unknown>;
interface Typed {
  readonly domain: object;
  readonly primaryType: string;
  readonly message: { readonly request: Hex; readonly deadline: string };
}

const user = account(1);
const path = "/api/llm/{request_id}";
let keeper: Outside;
let document: Document;

beforeAll(async () => {
  keeper = await outside();
  document = (await keeper.app.inject("/openapi.json")).json<Document>();
});
afterAll(() => keeper.app.close());
beforeEach(() => {
  keeper.script.byHand = true;
});

async function remove(id: string, payload?: Body, headers: Record<string, string> = {}) {
  const url = `/api/llm/${id}`;
  const response = await keeper.app.inject({ method: "DELETE", url, headers, ...(payload ? { payload } : {}) });
  return { status: response.statusCode, body: response.json<Body & { error: Body & { typed_data: Typed } }>() };
}

async function opened(): Promise<Hex> {
  const payload = { model: "llama-2-7b-q4", prompt: "hi", user_address: user.address, nsd_payment: 50, priority: true };
  const { request_id } = (await keeper.app.inject({ method: "POST", url: "/api/llm/generate", payload })).json<{
    request_id: Hex;
  }>();
  return request_id;
}

function open(id: Hex): Kept {
  const entry = keeper.kept.get(id);
  if (!entry) throw new Error(`${id} is not open`);
  return entry;
}

const sign = ({ domain, message }: Typed, signer = user): Promise<Hex> =>
  signer.signTypedData({
    domain,
    types: CANCEL_TYPES,
    primaryType: "Cancel",
    message: { request: message.request, deadline: BigInt(message.deadline) },
  });

describe("DELETE /api/llm/:request_id", () => {
  it("asks for a signature, and says what comes back", async () => {
    const id = await opened();
    const { status, body } = await remove(id, { prepare: true });
    expect([status, body.error["code"], body.error["refund_percent"]]).toEqual([401, "signature_required", 100]);
    expectDescribed(document, path, "delete", 401, body);
    expect(body.error.typed_data).toMatchObject({ primaryType: "Cancel", message: { request: id } });
  });

  it.each(["a body", "a header alone"])("takes the signature in %s", async (where) => {
    const id = await opened();
    const { typed_data } = (await remove(id, { prepare: true })).body.error;
    const signature = await sign(typed_data);
    const { status, body } =
      where === "a body"
        ? await remove(id, { deadline: typed_data.message.deadline, signature })
        : await remove(id, undefined, { authorization: `Bearer ${signature}` });
    expect([status, body["status"], body["nsd_refunded"]]).toEqual([200, "cancelled", 50]);
    expectDescribed(document, path, "delete", 200, body);
    const again = await remove(id);
    expect([again.status, again.body["status"]]).toEqual([200, "cancelled"]);
    const state = (await keeper.app.inject(`/api/llm/status/${id}`)).json<Body>();
    expect(state).toMatchObject({ status: "cancelled", refund_percent: 100, nsd_refunded: 50, priority: true });
  });

  it("signs for a development account on this machine, and for it alone", async () => {
    const { status, body } = await remove(await opened());
    expect([status, body["status"]]).toEqual([200, "cancelled"]);
    const elsewhere = await remove(await opened(), undefined, { origin: "https://elsewhere.example" });
    expect(elsewhere.status).toBe(401);
  });

  it("refuses somebody else's signature, what is over, and what it never saw", async () => {
    const id = await opened();
    const { typed_data } = (await remove(id, { prepare: true })).body.error;
    const signature = await sign(typed_data, account(2));
    const stranger = await remove(id, { deadline: typed_data.message.deadline, signature });
    expect([stranger.status, stranger.body.error["code"]]).toEqual([403, "not_yours"]);
    settle(open(id).state);
    const over = await remove(id);
    expect([over.status, over.body.error["code"], over.body.error["status"]]).toEqual([
      409,
      "already_ended",
      "completed",
    ]);
    const unknown = await remove(`0x${"ef".repeat(32)}`);
    expect([unknown.status, unknown.body.error["code"]]).toEqual([404, "request_not_found"]);
  });

  it.each([
    ["an id of another kind", "abc", undefined, "invalid_field", "request_id"],
    ["a signature that is none", `0x${"ab".repeat(32)}`, { signature: "0x12" }, "invalid_signature", "signature"],
    ["an unknown field", `0x${"ab".repeat(32)}`, { why: "changed my mind" }, "unknown_field", "why"],
    [
      "a signature without its deadline",
      `0x${"ab".repeat(32)}`,
      { signature: `0x${"11".repeat(65)}` },
      "missing_field",
      "deadline",
    ],
    [
      "a deadline in words",
      `0x${"ab".repeat(32)}`,
      { deadline: "soon", signature: `0x${"11".repeat(65)}` },
      "invalid_field",
      "deadline",
    ],
  ])("refuses %s", async (_name, id, payload, code, field) => {
    const { status, body } = await remove(id, payload);
    expect([status, body.error["code"], body.error["field"]]).toEqual([400, code, field]);
  });

  it("may be asked for from every origin, as everything that a signature protects", async () => {
    const { headers } = await keeper.app.inject({
      method: "OPTIONS",
      url: `/api/llm/0x${"ab".repeat(32)}`,
      headers: { origin: "https://elsewhere.example", "access-control-request-method": "DELETE" },
    });
    expect(headers["access-control-allow-methods"]).toContain("DELETE");
  });
});

import { concat, type Hex, hashTypedData, keccak256, stringToBytes, toHex } from "viem";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { account } from "./support/fake-reads.ts";
import { type Outside, outside } from "./support/http.ts";

type Body = Record<string, unknown>;
interface TypedData {
  domain: { name: string; version: string; chainId: number; verifyingContract: Hex };
  types: Record<string, { name: string; type: string }[]>;
  primaryType: "Request";
  message: Record<string, unknown>;
}

const user = account(1);
const stranger = "0x742d35Cc6634C0532925a3b844Bc9e7595f0bEb0";
let keeper: Outside;

beforeAll(async () => {
  keeper = await outside();
});
afterAll(() => keeper.app.close());
beforeEach(() => {
  Object.assign(keeper.script, { fail: undefined, settleDelayMs: 5, tokenDelayMs: 1, credits: 10n ** 23n });
});

async function post(url: string, body: Body, headers: Record<string, string> = {}) {
  const response = await keeper.app.inject({ method: "POST", url, payload: body, headers });
  return { status: response.statusCode, headers: response.headers, body: response.json() as Body & { error: Body } };
}

async function toSign(url: string, body: Body) {
  const { status, body: answer } = await post(url, { ...body, prepare: true });
  expect(status).toBe(401);
  return answer.error as unknown as { code: string; typed_data: TypedData; salt: Hex };
}

const sign = (data: TypedData, signer = user): Promise<Hex> => {
  const { EIP712Domain: _, ...types } = data.types;
  return signer.signTypedData({ ...data, types, message: data.message } as never);
};

describe("the seeds' calls, word for word", () => {
  it("POST /api/chat {message, user_address}", async () => {
    const { status, body } = await post("/api/chat", {
      message: "Explain blockchain consensus",
      user_address: user.address,
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      response: "Validators agree in rounds.",
      status: "success",
      tokens_used: 4,
      lcai_earned: 1,
      lcai_earned_wei: "1000000000000000000",
      receipt: {
        payment: 55,
        payment_wei: "55000000000000000000",
        consumed: 5.4,
        validator: 3.78,
        treasury: 1.08,
        burned: 0.54,
        returned: 49.6,
      },
    });
    expect(body["request_id"]).toMatch(/^0x[0-9a-f]{64}$/);
    expect(body["ipfs_url"]).toBe(`http://localhost:80/ipfs/${body["cid"]}`);
    expect(body["blockchain_url"]).toBe(`http://localhost:80/api/llm/status/${body["request_id"]}`);
    expect(body["blockchain_tx"]).toMatch(/^0x[0-9a-f]{64}$/);
    const receipt = body["receipt"] as Record<string, string>;
    const legs = ["validator_wei", "treasury_wei", "burned_wei", "returned_wei"].map((leg) =>
      BigInt(receipt[leg] ?? 0),
    );
    expect(legs.reduce((sum, leg) => sum + leg)).toBe(BigInt(receipt["payment_wei"] ?? 0));
  });

  const payload = {
    model: "llama-2-7b-q4",
    prompt: "Explain blockchain consensus",
    max_tokens: 500,
    temperature: 0.7,
    user_address: user.address,
    nsd_payment: 50,
  };

  it("POST /api/llm/generate, then its status", async () => {
    const { status, body } = await post("/api/llm/generate", payload);
    expect(status).toBe(202);
    expect(body).toMatchObject({
      status: "queued",
      nsd_burned: 50,
      nsd_burned_wei: "50000000000000000000",
      estimated_wait_seconds: 5,
      estimated_wait: 5,
      assigned_node: "node_validator_1",
    });
    await keeper.services.requests.waitFor(body["request_id"] as Hex, "settled", 2_000);
    const done = await keeper.app.inject(`/api/llm/status/${body["request_id"]}`);
    expect(done.json()).toMatchObject({
      request_id: body["request_id"],
      status: "completed",
      result: "Validators agree in rounds.",
      tokens_used: 4,
      nsd_payment: 50,
      nsd_payment_wei: "50000000000000000000",
      nsd_consumed: 5.4,
      nsd_consumed_wei: "5400000000000000000",
      validator_earned: 3.78,
    });
  });

  it("names the field of the seed's sample address, which has 39 digits", async () => {
    const { status, body } = await post("/api/llm/generate", {
      ...payload,
      user_address: "0x742d35Cc6634C0532925a3b844Bc9e7595f0bEb",
    });
    expect(status).toBe(400);
    expect(body.error).toMatchObject({
      code: "invalid_address",
      field: "user_address",
      expected: "0x followed by 40 hex digits",
    });
    expect(body.error["message"]).toContain("has 39");
  });

  it("a prompt stays here where this keeper alone serves the model, and is said to be published elsewhere", async () => {
    const alone = await toSign("/api/llm/generate", payload);
    expect(alone).not.toHaveProperty("prompt_published");
    expect(BigInt(alone.salt)).not.toBe(0n);
    const shared = await toSign("/api/llm/generate", { ...payload, model: "gpt-2-q4" });
    expect(shared).toMatchObject({ prompt_published: true, message: expect.stringContaining("public on chain") });
    expect(BigInt(shared.salt)).toBe(0n);
  });

  it("Authorization: Bearer <signature> on the same body, once it is known what to sign", async () => {
    const literal = { ...payload, user_address: user.address.toLowerCase() };
    const { typed_data } = await toSign("/api/llm/generate", literal);
    const headers = { authorization: `Bearer ${await sign(typed_data)}` };
    expect((await post("/api/llm/generate", literal, headers)).status).toBe(202);
    const again = await post("/api/llm/generate", literal, headers);
    expect(again.status).toBe(401);
    expect(again.body.error["code"]).toBe("signature_required");
  });

  it.each(["toUpperCase", "toLowerCase"] as const)("an address in any case (%s)", async (change) => {
    const address = `0x${user.address.slice(2)[change]()}`;
    expect((await post("/api/chat", { message: "hello", user_address: address })).status).toBe(200);
  });
});

describe("agreeing to spend", () => {
  const ask = { message: "What is a nonce?", user_address: stranger, max_tokens: 10, nsd_payment: "12.5" };

  it("answers 401 with a message that a wallet can sign", async () => {
    const { status, headers, body } = await post("/api/chat", ask);
    expect(status).toBe(401);
    expect(headers["www-authenticate"]).toContain("Bearer");
    const { code, typed_data, salt } = body.error as unknown as { code: string; typed_data: TypedData; salt: Hex };
    expect(code).toBe("signature_required");
    expect(typed_data.primaryType).toBe("Request");
    expect(typed_data.types["EIP712Domain"]?.map(({ name }) => name)).toEqual([
      "name",
      "version",
      "chainId",
      "verifyingContract",
    ]);
    expect(typed_data.domain).toMatchObject({ name: "NeuroSwarm", version: "1", chainId: 31337 });
    expect(typed_data.message).toMatchObject({
      payment: "12500000000000000000",
      relayFee: "0",
      maxTokens: 10,
      temperature: 70,
    });
    expect(typed_data.message["promptHash"]).toBe(keccak256(concat([salt, toHex(stringToBytes(ask.message))])));
    expect(() => hashTypedData(typed_data as never)).not.toThrow();
  });

  it("takes intent, signature and salt", async () => {
    const { typed_data, salt } = await toSign("/api/chat", { ...ask, user_address: user.address });
    const signed = { message: ask.message, intent: typed_data.message, signature: await sign(typed_data), salt };
    const { status, body } = await post("/api/chat", signed);
    expect(status).toBe(200);
    expect(body["receipt"]).toMatchObject({ payment: 12.5 });
    const again = await post("/api/chat", signed);
    expect([again.status, again.body["request_id"]]).toEqual([200, body["request_id"]]);
    const changed = { ...typed_data, message: { ...typed_data.message, maxTokens: 9 } };
    const reused = await post("/api/chat", { ...signed, intent: changed.message, signature: await sign(changed) });
    expect(reused.status).toBe(409);
    expect(reused.body.error).toMatchObject({ code: "nonce_used", onchain_error: "RouterInvalidNonce" });
  });

  it("takes a Bearer signature with nonce, deadline and salt", async () => {
    const fields = { ...ask, user_address: user.address };
    const { typed_data, salt } = await toSign("/api/chat", fields);
    const { nonce, deadline } = typed_data.message;
    const headers = { authorization: `Bearer ${await sign(typed_data)}` };
    expect((await post("/api/chat", { ...fields, nonce, deadline, salt }, headers)).status).toBe(200);
  });

  it.each([
    ["another user", { user_address: stranger }, 400, "field_mismatch", "user_address"],
    ["another payment", { nsd_payment: 13 }, 400, "field_mismatch", "nsd_payment"],
    ["another length", { max_tokens: 11 }, 400, "field_mismatch", "max_tokens"],
    ["another prompt", { message: "Something else" }, 400, "prompt_mismatch", undefined],
    ["no salt", { salt: undefined }, 400, "prompt_mismatch", undefined],
    ["no signature", { signature: undefined }, 400, "missing_field", "signature"],
    ["a short signature", { signature: "0x1234" }, 400, "invalid_signature", "signature"],
    ["a signature of zeros", { signature: `0x${"00".repeat(65)}` }, 401, "invalid_signature", undefined],
  ])("refuses a signed intent with %s", async (_name, change, status, code, field) => {
    const fields = { ...ask, user_address: user.address };
    const { typed_data, salt } = await toSign("/api/chat", fields);
    const answer = await post("/api/chat", {
      message: ask.message,
      intent: typed_data.message,
      signature: await sign(typed_data),
      salt,
      ...change,
    });
    expect([answer.status, answer.body.error["code"], answer.body.error["field"]]).toEqual([status, code, field]);
  });

  it("refuses what somebody else signed, and what has expired", async () => {
    const { typed_data, salt } = await toSign("/api/chat", { ...ask, user_address: user.address });
    const body = { message: ask.message, intent: typed_data.message, salt };
    const forged = await post("/api/chat", { ...body, signature: await sign(typed_data, account(2)) });
    expect([forged.status, forged.body.error["code"]]).toEqual([401, "invalid_signature"]);
    const late = { ...typed_data, message: { ...typed_data.message, deadline: "1" } };
    const expired = await post("/api/chat", { ...body, intent: late.message, signature: await sign(late) });
    expect([expired.status, expired.body.error["onchain_error"]]).toEqual([400, "RouterExpired"]);
  });

  it("says what to deposit where the credits do not cover it", async () => {
    keeper.script.credits = 1n;
    const { status, body } = await post("/api/chat", { message: "hello", user_address: user.address });
    expect(status).toBe(402);
    expect(body.error).toMatchObject({
      code: "insufficient_credits",
      required_wei: "55000000000000000000",
      credits_wei: "1",
    });
  });
});

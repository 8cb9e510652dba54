import { type Hex, parseEther, sha256 } from "viem";
import { describe, expect, test } from "vitest";
import { cidOf } from "../../keeper/storage/cid.ts";
import { account } from "./support/chain.ts";
import { coreFixture } from "./support/core.ts";
import { type Document, expectDescribed } from "./support/described.ts";
import { eventsOf } from "./support/http.ts";
import { call, HeldByTest, openSession } from "./support/sessions.ts";

const core = coreFixture();
const stream = { accept: "text/event-stream" };
const codeOf = ({ status, body }: Awaited<ReturnType<typeof call>>) => [status, body.error?.["code"]];

describe("a prompt", () => {
  test("is answered for exactly the receipt that its bill asks for", async () => {
    const session = await HeldByTest.open(core, account(0));
    const prompt = await session.prompt("What is a fee?");
    const bill = await session.post(prompt);
    expect(codeOf(bill)).toEqual([402, "payment_required"]);
    const receipt = session.receiptFor(bill);
    expect(bill.body.error["receipt"]).toEqual({ ...receipt, total: receipt.total.toString() });
    const answer = await session.post(prompt, await session.sign(receipt));
    expect(answer).toMatchObject({
      status: 200,
      body: { status: "success", session_number: 1, price_wei: receipt.total.toString(), session_id: session.id },
    });
    const response = await fetch(`${core.keeper.url}/ipfs/${answer.body["cid"]}?format=raw`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect(sha256(bytes)).toBe(bill.body.error["digest"]);
    expect(JSON.parse(new TextDecoder().decode(bytes))).toMatchObject({
      lane: "session",
      answer: answer.body["response"],
    });
    // The same again is the same answer, and costs nothing.
    expect((await session.post(prompt)).body["response"]).toBe(answer.body["response"]);
    const status = await call(session.url);
    expect(status.body).toMatchObject({
      status: "open",
      prompts: 1,
      cap_wei: parseEther("100").toString(),
      spent_wei: receipt.total.toString(),
      settled_wei: "0",
      reserved_wei: "0",
      remaining_wei: (parseEther("100") - receipt.total).toString(),
    });
  });

  test("is told to nobody before it is paid, by whatever door", async () => {
    const session = await HeldByTest.open(core, account(0));
    const prompt = await session.prompt("What is secret?");
    const bill = await session.post(prompt);
    const { request_id, digest } = bill.body.error as { request_id: Hex; digest: Hex };
    const status = await call(`${core.keeper.url}/api/llm/status/${request_id}`);
    expect(status.body).toMatchObject({ status: "processing", result: null });
    expect(status.body["cid"]).toBeUndefined();
    expect((await fetch(`${core.keeper.url}/ipfs/${cidOf(digest)}`)).status).toBe(404);
    const history = await call(`${core.keeper.url}/api/history/${account(0).address}`);
    const [first] = history.body["requests"] as Record<string, unknown>[];
    expect(first).toMatchObject({ request_id, result: null, lane: "session" });
    const told: unknown[] = [];
    const stop = await core.keeper.services.requests.follow(request_id, 0, (event) => told.push(event));
    stop();
    expect(told.filter((event) => (event as { type: string }).type !== "phase")).toEqual([]);
    const answer = await session.post(prompt, await session.sign(session.receiptFor(bill)));
    expect(answer.status).toBe(200);
    expect((await call(`${core.keeper.url}/api/llm/status/${request_id}`)).body["result"]).toBe(
      answer.body["response"],
    );
  });

  test("streams as it is drawn where a receipt pays ahead, and charges what it cost alone", async () => {
    const session = await HeldByTest.open(core, account(1));
    await session.ask("First");
    const prompt = await session.prompt("Second");
    const response = await fetch(`${session.url}/prompts`, {
      method: "POST",
      headers: { "content-type": "application/json", ...stream },
      body: JSON.stringify({ ...prompt, receipt: await session.ahead() }),
    });
    const events = eventsOf(await response.text());
    const tokens = events.filter(({ event }) => event === "token");
    const answered = events.findIndex(({ data }) => data["phase"] === "answered");
    expect(tokens.length).toBeGreaterThan(0);
    expect(events.findIndex(({ event }) => event === "token")).toBeLessThan(answered);
    const final = events.at(-2)?.data ?? {};
    expect(final).toMatchObject({ status: "success", session_number: 2 });
    expect(tokens.map(({ data }) => data["token"]).join("")).toBe(final["response"]);
    const { body } = await call(session.url);
    expect(body["spent_wei"]).toBe((session.spent + BigInt(String(final["price_wei"]))).toString());
    // What was paid ahead and not used is not settled: the last receipt is for what was used.
    const next = body["next_receipt"] as { count: number; total: string; root: Hex };
    const receipt = await session.sign({ ...next, total: BigInt(next.total) });
    const closed = await session.close({ receipt });
    expect(closed.body).toMatchObject({ status: "closed", settled_wei: next.total, settled_prompts: 2 });
  });

  test("ends its stream with the bill where nothing pays, and tells the answer in the next", async () => {
    const session = await HeldByTest.open(core, account(1));
    const prompt = await session.prompt("Streamed");
    const post = async (receipt?: object) => {
      const response = await fetch(`${session.url}/prompts`, {
        method: "POST",
        headers: { "content-type": "application/json", ...stream },
        body: JSON.stringify({ ...prompt, ...(receipt ? { receipt } : {}) }),
      });
      return eventsOf(await response.text());
    };
    const first = await post();
    expect(first.map(({ event }) => event).slice(-2)).toEqual(["payment_required", "end"]);
    expect(first.some(({ event }) => event === "token")).toBe(false);
    const bill = { status: 402, body: { error: first.at(-2)?.data ?? {} } };
    const second = await post(await session.sign(session.receiptFor(bill)));
    const final = second.at(-2)?.data ?? {};
    expect(final).toMatchObject({ status: "success" });
    expect(second.filter(({ event }) => event === "token").map(({ data }) => data["token"])).toEqual([
      final["response"],
    ]);
  });
});

describe("what is answered", () => {
  test("is what the description says, to the letter", async () => {
    const document = (await call(`${core.keeper.url}/openapi.json`)).body as unknown as Document;
    const key = account(5).address;
    await core.chain.deposit(account(4), parseEther("100"));
    const opened = await openSession(core, account(4), { cap: "60", key });
    expectDescribed(document, "/api/sessions", "post", 201, opened.body);
    const session = new HeldByTest(core, String(opened.body["session_id"]) as Hex, account(5));
    const prompt = await session.prompt("As described?");
    const bill = await session.post(prompt);
    expectDescribed(document, "/api/sessions/{session_id}/prompts", "post", 402, bill.body);
    const answer = await session.post(prompt, await session.sign(session.receiptFor(bill)));
    expectDescribed(document, "/api/sessions/{session_id}/prompts", "post", 200, answer.body);
    expectDescribed(document, "/api/sessions/{session_id}", "get", 200, (await call(session.url)).body);
    const list = await call(`${core.keeper.url}/api/sessions?address=${account(4).address}`);
    expectDescribed(document, "/api/sessions", "get", 200, list.body);
    const request = await call(`${core.keeper.url}/api/llm/status/${answer.body["request_id"]}`);
    expectDescribed(document, "/api/llm/status/{request_id}", "get", 200, request.body);
    expect(request.body).toMatchObject({ lane: "session", session_id: session.id, session_number: 1 });
    expectDescribed(document, "/api/sessions/{session_id}/close", "post", 200, (await session.close()).body);
    const apiKey = await openSession(core, account(4), { cap: "30", api_key: true });
    expectDescribed(document, "/api/sessions", "post", 201, apiKey.body);
  });
});

describe("what is refused", () => {
  test("a prompt that somebody else signed, or nobody", async () => {
    const session = await HeldByTest.open(core, account(2));
    const stranger = account(7);
    expect(codeOf(await session.post(await session.prompt("Mine?", { signer: stranger })))).toEqual([
      401,
      "invalid_signature",
    ]);
    const unsigned = await call(`${session.url}/prompts`, { message: "Who asks?" });
    expect(codeOf(unsigned)).toEqual([401, "signature_required"]);
    expect(unsigned.body.error["typed_data"]).toMatchObject({ primaryType: "Prompt", message: { number: 1 } });
    const other = await session.prompt("One");
    expect(codeOf(await session.post({ ...other, message: "Another" }))).toEqual([401, "invalid_signature"]);
    expect(codeOf(await session.post(await session.prompt("Far", { number: 3 })))).toEqual([409, "wrong_number"]);
  });

  test("receipts: replayed, lower, over the cap, of other records, by another key", async () => {
    const session = await HeldByTest.open(core, account(2), "40");
    await session.ask("Paid for");
    const last = await session.sign({ count: 1, total: session.spent, root: session.digests[0] ?? "0x" });
    const prompt = await session.prompt("Not paid for");
    // Replayed, it is what it was: for the first prompt, and for nothing after it.
    const bill = await session.post(prompt, last);
    expect(codeOf(bill)).toEqual([402, "payment_required"]);
    expect(codeOf(await session.post(prompt, last))).toEqual([402, "payment_required"]);
    const right = session.receiptFor(bill);
    const tries: [object, number, string, string][] = [
      [{ ...right, total: right.total - 1n }, 409, "receipt_too_low", "receipt.total"],
      [{ ...right, total: session.spent }, 409, "receipt_too_low", "receipt.total"],
      [{ ...right, total: parseEther("40") + 1n }, 400, "receipt_over_cap", "receipt.total"],
      [{ ...right, root: session.digests[0] ?? "0x" }, 409, "receipt_mismatch", "receipt.root"],
      [{ ...right, count: 3 }, 409, "receipt_mismatch", "receipt.count"],
      [{ ...right, count: 0 }, 409, "receipt_mismatch", "receipt.count"],
    ];
    for (const [receipt, status, code, field] of tries) {
      const refused = await session.post(prompt, await session.sign(receipt as typeof right));
      expect([...codeOf(refused), refused.body.error["field"]]).toEqual([status, code, field]);
    }
    const forged = await session.post(prompt, await session.sign(right, account(7)));
    expect([...codeOf(forged), forged.body.error["field"]]).toEqual([401, "invalid_signature", "receipt.signature"]);
    expect((await call(session.url)).body["spent_wei"]).toBe(session.spent.toString());
    // After all that, the right one is still right.
    expect((await session.post(prompt, await session.sign(right))).status).toBe(200);
  });

  test("a second prompt while one is under way, and while one is not paid", async () => {
    const session = await HeldByTest.open(core, account(3));
    const [one, other] = [await session.prompt("One"), await session.prompt("The other")];
    const [first, second] = await Promise.all([session.post(one), session.post(other)]);
    const bills = [first, second].filter(({ status }) => status === 402);
    const refused = [first, second].filter(({ status }) => status === 409);
    expect([bills.length, refused.length]).toEqual([1, 1]);
    expect(["session_busy", "answer_unpaid"]).toContain(refused[0]?.body.error["code"]);
    expect(codeOf(await session.post(await session.prompt("A third")))).toEqual([409, "answer_unpaid"]);
  });

  test("a prompt that the cap cannot pay, with the amounts", async () => {
    const session = await HeldByTest.open(core, account(3), "25");
    const dear = await session.post(await session.prompt("Dear", { maxTokens: 400 }));
    expect(dear).toMatchObject({
      status: 402,
      body: {
        error: {
          code: "cap_exhausted",
          required_wei: parseEther("45").toString(),
          remaining_wei: parseEther("25").toString(),
          cap_wei: parseEther("25").toString(),
          spent_wei: "0",
          affordable_tokens: 200,
        },
      },
    });
    for (let n = 0; n < 3; n++) expect((await session.ask(`Cheap ${n}`, 10)).status).toBe(200);
    const exhausted = await session.post(await session.prompt("One more", { maxTokens: 200 }));
    expect(codeOf(exhausted)).toEqual([402, "cap_exhausted"]);
  });

  test("a prompt that the model cannot take, before it costs a turn", async () => {
    const session = await HeldByTest.open(core, account(4), "25");
    const long = await session.post(await session.prompt("Why? ".repeat(4_000), { maxTokens: 10 }));
    expect(codeOf(long)).toEqual([400, "prompt_too_long"]);
    expect(long.body.error).toMatchObject({
      field: "message",
      expected: expect.stringContaining("tokens"),
      prompt_tokens: expect.any(Number),
    });
    expect((await session.ask("Short", 10)).status).toBe(200);
  });

  test("a session that nobody opened, of another keeper, or too small", async () => {
    const unknown = await call(`${core.keeper.url}/api/sessions/0x${"1".repeat(64)}`);
    expect(codeOf(unknown)).toEqual([404, "session_not_found"]);
    const user = account(4);
    const { error } = (
      await call(`${core.keeper.url}/api/sessions`, {
        user_address: user.address,
        cap: 30,
        key: user.address,
        prepare: true,
      })
    ).body;
    const { message } = error["typed_data"] as { message: Record<string, unknown> };
    const url = `${core.keeper.url}/api/sessions`;
    expect(codeOf(await call(url, { session: message }))).toEqual([404, "session_not_found"]);
    const elsewhere = { ...message, validator: account(5).address };
    const signature = `0x${"11".repeat(64)}1b`;
    expect((await call(url, { session: elsewhere, signature })).body.error["field"]).toBe("session.validator");
    expect(codeOf(await call(url, { session: message, signature }))).toEqual([401, "invalid_signature"]);
    expect((await openSession(core, user, { cap: "24", key: user.address })).body.error["field"]).toBe("session.cap");
    expect(codeOf(await openSession(core, user, { cap: "9999", key: user.address }))).toEqual([
      402,
      "insufficient_credits",
    ]);
    expect((await openSession(core, user)).body.error["field"]).toBe("key");
    const early = await openSession(core, user, { key: user.address, expires_in: 60 });
    expect(early.body.error["field"]).toBe("expires_in");
  });
});

/** Sessions as a client drives them over HTTP, with every part in the test's hands. */
import { type Hex, type LocalAccount, parseEther } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { promptHash } from "../../../keeper/chain/intents.ts";
import {
  closeSessionTypedData,
  type Receipt,
  receiptTypedData,
  recordsRoot,
  sessionPromptTypedData,
} from "../../../keeper/chain/sessions.ts";
import { digestOf } from "../../../keeper/storage/cid.ts";
import type { Core } from "./core.ts";

const CHAIN = 31_337;
/** Where sessions are opened: a keeper and its chain. */
export type Place = Pick<Core, "keeper" | "router" | "chain">;

export interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown> & { readonly error: Record<string, unknown> };
}

export async function call(url: string, body?: object, headers: Record<string, string> = {}): Promise<Reply> {
  const response = await fetch(url, {
    method: body === undefined ? "GET" : "POST",
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Reply["body"] };
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Asks what to sign, signs, and has it opened. */
export async function openSession(
  core: Place,
  user: LocalAccount,
  terms: { cap?: string; key?: Hex; api_key?: true; expires_in?: number } = {},
): Promise<Reply> {
  const url = `${core.keeper.url}/api/sessions`;
  const asked = await call(url, { user_address: user.address, cap: "100", prepare: true, ...terms });
  if (asked.status !== 401) return asked;
  const data = asked.body.error["typed_data"] as Parameters<LocalAccount["signTypedData"]>[0] & { message: object };
  return call(url, { session: data.message, signature: await user.signTypedData(data) });
}

export interface Prompt {
  readonly message: string;
  readonly number: number;
  readonly max_tokens: number;
  readonly temperature: number;
  readonly salt: Hex;
  readonly signature: Hex;
}

/** A session whose key the test holds. */
export class HeldByTest {
  readonly core: Place;
  readonly id: Hex;
  readonly key: LocalAccount;
  readonly digests: Hex[] = [];
  spent = 0n;

  constructor(core: Place, id: Hex, key: LocalAccount) {
    this.core = core;
    this.id = id;
    this.key = key;
  }

  static async open(core: Place, user: LocalAccount, cap = "100", expiresIn = 7_200): Promise<HeldByTest> {
    const key = privateKeyToAccount(generatePrivateKey());
    const { status, body } = await openSession(core, user, { cap, key: key.address, expires_in: expiresIn });
    if (status !== 201) throw new Error(`not opened: ${JSON.stringify(body)}`);
    return new HeldByTest(core, String(body["session_id"]) as Hex, key);
  }

  get url(): string {
    return `${this.core.keeper.url}/api/sessions/${this.id}`;
  }

  async prompt(
    message: string,
    { number = this.digests.length + 1, maxTokens = 16, signer = this.key, salt = `0x${"5a".repeat(32)}` as Hex } = {},
  ): Promise<Prompt> {
    const data = sessionPromptTypedData(CHAIN, this.core.router, this.id, {
      number,
      promptHash: promptHash(message, salt),
      maxTokens,
      temperature: 70,
      priority: false,
    });
    const signature = await signer.signTypedData(data);
    return { message, number, max_tokens: maxTokens, temperature: 0.7, salt, signature };
  }

  async sign(receipt: Receipt, signer = this.key): Promise<object> {
    const signature = await signer.signTypedData(receiptTypedData(CHAIN, this.core.router, this.id, receipt));
    return { ...receipt, total: receipt.total.toString(), signature };
  }

  post(prompt: Prompt, receipt?: object, headers: Record<string, string> = {}): Promise<Reply> {
    return call(`${this.url}/prompts`, { ...prompt, ...(receipt === undefined ? {} : { receipt }) }, headers);
  }

  /** The receipt for an answer that waits for it. */
  receiptFor(bill: Reply): Receipt {
    const digest = String(bill.body.error["digest"]) as Hex;
    const total = this.spent + BigInt(String(bill.body.error["price_wei"]));
    return { count: this.digests.length + 1, total, root: recordsRoot([...this.digests, digest]) };
  }

  /** What a bill asks for was paid. */
  paid(bill: Reply): void {
    this.digests.push(String(bill.body.error["digest"]) as Hex);
    this.spent += BigInt(String(bill.body.error["price_wei"]));
  }

  /** An answer that was paid ahead. */
  told({ body }: Reply): void {
    this.digests.push(digestOf(String(body["cid"])));
    this.spent += BigInt(String(body["price_wei"]));
  }

  /** Asks, pays, and is answered. */
  async ask(message: string, maxTokens = 16): Promise<Reply> {
    const prompt = await this.prompt(message, { maxTokens });
    const bill = await this.post(prompt);
    if (bill.status !== 402) throw new Error(`no bill: ${JSON.stringify(bill.body)}`);
    const answer = await this.post(prompt, await this.sign(this.receiptFor(bill)));
    if (answer.status === 200) this.paid(bill);
    return answer;
  }

  /** A receipt for what was answered, and for so much more ahead. */
  ahead(more = parseEther("20")): Promise<object> {
    return this.sign({ count: this.digests.length, total: this.spent + more, root: recordsRoot(this.digests) });
  }

  async close(more: object = {}, signer = this.key): Promise<Reply> {
    const { timestamp } = await this.core.chain.client.getBlock();
    const deadline = timestamp + 900n;
    const signature = await signer.signTypedData(closeSessionTypedData(CHAIN, this.core.router, this.id, deadline));
    return call(`${this.url}/close`, { deadline: deadline.toString(), signature, ...more });
  }
}

/**
 * An example: a client that asks in a session. It locks a cap with one signature of its wallet, asks a keeper over HTTP,
 * pays each answer with a receipt that a key of its own signs, and gets back what it did not use. session-chat.ts runs it.
 *
 * The order of things: the keeper answers, and keeps the answer back; it names the digest of the record that holds it, and
 * the price. The client signs a receipt over both, and is told the answer at once. Receipts never go on chain but for
 * the last one, which the keeper settles. Whoever holds the session's key can spend the cap, and no more; a keeper that took a
 * receipt and did not answer would gain the price of one prompt, and the receipt would prove it.
 *
 * Outside of this repository, import from "neuroswarm" instead of "../client/index.ts".
 */
import {
  type Account,
  bytesToHex,
  type Chain,
  formatEther,
  type Hex,
  isAddressEqual,
  type LocalAccount,
  sha256,
  type Transport,
  type WalletClient,
} from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import {
  closeSessionTypedData,
  promptHash,
  type Receipt,
  receiptTypedData,
  recordsRoot,
  type Session,
  sessionId,
  sessionPromptTypedData,
  sessionTypedData,
} from "../client/index.ts";

/** A user's wallet on its chain. */
export type Wallet = WalletClient<Transport, Chain, Account>;

export interface SessionTerms {
  /** NSD wei to lock, out of the user's credits. */
  readonly cap: bigint;
  /** How long it may last: 20 minutes to 90 days. */
  readonly seconds: number;
}

export interface AskOptions {
  readonly maxTokens?: number;
  readonly temperature?: number;
  /** NSD wei that an answer may cost at most; what is left of the cap when absent. */
  readonly atMost?: bigint;
}

export interface PaidAnswer {
  readonly text: string;
  readonly requestId: Hex;
  readonly cid: string;
  /** NSD wei. */
  readonly price: bigint;
}

export interface SessionSummary {
  readonly status: string;
  readonly prompts: number;
  readonly spent: bigint;
  readonly settled: bigint;
  readonly remaining: bigint;
}

/** What a keeper objects to, by the code that it gives. */
export class SessionError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "SessionError";
    this.code = code;
  }
}

type Json = Record<string, unknown>;

/** The user's side of one session. */
export class SessionClient {
  readonly id: Hex;
  readonly session: Session;
  readonly #keeper: string;
  readonly #chainId: number;
  readonly #router: Hex;
  readonly #key: LocalAccount;
  #digests: readonly Hex[] = [];
  #spent = 0n;

  private constructor(keeper: string, chainId: number, router: Hex, session: Session, key: LocalAccount) {
    this.id = sessionId(chainId, router, session);
    this.session = session;
    this.#keeper = keeper;
    this.#chainId = chainId;
    this.#router = router;
    this.#key = key;
  }

  /**
   * Signs the authorization, and has the keeper open the session with it.
   * @param router From your address book, not from the keeper: it is what the signatures are for.
   * @param key Signs prompts and receipts, so that no wallet asks at each. A fresh one when absent: it lives with this object.
   */
  static async open(
    keeper: string,
    wallet: Wallet,
    router: Hex,
    terms: SessionTerms,
    key: LocalAccount = privateKeyToAccount(generatePrivateKey()),
  ): Promise<SessionClient> {
    const user = wallet.account.address;
    const asked = await send(keeper, "/api/sessions", {
      user_address: user,
      key: key.address,
      cap: formatEther(terms.cap),
      expires_in: terms.seconds,
      prepare: true,
    });
    const offered = (asked.error?.["typed_data"] as { message?: Json } | undefined)?.message;
    if (offered === undefined) throw errorOf(asked);
    const session: Session = {
      user,
      validator: String(offered["validator"]) as Hex,
      key: key.address,
      model: String(offered["model"]),
      cap: BigInt(String(offered["cap"])),
      expiry: BigInt(String(offered["expiry"])),
      nonce: Number(offered["nonce"]),
      deadline: BigInt(String(offered["deadline"])),
    };
    // What is signed was built here, from the terms: the keeper fills in its own key, the model, the times and the nonce.
    if (session.cap !== terms.cap || !isAddressEqual(String(offered["user"]) as Hex, user))
      throw new SessionError("not_as_asked", "The keeper asks to sign for another cap or user.");
    const signature = await wallet.signTypedData(sessionTypedData(wallet.chain.id, router, session));
    const opened = await send(keeper, "/api/sessions", { session: offered, signature });
    const client = new SessionClient(keeper, wallet.chain.id, router, session, key);
    if (opened.body["session_id"] !== client.id) throw errorOf(opened);
    return client;
  }

  /** What receipts have paid so far, NSD wei. */
  get spent(): bigint {
    return this.#spent;
  }

  async ask(message: string, options: AskOptions = {}): Promise<PaidAnswer> {
    const salt = bytesToHex(crypto.getRandomValues(new Uint8Array(32)));
    const { maxTokens = 500, temperature = 0.7 } = options;
    const number = this.#digests.length + 1;
    const prompt = {
      number,
      promptHash: promptHash(message, salt),
      maxTokens,
      temperature: Math.round(temperature * 100),
      priority: false,
    };
    const data = sessionPromptTypedData(this.#chainId, this.#router, this.id, prompt);
    const signature = await this.#key.signTypedData(data);
    const body = { message, max_tokens: maxTokens, temperature, salt, number, signature };
    const path = `/api/sessions/${this.id}/prompts`;
    const drawn = await send(this.#keeper, path, body);
    if (drawn.error?.["code"] !== "payment_required") throw errorOf(drawn);
    const digest = String(drawn.error["digest"]) as Hex;
    const price = BigInt(String(drawn.error["price_wei"]));
    const receipt = await this.#receiptFor(digest, price, options.atMost);
    const paid = await send(this.#keeper, path, { ...body, receipt });
    if (paid.body["status"] !== "success") throw errorOf(paid);
    // Paid, whatever the answer turns out to be: the next receipt counts it.
    this.#digests = [...this.#digests, digest];
    this.#spent += price;
    const answer = {
      text: String(paid.body["response"]),
      requestId: String(paid.body["request_id"]) as Hex,
      cid: String(paid.body["cid"]),
      price,
    };
    await this.#verify(answer, digest);
    return answer;
  }

  async #receiptFor(digest: Hex, price: bigint, atMost = this.session.cap - this.#spent) {
    if (price > atMost)
      throw new SessionError(
        "too_dear",
        `The answer costs ${formatEther(price)} NSD, and may cost ${formatEther(atMost)}.`,
      );
    const digests = [...this.#digests, digest];
    const receipt: Receipt = { count: digests.length, total: this.#spent + price, root: recordsRoot(digests) };
    const signature = await this.#key.signTypedData(receiptTypedData(this.#chainId, this.#router, this.id, receipt));
    return { ...receipt, total: receipt.total.toString(), signature };
  }

  /** The record that was paid for is the one that holds the answer. */
  async #verify({ cid, text }: PaidAnswer, digest: Hex): Promise<void> {
    const response = await fetch(`${this.#keeper}/ipfs/${cid}?format=raw`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    const record = JSON.parse(new TextDecoder().decode(bytes)) as { answer?: string };
    if (sha256(bytes) !== digest || record.answer !== text)
      throw new SessionError("wrong_record", "The record that was paid for does not hold this answer.");
  }

  async status(): Promise<SessionSummary> {
    const response = await fetch(`${this.#keeper}/api/sessions/${this.id}`);
    return summaryOf((await response.json()) as Json);
  }

  /** Has the keeper settle the last receipt and close: what is left of the cap goes back to the user's credits. */
  async close(): Promise<SessionSummary> {
    const deadline = BigInt(Math.floor(Date.now() / 1000) + 300);
    const signature = await this.#key.signTypedData(
      closeSessionTypedData(this.#chainId, this.#router, this.id, deadline),
    );
    const path = `/api/sessions/${this.id}/close`;
    const closed = await send(this.#keeper, path, { deadline: deadline.toString(), signature });
    if (closed.error !== undefined) throw errorOf(closed);
    return summaryOf(closed.body);
  }
}

interface Reply {
  readonly body: Json;
  readonly error: Json | undefined;
}

async function send(keeper: string, path: string, body: Json): Promise<Reply> {
  const response = await fetch(`${keeper}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as Json;
  return { body: answer, error: answer["error"] as Json | undefined };
}

const errorOf = ({ error, body }: Reply): SessionError =>
  new SessionError(
    String(error?.["code"] ?? body["status"] ?? "unexpected"),
    String(error?.["message"] ?? "The keeper gave an answer that makes no sense here."),
  );

const summaryOf = (body: Json): SessionSummary => ({
  status: String(body["status"]),
  prompts: Number(body["prompts"]),
  spent: BigInt(String(body["spent_wei"])),
  settled: BigInt(String(body["settled_wei"])),
  remaining: BigInt(String(body["remaining_wei"])),
});

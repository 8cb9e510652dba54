/** What is answered in sessions and what pays for it, one session at a time. */
import { type Hex, hashTypedData } from "viem";
import {
  isSignedByOneOf,
  type Receipt,
  receiptTypedData,
  type SessionPrompt,
  sessionPromptTypedData,
} from "../../chain/sessions.ts";
import type { RequestRow } from "../../database/requests.ts";
import * as requests from "../../database/requests.ts";
import type { SessionRow, SignedReceipt } from "../../database/sessions.ts";
import * as sessions from "../../database/sessions.ts";
import type { Context } from "../context.ts";
import { ApiError } from "../errors.ts";
import { KeyedMutex } from "../mutex.ts";
import { stateOf } from "../state.ts";
import type { HeldKeys } from "./keys.ts";
import { checkReceipt, nextReceipt, type Pending, paidBy, worthKeeping } from "./receipts.ts";

/** An answer that is stored and waits for the receipt that pays for it. */
export const isUnpaid = (row: RequestRow): boolean => row.stage === "stored" && row.withheld !== null;

export class SessionBook {
  readonly #context: Context;
  readonly #keys: HeldKeys;
  readonly #charged: (session: Hex) => void;
  readonly #locks = new KeyedMutex();

  /** @param charged Called when a session owes its validator more than before. */
  constructor(context: Context, keys: HeldKeys, charged: (session: Hex) => void) {
    this.#context = context;
    this.#keys = keys;
    this.#charged = charged;
  }

  /** Nothing else happens to the session's prompts and receipts meanwhile. */
  run<Result>(session: Hex, work: () => Promise<Result>): Promise<Result> {
    return this.#locks.run(session, work);
  }

  receiptDigest(session: Hex, receipt: Receipt): Hex {
    const { chain, deployment } = this.#context;
    return hashTypedData(receiptTypedData(chain.id, deployment.addresses.router, session, receipt));
  }

  promptDigest(session: Hex, prompt: SessionPrompt): Hex {
    const { chain, deployment } = this.#context;
    return hashTypedData(sessionPromptTypedData(chain.id, deployment.addresses.router, session, prompt));
  }

  /**
   * Lets an answer go, if it is paid: the receipt and what it pays for are written down together, and only then is the
   * answer told. False where nothing pays for it yet.
   */
  async charge(key: Hex): Promise<boolean> {
    const { database } = this.#context;
    const row = await requests.getRequest(database, key);
    if (row?.sessionId === null || row === undefined) return false;
    const { sessionId } = row;
    const paid = await this.run(sessionId, () => this.#charge(key, sessionId));
    if (paid) this.#charged(sessionId);
    return paid;
  }

  async #charge(key: Hex, id: Hex): Promise<boolean> {
    const { blocks, database, probe } = this.#context;
    const [row, session] = await Promise.all([requests.getRequest(database, key), sessions.getSession(database, id)]);
    if (row?.stage !== "stored" || row.digest === null || row.price === null || session === undefined) return false;
    const spent = session.spent + row.price;
    const receipts = await this.#receiptsFor(session, { digest: row.digest, price: row.price });
    if (receipts === undefined) return false;
    if (row.withheld !== null) await blocks.put(Buffer.from(row.withheld, "utf8"));
    const number = session.prompts + 1;
    await database.transaction(async (sql) => {
      await sessions.updateSession(sql, id, {
        spent,
        prompts: number,
        receipts: worthKeeping(receipts, spent),
        unsettledSince: session.unsettledSince ?? Date.now(),
      });
      await requests.updateOpen(sql, key, {
        stage: "final",
        status: "completed",
        consumed: row.price,
        sessionNumber: number,
        withheld: null,
      });
    });
    await probe("paid", key);
    await this.announce(key);
    return true;
  }

  /** Receipts of which one pays for the answer; undefined where none does. */
  async #receiptsFor(session: SessionRow, pending: Pending): Promise<readonly SignedReceipt[] | undefined> {
    const account = session.tokenHash === null ? undefined : this.#keys.holderOf(session);
    const { chain, deployment, database, settings } = this.#context;
    if (account === undefined) {
      const paid = paidBy(session, settings.sessionSettleFrom) >= session.spent + pending.price;
      return paid ? session.receipts : undefined;
    }
    const digests = await requests.digestsOfSession(database, session.id);
    const receipt = nextReceipt(session, digests, pending);
    const data = receiptTypedData(chain.id, deployment.addresses.router, session.id, receipt);
    return [{ ...receipt, signature: await account.signTypedData(data) }];
  }

  /** Tells the answer to whoever follows it; a crash before the end of it is made up for when somebody asks again. */
  async announce(key: Hex): Promise<void> {
    const { database, hub } = this.#context;
    const row = await requests.getRequest(database, key);
    if (row?.stage !== "final" || row.status !== "completed" || (await hub.isOver(key))) return;
    if ((await hub.textOf(key)) === "") await hub.token(key, row.response);
    await hub.phase(key, "paid", { number: row.sessionNumber, price_wei: String(row.price ?? 0n) });
    await hub.final(key, stateOf(row));
    hub.changed(key);
    const data = { request_id: row.requestId ?? key, session_id: row.sessionId, status: row.status };
    hub.notify({ type: "request", address: row.user, at: Date.now(), data });
  }

  /** Checks a receipt and writes it down; the same one again is no harm. The caller holds the session. */
  async receive(session: SessionRow, receipt: SignedReceipt): Promise<SessionRow> {
    const { database } = this.#context;
    if (session.receipts.some((known) => known.signature === receipt.signature && known.total === receipt.total))
      return session;
    const digests = await requests.digestsOfSession(database, session.id);
    checkReceipt(session, receipt, digests, await this.pendingOf(session.id));
    const digest = this.receiptDigest(session.id, receipt);
    if (!(await isSignedByOneOf([session.key, session.user], digest, receipt.signature))) {
      throw new ApiError(
        401,
        "invalid_signature",
        "The receipt is signed by neither the session's key nor its user. Sign `Receipt` with the session's key.",
        { field: "receipt.signature" },
      );
    }
    const receipts = worthKeeping([...session.receipts, receipt], session.spent);
    await sessions.updateSession(database, session.id, { receipts });
    return { ...session, receipts };
  }

  async pendingOf(session: Hex): Promise<Pending | undefined> {
    const row = (await requests.openOfSession(this.#context.database, session)).find(isUnpaid);
    return row?.digest && row.price !== null ? { digest: row.digest, price: row.price } : undefined;
  }

  /** What prompts under way may still cost. */
  async reservedOf(session: Hex): Promise<bigint> {
    const rows = await requests.openOfSession(this.#context.database, session);
    return rows.reduce((sum, row) => sum + (row.price ?? row.payment), 0n);
  }
}

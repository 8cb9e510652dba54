/** Answers that other validators gave to what was asked here: on chain is the digest of a record, and the record is in IPFS. */
import type { RequestRow } from "../database/requests.ts";
import * as requests from "../database/requests.ts";
import { decodeRecord, type InteractionRecord } from "../storage/record.ts";
import type { Context } from "./context.ts";

/** Whoever asks again sooner is not searched for again. */
const AGAIN_MS = 60_000;
/** Of so many it is known when they were searched for last; the oldest are forgotten. */
const REMEMBERED = 1_000;

export class ForeignAnswers {
  readonly #context: Context;
  readonly #searched = new Map<string, { at: number; search: Promise<void> }>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Writes the answer down where its record can be had. One search at a time for each, and none within a minute of the last. */
  search(row: RequestRow): Promise<void> {
    if (row.status !== "completed" || row.finishReason !== null || row.cid === null) return Promise.resolve();
    const last = this.#searched.get(row.cid);
    if (last && last.at + AGAIN_MS > Date.now()) return last.search;
    const search = this.#search(row, row.cid).catch((error: unknown) => {
      this.#context.log.info(
        { err: error, key: row.key, cid: row.cid },
        "another validator's answer cannot be had yet",
      );
    });
    this.#searched.delete(row.cid);
    this.#searched.set(row.cid, { at: Date.now(), search });
    const [oldest] = this.#searched.keys();
    if (this.#searched.size > REMEMBERED && oldest !== undefined) this.#searched.delete(oldest);
    return search;
  }

  async #search(row: RequestRow, cid: string): Promise<void> {
    const { blocks, database, hub, signal } = this.#context;
    const bytes = await blocks.get(cid);
    if (bytes === undefined || signal.aborted) return;
    const record = decodeRecord(bytes);
    this.#requireItsOwn(row, record);
    // The chain may have dropped the settlement in the meantime.
    await database.transaction(async (sql) => {
      const now = await requests.getRequest(sql, row.key);
      if (now?.stage !== "final" || now.cid !== cid) return;
      await requests.updateRequest(sql, row.key, {
        response: record.answer,
        finishReason: record.finish_reason,
      });
    });
    hub.changed(row.key);
  }

  /** Nobody checks on chain what a record says: it may be that of another request. */
  #requireItsOwn(row: RequestRow, record: InteractionRecord): void {
    const { chain, deployment } = this.#context;
    const same = (left: string, right: string): boolean => left.toLowerCase() === right.toLowerCase();
    const itsOwn =
      record.chain_id === chain.id &&
      same(record.router, deployment.addresses.router) &&
      same(record.request_id, row.requestId ?? row.key);
    if (!itsOwn) throw new Error(`the record is of request ${record.request_id} of chain ${record.chain_id}`);
  }
}

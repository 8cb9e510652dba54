import { concat, encodeFunctionData, type Hex, keccak256 } from "viem";
import { routerAbi } from "../chain/contracts.ts";
import { modelId } from "../chain/intents.ts";
import { GasTooHighError } from "../chain/sender.ts";
import { compactSignature, packDeliveryTerms, packPayer } from "../chain/words.ts";
import type { RequestRow } from "../database/requests.ts";
import * as requests from "../database/requests.ts";
import type { Context } from "./context.ts";
import { Mutex } from "./mutex.ts";

/** Collects answered direct requests, and delivers many in a transaction, by time and by size. */
export class Batcher {
  readonly #context: Context;
  readonly #failed: (key: Hex, error: unknown) => void;
  readonly #waiting = new Set<Hex>();
  readonly #mutex = new Mutex();
  #timer: NodeJS.Timeout | undefined;

  /** @param failed Called for each request of a batch that could not be sent; it is not in the batcher any more. */
  constructor(context: Context, failed: (key: Hex, error: unknown) => void) {
    this.#context = context;
    this.#failed = failed;
  }

  has(key: Hex): boolean {
    return this.#waiting.has(key);
  }

  add(key: Hex): void {
    this.#waiting.add(key);
    if (this.#waiting.size >= this.#context.settings.batchSize) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), this.#context.settings.batchMs);
  }

  /** Sends what there is; resolves when it is on its way. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return this.#mutex.run(() => this.#send([...this.#waiting]));
  }

  async #send(keys: readonly Hex[]): Promise<void> {
    const { database, settings } = this.#context;
    try {
      const rows = (await Promise.all(keys.map((key) => requests.getRequest(database, key)))).filter(isDeliverable);
      for (const [model, group] of Map.groupBy(rows, (row) => row.model)) {
        for (let start = 0; start < group.length; start += settings.batchSize) {
          await this.#deliver(model, group.slice(start, start + settings.batchSize));
        }
      }
    } catch (error) {
      for (const key of keys) this.#failed(key, error);
    } finally {
      for (const key of keys) this.#waiting.delete(key);
    }
  }

  async #deliver(model: string, rows: readonly RequestRow[]): Promise<void> {
    const { deployment, hub, log, sender } = this.#context;
    const data = encodeFunctionData({
      abi: routerAbi,
      functionName: "deliver",
      args: [modelId(model), rows.map(toDelivery)],
    });
    const purpose = `deliver:${keccak256(concat(rows.map((row) => row.key)))}`;
    try {
      await sender.send({ purpose, to: deployment.addresses.router, data }, async (sql, id) => {
        for (const row of rows) await requests.updateOpen(sql, row.key, { transactionId: id });
      });
      await Promise.all(rows.map((row) => hub.phase(row.key, "settling")));
      this.#context.wake();
    } catch (error) {
      if (error instanceof GasTooHighError && rows.length > 1) {
        const half = rows.length >> 1;
        await this.#deliver(model, rows.slice(0, half));
        return this.#deliver(model, rows.slice(half));
      }
      log.warn({ err: error, items: rows.length }, "a batch could not be delivered");
      for (const row of rows) {
        this.#waiting.delete(row.key);
        this.#failed(row.key, error);
      }
    }
  }
}

const isDeliverable = (row: RequestRow | undefined): row is RequestRow =>
  row !== undefined &&
  row.stage === "stored" &&
  row.lane === "direct" &&
  row.transactionId === null &&
  row.digest !== null;

function toDelivery(row: RequestRow): { payer: bigint; terms: bigint; promptHash: Hex; digest: Hex; r: Hex; vs: Hex } {
  if (row.digest === null || row.signature === null || row.tokensUsed === null)
    throw new Error(`${row.key} is not answered`);
  return {
    payer: packPayer(row.user, row.payment),
    terms: packDeliveryTerms({ ...row, tokens: row.tokensUsed }),
    promptHash: row.promptHash,
    digest: row.digest,
    ...compactSignature(row.signature),
  };
}

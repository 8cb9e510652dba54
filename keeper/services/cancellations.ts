/** Taking a request back: what its user signs for that, and the transaction that brings it to the router. */
import { encodeFunctionData, type Hex, isHex, size } from "viem";
import { routerAbi } from "../chain/contracts.ts";
import { OnChainError } from "../chain/errors.ts";
import { isPublished } from "../chain/events.ts";
import { cancelTypedData } from "../chain/intents.ts";
import { executionWindow } from "../chain/words.ts";
import type { RequestRow, TicketFields } from "../database/requests.ts";
import { getRequest } from "../database/requests.ts";
import { getTransaction } from "../database/transactions.ts";
import { type Context, chainNow } from "./context.ts";
import { ApiError } from "./errors.ts";
import { cancelPercent, onlyDeclined } from "./failure-words.ts";
import type { CancelOffer } from "./types.ts";

/** Long enough to read what a wallet shows, and short enough not to lie about. */
const DEADLINE_SECONDS = 600;
const LATEST_DEADLINE_SECONDS = 3_600;
/** How long a cancellation may take to be mined before the client is told to ask again. */
const PATIENCE_MS = 60_000;
const LOOK_AGAIN_MS = 500;

type Cancellable = RequestRow & { readonly requestId: Hex; readonly ticket: TicketFields };

/** Taken back already, whether or not its validator may still post something. */
const isCancelled = (row: RequestRow): boolean =>
  row.status === "cancelled" || (row.stage !== "final" && row.cancellingUntil !== null);

export class Cancellations {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Undefined where it was taken back already. */
  async offer(row: RequestRow): Promise<CancelOffer | undefined> {
    if (isCancelled(row)) return undefined;
    const { requestId } = await this.#requireOpen(row);
    const { chain, deployment } = this.#context;
    const deadline = BigInt(chainNow(this.#context) + DEADLINE_SECONDS);
    const held = row.validatorId !== null;
    const published = !held && onlyDeclined(row.tries) && (await isPublished(chain, deployment, requestId));
    return {
      user: row.user,
      data: cancelTypedData(chain.id, deployment.addresses.router, requestId, deadline),
      refundPercent: cancelPercent(row.tries, held, published),
    };
  }

  /** Resolves when the chain has it. */
  async relay(row: RequestRow, deadline: bigint, signature: Hex): Promise<RequestRow> {
    if (isCancelled(row)) return row;
    const { ticket } = await this.#requireOpen(row);
    this.#check(deadline, signature);
    const { deployment, sender, wake } = this.#context;
    const args = [ticket, deadline, signature] as const;
    const data = encodeFunctionData({ abi: routerAbi, functionName: "cancelFor", args });
    let id: number;
    try {
      // It carries no row: what is on its way to answer the request is not held up by it.
      id = await sender.send({ purpose: `cancel:${row.key}`, to: deployment.addresses.router, data });
    } catch (error) {
      if (!(error instanceof OnChainError)) throw error;
      return this.#refused(row, error);
    }
    wake();
    return this.#mined(row.key, id);
  }

  #check(deadline: bigint, signature: Hex): void {
    if (!isHex(signature) || size(signature) < 64)
      throw new ApiError(400, "invalid_signature", "A signature is 65 bytes in hex.", { field: "signature" });
    const now = chainNow(this.#context);
    if (deadline < BigInt(now))
      throw new ApiError(400, "expired", "The deadline of the signed cancellation is over. Sign again.", {
        field: "deadline",
      });
    const latest = now + LATEST_DEADLINE_SECONDS;
    if (deadline > BigInt(latest))
      throw new ApiError(
        400,
        "invalid_field",
        `The deadline of a cancellation is at most ${LATEST_DEADLINE_SECONDS} seconds off.`,
        { field: "deadline", expected: `unix seconds up to ${latest}` },
      );
  }

  async #requireOpen(row: RequestRow): Promise<Cancellable> {
    if (row.lane !== "assigned")
      throw new ApiError(
        409,
        "not_cancellable",
        "A direct request locks nothing: it is charged when its answer is delivered, and there is nothing to take back.",
        { status: row.status },
      );
    if (row.stage === "final") throw ended(row);
    if (row.requestId === null || row.ticket === null)
      throw new ApiError(
        409,
        "submission_pending",
        "The request is not on chain yet. Cancel it when it is.",
        { status: row.status },
        3,
      );
    const offer = await this.#context.catalogue.offer(row.model);
    const end = (row.assignedAt ?? Number.MAX_SAFE_INTEGER) + executionWindow(offer, row.maxTokens);
    if (row.validatorId !== null && chainNow(this.#context) > end) throw tooLate();
    return { ...row, requestId: row.requestId, ticket: row.ticket };
  }

  /** The chain was faster, or the signature is somebody else's. */
  async #refused(row: RequestRow, error: OnChainError): Promise<RequestRow> {
    const details = { onchain_error: error.errorName };
    if (error.errorName === "RouterInvalidSignature") {
      const message = `The signature is not ${row.user}'s, who alone can take this request back.`;
      throw new ApiError(403, "not_yours", message, { field: "signature", ...details });
    }
    if (error.errorName === "RouterExpired")
      throw new ApiError(400, "expired", "The deadline of the signed cancellation is over. Sign again.", details);
    if (error.errorName === "RouterWindowOver") throw tooLate();
    if (error.errorName === "RouterInvalidStatus") return this.#settledMeanwhile(row.key);
    throw new ApiError(400, "refused_on_chain", `The contract refuses to cancel: ${error.message}`, details);
  }

  async #mined(key: Hex, transaction: number): Promise<RequestRow> {
    const { database, hub, signal } = this.#context;
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end && !signal.aborted; ) {
      const row = await getRequest(database, key);
      if (row === undefined || isCancelled(row)) return row ?? this.#settledMeanwhile(key);
      const sent = await getTransaction(database, transaction);
      if (row.stage === "final" || sent?.minedStatus === "reverted" || sent?.state === "lost")
        return this.#settledMeanwhile(key);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(over, LOOK_AGAIN_MS);
        const stop = hub.onChange(key, over);
        function over(): void {
          clearTimeout(timer);
          stop();
          resolve();
        }
      });
    }
    throw new ApiError(
      503,
      "cancellation_pending",
      "The cancellation is on its way and not mined yet. Ask again to learn what came of it.",
      {},
      5,
    );
  }

  /** What the chain says is read, and where that is an end the caller hears of it. */
  async #settledMeanwhile(key: Hex): Promise<RequestRow> {
    await this.#context.catchUp();
    const row = await getRequest(this.#context.database, key);
    if (row !== undefined && isCancelled(row)) return row;
    if (row?.stage === "final") throw ended(row);
    throw new ApiError(409, "cancel_failed", "The request changed hands at that moment. Cancel it again.", {}, 1);
  }
}

function ended(row: RequestRow): ApiError {
  const how = row.status === "completed" ? "answered and settled" : `over: ${row.errorMessage ?? row.status}`;
  return new ApiError(409, "already_ended", `There is nothing left to cancel: the request is ${how}`, {
    status: row.status,
    ...(row.errorCode === null ? {} : { failure: row.errorCode }),
    ...(row.settleTx === null ? {} : { blockchain_tx: row.settleTx }),
  });
}

const tooLate = (): ApiError =>
  new ApiError(
    409,
    "window_over",
    "Its validator's time is over: it ends as a failure, which gives back more than cancelling would.",
    { onchain_error: "RouterWindowOver" },
  );

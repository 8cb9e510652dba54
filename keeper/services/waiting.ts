/** Finds a request in the journal, and waits for it to move. */
import type { Hex } from "viem";
import { findRequest, type RequestRow } from "../database/requests.ts";
import type { Context } from "./context.ts";
import { ApiError } from "./errors.ts";

export async function requireRow({ database }: Context, requestId: Hex): Promise<RequestRow> {
  const row = await findRequest(database, requestId);
  if (row) return row;
  throw new ApiError(404, "request_not_found", "This keeper knows no request of this id.", { field: "request_id" });
}

/** The row once it is as wanted, or as it is when time, patience or the keeper ends. */
export async function untilRow(
  context: Context,
  key: Hex,
  reached: (row: RequestRow) => boolean,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<RequestRow> {
  const patience = AbortSignal.any([AbortSignal.timeout(timeoutMs), context.signal, ...(signal ? [signal] : [])]);
  let wake = (): void => {};
  const stop = context.hub.onChange(key, () => wake());
  const onAbort = (): void => wake();
  patience.addEventListener("abort", onAbort);
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const row = await requireRow(context, key);
      if (reached(row) || patience.aborted) return row;
      await changed;
    }
  } finally {
    stop();
    patience.removeEventListener("abort", onAbort);
  }
}

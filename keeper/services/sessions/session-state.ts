/** Finds a session in the journal, and shows it as the outside sees it. */
import type { Hex } from "viem";
import type { Database } from "../../database/database.ts";
import * as requests from "../../database/requests.ts";
import { getSession, type SessionRow } from "../../database/sessions.ts";
import type { Context } from "../context.ts";
import { ApiError } from "../errors.ts";
import type { SessionState } from "../types.ts";
import { reservedBy } from "./prompts.ts";
import { nextReceipt } from "./receipts.ts";

/** A session that this keeper's key serves. */
export async function requireSession({ database, operator }: Context, id: Hex): Promise<SessionRow> {
  const row = await getSession(database, id);
  if (row?.operator === operator) return row;
  if (row) {
    throw new ApiError(
      409,
      "session_closed",
      `The session is for ${row.operator}, and this keeper's key is ${operator} now. End it on chain (InferenceRouter.endSession, then closeSession), and open another one.`,
      { session_id: id, validator: row.operator },
    );
  }
  throw new ApiError(404, "session_not_found", "This keeper knows no session of this id.", { field: "session_id" });
}

export async function sessionStateOf(database: Database, row: SessionRow): Promise<SessionState> {
  const [open, digests] = await Promise.all([
    requests.openOfSession(database, row.id),
    requests.digestsOfSession(database, row.id),
  ]);
  const { user, validator, key, model, cap, expiry, nonce, deadline } = row;
  return {
    id: row.id,
    session: { user, validator, key, model, cap, expiry, nonce, deadline },
    stage: row.stage,
    held: row.tokenHash !== null,
    createdAt: new Date(row.createdAt),
    endsAt: new Date(row.endsAt * 1000),
    spent: row.spent,
    prompts: row.prompts,
    reserved: reservedBy(open),
    settled: row.settled,
    settledPrompts: row.settledPrompts,
    next: nextReceipt(row, digests),
    ...(row.settleTx === null ? {} : { settleTx: row.settleTx }),
    ...(row.closeTx === null ? {} : { closeTx: row.closeTx }),
    ...(row.error === null ? {} : { error: row.error }),
  };
}

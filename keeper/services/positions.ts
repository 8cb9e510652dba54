/** Follows what the router holds for whom: open requests, sessions and bonds. */
import type { ChainEvent } from "../chain/events.ts";
import { unpackTerms } from "../chain/words.ts";
import type { Sql } from "../database/database.ts";
import { endPosition, openPosition } from "../database/positions.ts";

export async function recordPosition(sql: Sql, event: ChainEvent): Promise<void> {
  const block = event.place.block;
  switch (event.type) {
    case "submitted": {
      const { model, maxTokens, callbackFee } = unpackTerms(event.ticket.terms);
      const amount = event.payment + callbackFee;
      const { id, user } = event;
      return openPosition(sql, { kind: "request", id, user, amount, detail: { model, maxTokens }, block });
    }
    case "settled":
    case "failed":
    case "cancelled":
      return endPosition(sql, "request", event.id, block);
    case "session-opened":
      return openPosition(sql, {
        kind: "session",
        id: event.id,
        user: event.user,
        amount: event.cap,
        detail: {},
        block,
      });
    case "session-closed":
      return endPosition(sql, "session", event.id, block);
    case "committed":
      return openPosition(sql, {
        kind: "bond",
        id: event.id,
        user: event.user,
        amount: event.bond,
        detail: {},
        block,
      });
    case "commitment-over":
      return endPosition(sql, "bond", event.id, block);
  }
}

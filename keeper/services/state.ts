import type { RequestRow, Try } from "../database/requests.ts";
import type { AttemptState, RequestState } from "./types.ts";

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** A row of the journal as the outside sees it. `liveText` is what was drawn of an answer that is not whole yet. */
export function stateOf(row: RequestRow, liveText = ""): RequestState {
  const withheld = row.withheld !== null;
  const state: Mutable<RequestState> = {
    requestId: row.requestId ?? row.key,
    lane: row.lane,
    status: row.status,
    user: row.user,
    model: row.model,
    prompt: row.prompt ?? "",
    createdAt: new Date(row.createdAt),
    payment: row.payment,
    burned: burnedOf(row),
    response: row.digest === null ? liveText : withheld ? "" : row.response,
  };
  const optional = {
    threadId: row.threadId,
    validatorId: row.validatorId,
    validator: row.lane === "assigned" ? null : row.operator,
    tokensUsed: row.tokensUsed,
    finishReason: withheld ? null : row.finishReason,
    cid: withheld ? null : row.cid,
    submitTx: row.submitTx,
    settleTx: row.settleTx,
    settledAt: row.settledAt === null ? null : new Date(row.settledAt),
    record: row.record,
    consumed: row.consumed,
    validatorEarned: row.validatorLeg,
    treasuryEarned: row.treasuryLeg,
    burnedForGood: row.burnLeg,
    returned: row.returned,
    penalty: row.penalty,
    lcai: row.lcai,
    rewardSkipped: row.rewardSkipped,
    priority: row.priority,
    attempts: row.lane === "assigned" ? row.tries.map(attemptOf) : null,
    cancellingUntil:
      row.cancellingUntil === null || row.stage === "final" ? null : new Date(row.cancellingUntil * 1000),
    sessionId: row.sessionId,
    sessionNumber: row.sessionNumber,
    error: row.errorCode === null ? null : { code: row.errorCode, message: row.errorMessage ?? "" },
  };
  for (const [key, value] of Object.entries(optional)) if (value !== null) Object.assign(state, { [key]: value });
  return state;
}

const attemptOf = ({ validator, at, failure }: Try): AttemptState => ({
  validatorId: validator,
  at: new Date(at * 1000),
  ...(failure === undefined ? {} : { failure }),
});

/** An assigned request locks its whole payment when it is submitted; a direct one takes what it consumed, when it settles. */
function burnedOf(row: RequestRow): bigint {
  if (row.lane === "assigned") return row.requestId === null ? 0n : row.payment;
  return row.consumed ?? 0n;
}

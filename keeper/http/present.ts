/** From what the core knows to what clients read: snake_case, decimals with their wei, links. */
import { endingWords, percentOf, whyOf } from "../services/failure-words.ts";
import type { RequestState } from "../services/types.ts";
import { amount, decimal, maybeAmount } from "./amounts.ts";
import { failureOf } from "./failures.ts";

export interface Links {
  /** Where the client reached the keeper; empty where that is unknown, which leaves links relative. */
  readonly base: string;
  readonly explorer: string | undefined;
}

export const nodeName = (id: number | undefined): string | null => (id === undefined ? null : `node_validator_${id}`);

export const isAnswered = (state: RequestState): boolean =>
  state.status === "completed" || state.finishReason !== undefined;
/** A direct answer is completed for the network when its delivery is mined; one in a session when a receipt pays for it. */
const isSettled = (state: RequestState): boolean =>
  state.status === "completed" && (state.settleTx !== undefined || state.lane === "session");

type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

function proofs(state: RequestState, links: Links) {
  return present({
    finish_reason: state.finishReason,
    receipt: receiptOf(state),
    cid: state.cid,
    ipfs_url: state.cid === undefined ? undefined : `${links.base}/ipfs/${state.cid}`,
    blockchain_tx: state.settleTx,
    blockchain_url: state.settleTx === undefined ? undefined : transactionUrl(state, links),
    ...maybeAmount("lcai_earned", state.lcai),
    reward_skipped: state.rewardSkipped,
  });
}

function transactionUrl(state: RequestState, { base, explorer }: Links): string {
  return explorer === undefined
    ? `${base}/api/llm/status/${state.requestId}`
    : `${explorer.replace(/\/+$/, "")}/tx/${state.settleTx}`;
}

function receiptOf(state: RequestState) {
  const { payment, consumed, validatorEarned, treasuryEarned, burnedForGood } = state;
  if (
    consumed === undefined ||
    validatorEarned === undefined ||
    treasuryEarned === undefined ||
    burnedForGood === undefined
  )
    return undefined;
  return {
    ...amount("payment", payment),
    ...amount("consumed", consumed),
    ...amount("validator", validatorEarned),
    ...amount("treasury", treasuryEarned),
    ...amount("burned", burnedForGood),
    // Back in credits, or, in the direct lane, never taken out of them.
    ...amount("returned", payment - consumed),
  };
}

const inSession = ({ lane, sessionId, sessionNumber, consumed }: RequestState) =>
  lane === "session"
    ? { ...present({ session_id: sessionId, session_number: sessionNumber }), ...maybeAmount("price", consumed) }
    : {};

export function presentChat(state: RequestState, links: Links) {
  const failed = state.status === "failed" || state.status === "cancelled";
  return {
    response: state.response,
    status: failed ? ("failed" as const) : isSettled(state) ? ("success" as const) : ("pending" as const),
    request_id: state.requestId,
    model: state.model,
    tokens_used: state.tokensUsed ?? null,
    ...proofs(state, links),
    ...inSession(state),
    ...(failed ? { error: failureOf(state) } : {}),
  };
}

function cancellingOf({ cancellingUntil, payment }: RequestState) {
  if (cancellingUntil === undefined) return undefined;
  const refundable = payment / 2n;
  return { until: cancellingUntil.toISOString(), ...amount("nsd_refundable", refundable), refund_percent: 50 };
}

function attemptsOf({ attempts }: RequestState) {
  return attempts?.map(({ validatorId, at, failure }) =>
    present({
      node: nodeName(validatorId) ?? "",
      assigned_at: at.toISOString(),
      failure,
      error: failure === undefined ? undefined : whyOf(failure),
    }),
  );
}

function lastFailureOf({ attempts }: RequestState) {
  const last = attempts?.findLast(({ failure }) => failure !== undefined)?.failure;
  return last === undefined ? undefined : { failure: last, message: whyOf(last) };
}

export function presentCancelled(state: RequestState) {
  const cancelling = cancellingOf(state);
  const { requestId: request_id, returned = 0n, penalty = 0n, payment } = state;
  if (cancelling === undefined) {
    const message = state.error?.message ?? endingWords("cancelled", returned, payment);
    const amounts = { ...amount("nsd_refunded", returned), ...amount("nsd_penalty", penalty) };
    const refund_percent = percentOf(returned, payment);
    return {
      request_id,
      status: "cancelled" as const,
      message,
      refund_percent,
      ...amounts,
      ...present({ blockchain_tx: state.settleTx }),
    };
  }
  const message = `Its node may post what it has until ${cancelling.until}, and is paid for that alone; else half of the payment comes back.`;
  return { request_id, status: "cancelling" as const, message, ...cancelling };
}

export function presentRequest(state: RequestState, links: Links) {
  const failed = state.status === "failed" || state.status === "cancelled";
  const failure = state.error && failureOf(state);
  return {
    request_id: state.requestId,
    status: state.status,
    // What another keeper answered is behind its CID, and not here.
    result: isAnswered(state) && state.response !== "" ? state.response : null,
    tokens_used: state.tokensUsed ?? null,
    nsd_consumed: state.consumed === undefined ? null : decimal(state.consumed),
    nsd_consumed_wei: state.consumed?.toString() ?? null,
    lane: state.lane,
    user_address: state.user,
    model: state.model,
    created_at: state.createdAt.toISOString(),
    ...amount("nsd_payment", state.payment),
    ...amount("nsd_burned", state.burned),
    assigned_node: nodeName(state.validatorId),
    ...proofs(state, links),
    ...maybeAmount("validator_earned", state.validatorEarned),
    ...maybeAmount("nsd_refunded", failed ? state.returned : undefined),
    ...maybeAmount("nsd_penalty", state.penalty),
    ...present({
      validator: state.validator,
      error: failure?.message,
      error_code: failure?.code,
      submit_tx: state.submitTx,
      record: state.record === undefined ? undefined : Number(state.record),
      settled_at: state.settledAt?.toISOString(),
      thread_id: state.threadId,
      priority: state.priority,
      session_id: state.sessionId,
      session_number: state.sessionNumber,
      attempts: attemptsOf(state),
      last_failure: lastFailureOf(state),
      cancelling: cancellingOf(state),
      refund_percent:
        failed && state.returned !== undefined && state.lane === "assigned"
          ? percentOf(state.returned, state.payment)
          : undefined,
    }),
  };
}

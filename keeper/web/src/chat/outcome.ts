import type { ChatBody, Hex, RequestBody } from "../api/wire.ts";
import { titled } from "../format/text.ts";
import type { Outcome, PhaseMark, Thread, Turn } from "./model.ts";
import { attemptsOf } from "./progress.ts";

/** The outcome that a streamed chat ends with; undefined while its settlement is on its way. */
export function outcomeOfChat(body: ChatBody): Outcome | undefined {
  if (body.status === "pending") return undefined;
  return {
    ...settlementOf(body),
    status: body.status === "success" ? "completed" : "failed",
    ...(body.error ? { error: body.error } : {}),
  };
}

export function outcomeOfRequest(body: RequestBody): Outcome | undefined {
  if (body.status === "queued" || body.status === "processing") return undefined;
  return {
    ...settlementOf(body),
    status: body.status,
    ...(body.nsd_refunded_wei ? { refundedWei: body.nsd_refunded_wei } : {}),
    ...(body.nsd_penalty_wei ? { penaltyWei: body.nsd_penalty_wei } : {}),
    ...(body.error ? { error: { code: body.error_code ?? "failed", message: body.error } } : {}),
  };
}

function settlementOf(body: ChatBody | RequestBody): Omit<Outcome, "status"> {
  return {
    ...(body.receipt ? { receipt: body.receipt } : {}),
    ...(body.finish_reason ? { finish: body.finish_reason } : {}),
    ...(body.cid ? { cid: body.cid } : {}),
    ...(body.blockchain_tx ? { transaction: body.blockchain_tx } : {}),
    ...(body.lcai_earned_wei ? { lcaiWei: body.lcai_earned_wei } : {}),
    ...(body.reward_skipped ? { rewardSkipped: body.reward_skipped } : {}),
  };
}

/** A turn as the keeper remembers it, for threads that this browser has not seen. */
export function turnOf(body: RequestBody): Turn {
  const at = Date.parse(body.created_at);
  const outcome = outcomeOfRequest(body);
  return {
    key: body.request_id,
    requestId: body.request_id,
    prompt: body.prompt ?? "",
    at,
    terms: {
      lane: body.lane ?? "direct",
      model: body.model,
      maxTokens: 0,
      temperature: 0,
      paymentWei: body.nsd_payment_wei,
      priority: body.priority ?? false,
    },
    stage: outcome ? "ended" : "stopped",
    answer: body.result ?? "",
    phases: outcome ? endedPhases(outcome, at) : [],
    ...handsOf(body),
    ...(body.tokens_used ? { tokens: body.tokens_used } : {}),
    ...(body.finish_reason === "length" ? { cutShort: true } : {}),
    ...(outcome ? { outcome } : {}),
  };
}

/** Whose hands it went through, where the network assigned it. */
export function handsOf({ attempts }: RequestBody): Pick<Turn, "attempts"> {
  return attempts && attempts.length > 0 ? { attempts: attemptsOf(attempts) } : {};
}

function endedPhases(outcome: Outcome, at: number): PhaseMark[] {
  if (outcome.status !== "completed") return [{ phase: outcome.status, at }];
  return (["accepted", "answered", "stored", "settled"] as const).map((phase) => ({ phase, at }));
}

/** This browser's threads, completed by what the keeper knows: nothing is shown twice, nothing local is lost. */
export function merged(threads: readonly Thread[], history: readonly RequestBody[]): readonly Thread[] {
  const known = new Map(history.map((body) => [body.request_id, body]));
  const result = onlyOnce(threads).map((thread) => ({
    ...thread,
    turns: thread.turns.map((turn) => {
      const bodies = idsOf(turn).flatMap((id) => known.get(id) ?? []);
      for (const { request_id } of bodies) known.delete(request_id);
      const [body] = bodies;
      return body ? completed(turn, body) : turn;
    }),
  }));
  for (const body of [...known.values()].reverse()) {
    const id = body.thread_id ?? body.request_id;
    const index = result.findIndex((thread) => thread.id === id);
    const turn = turnOf(body);
    const thread = result[index];
    if (thread) result[index] = { ...thread, turns: [...thread.turns, turn].sort((a, b) => a.at - b.at) };
    else result.push({ id, title: titled(turn.prompt), at: turn.at, turns: [turn] });
  }
  return result.sort((a, b) => latest(b) - latest(a));
}

function completed(turn: Turn, body: RequestBody): Turn {
  if (turn.outcome) return turn.answer === "" && body.result ? { ...turn, answer: body.result } : turn;
  const { request_id: requestId } = body;
  const { outcome, answer, stage, phases, terms } = turnOf(body);
  const { problem, ...known } = isRecalled(turn) ? { ...turn, terms } : turn;
  if (outcome) return { ...known, ...handsOf(body), requestId, outcome, answer: answer || turn.answer, stage, phases };
  if (!problem) return known;
  // It looked as if it had not been taken, and it was.
  return problem.kind === "unsafe" ? { ...known, problem } : { ...known, requestId, stage };
}

/** Ids by which the keeper may tell of a turn's request: the chain's first, and before that its digest. */
function idsOf({ requestId, signed }: Turn): Hex[] {
  return [requestId, signed?.digest].filter((id) => id !== undefined);
}

/** Threads with one turn for each request: the one that was asked here, before one that the keeper's history brought. */
export function onlyOnce(threads: readonly Thread[]): readonly Thread[] {
  const turns = threads.flatMap((thread) => thread.turns).sort((a, b) => Number(isRecalled(a)) - Number(isRecalled(b)));
  const owners = new Map<Hex, Turn>();
  for (const turn of turns) for (const id of idsOf(turn)) if (!owners.has(id)) owners.set(id, turn);
  const doubled = new Set(turns.filter((turn) => idsOf(turn).some((id) => owners.get(id) !== turn)));
  if (doubled.size === 0) return threads;
  return threads
    .map((thread) => ({ ...thread, turns: thread.turns.filter((turn) => !doubled.has(turn)) }))
    .filter((thread) => thread.turns.length > 0);
}

/** The keeper's history leaves out the length that was asked. */
const isRecalled = ({ terms }: Turn): boolean => terms.maxTokens === 0;

function latest(thread: Thread): number {
  return thread.turns.at(-1)?.at ?? thread.at;
}

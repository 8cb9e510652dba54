import type { AttemptBody, CancelBody, FailureClass, PhaseBody, PhaseName } from "../api/wire.ts";
import type { Attempt, Turn } from "./model.ts";

/** What a validator had done of it counts for nothing once another one has the request. */
const OF_ONE_ATTEMPT: ReadonlySet<PhaseName> = new Set([
  "queued",
  "assigned",
  "answering",
  "answered",
  "stored",
  "settling",
]);

/** A turn after one more of its phases. */
export function withPhase(turn: Turn, { phase, at, detail }: PhaseBody): Turn {
  const moved = phase === "attempt_failed";
  const kept = turn.phases.filter((mark) => mark.phase !== phase && !(moved && OF_ONE_ATTEMPT.has(mark.phase)));
  const next: Turn = { ...turn, phases: [...kept, { phase, at }] };
  const validator = detail?.validator_id;
  if (phase === "queued") return { ...next, phases: without(next, "assigned") };
  if (phase === "assigned" && validator !== undefined)
    return { ...next, phases: without(next, "queued"), attempts: assigned(turn.attempts ?? [], validator, at) };
  if (moved && validator !== undefined)
    return { ...next, answer: "", attempts: failed(turn.attempts ?? [], validator, at, detail?.class ?? "none") };
  if (phase === "cancelling" && detail?.until)
    return { ...next, cancelling: { ...turn.cancelling, until: Date.parse(detail.until) } };
  return next;
}

function without({ phases }: Turn, unwanted: PhaseName) {
  return phases.filter(({ phase }) => phase !== unwanted);
}

/** Nobody has two turns at a request. */
function assigned(attempts: readonly Attempt[], validator: number, at: number): Attempt[] {
  return [...attempts.filter((attempt) => attempt.validator !== validator), { validator, at }];
}

/** Its assignment may have happened before this page looked. */
function failed(attempts: readonly Attempt[], validator: number, at: number, failure: FailureClass): Attempt[] {
  const known = attempts.some((attempt) => attempt.validator === validator);
  const all = known ? attempts : [...attempts, { validator, at }];
  return all.map((attempt) => (attempt.validator === validator ? { ...attempt, failure } : attempt));
}

/** A turn after its cancellation was brought to the chain. */
export function withCancelled(turn: Turn, body: CancelBody): Turn {
  const { nsd_refunded_wei, nsd_penalty_wei, nsd_refundable_wei, blockchain_tx } = body;
  if (body.status === "cancelling") {
    const until = body.until ? Date.parse(body.until) : Date.now();
    return {
      ...turn,
      cancelling: { until, ...(nsd_refundable_wei ? { refundableWei: nsd_refundable_wei } : {}) },
    };
  }
  return {
    ...turn,
    stage: "ended",
    phases: [...turn.phases.filter(({ phase }) => phase !== "cancelled"), { phase: "cancelled", at: Date.now() }],
    outcome: {
      status: "cancelled",
      ...(nsd_refunded_wei ? { refundedWei: nsd_refunded_wei } : {}),
      ...(nsd_penalty_wei ? { penaltyWei: nsd_penalty_wei } : {}),
      ...(blockchain_tx ? { transaction: blockchain_tx } : {}),
    },
  };
}

export function attemptsOf(bodies: readonly AttemptBody[] | undefined): Attempt[] {
  return (bodies ?? []).map(({ node, assigned_at, failure }) => ({
    validator: Number(/\d+$/.exec(node)?.[0] ?? 0),
    at: Date.parse(assigned_at),
    ...(failure ? { failure } : {}),
  }));
}

/** Who has the request now; undefined while it is queued. */
export function holderOf({ attempts }: Turn): Attempt | undefined {
  const last = attempts?.at(-1);
  return last?.failure === undefined ? last : undefined;
}

const DID: Readonly<Record<FailureClass, string>> = {
  offline: "did not show up",
  timeout: "did not answer in time",
  error: "could not answer",
  invalid: "gave an answer that did not stand its audit",
  bad_prompt: "declined the question",
  no_node: "was not free",
  declined: "declined the question",
  none: "let go of it",
};

/** What became of one attempt, as a sentence. */
export function toldOf(attempt: Attempt, turn: Turn): string {
  const name = `Validator ${attempt.validator}`;
  if (attempt.failure) return `${name} ${DID[attempt.failure]}.`;
  if (turn.outcome?.status === "completed") return `${name} answered.`;
  return turn.outcome ? `${name} had it at the end.` : `${name} has it now.`;
}

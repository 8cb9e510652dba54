import type { ReactElement } from "react";
import type { PhaseName } from "../api/wire.ts";
import { counted } from "../format/text.ts";
import { took } from "../format/time.ts";
import { Check, Cross } from "../ui/icons.tsx";
import type { Turn } from "./model.ts";
import { holderOf } from "./progress.ts";

interface Step {
  readonly name: string;
  readonly note?: string;
  readonly state: "done" | "now" | "failed" | "over";
}

/** What happened so far, one step after the other; the last tick is the settlement. */
export function Phases({ turn }: { readonly turn: Turn }): ReactElement {
  return (
    <ol className="phases" aria-label="Progress">
      {stepsOf(turn).map(({ name, note, state }) => (
        <li key={name} data-state={state}>
          {state === "done" && <Check size={14} />}
          {(state === "failed" || state === "over") && <Cross size={13} />}
          {state === "now" && <i className="pulse" />}
          <b>{name}</b>
          {note && <span>{note}</span>}
        </li>
      ))}
    </ol>
  );
}

function stepsOf(turn: Turn): Step[] {
  const at = (phase: PhaseName): number | undefined => turn.phases.find((mark) => mark.phase === phase)?.at;
  const waiting = (name: string): Step => ({ name, state: turn.stage === "stopped" ? "done" : "now" });
  if (turn.stage === "confirming") return [{ name: "Waiting for your word", state: "now" }];
  if (turn.stage === "signing") return [{ name: "Signing", state: "now" }];
  if (turn.phases.length === 0)
    return [turn.stage === "stopped" ? { name: "Not followed", state: "done" } : waiting("Sending")];

  const steps: Step[] = [];
  const failed = at("failed") !== undefined;
  const over = failed || at("cancelled") !== undefined;
  if (at("accepted") !== undefined || !over) steps.push({ name: "Accepted", state: "done" });
  const answered = at("answered");
  // Once it is answered the receipt says by whom: a line that grew longer would break in two.
  const hands = over || answered !== undefined ? undefined : handsStep(turn, at);
  if (hands) steps.push(hands.state === "now" ? { ...waiting(hands.name), ...noteOf(hands) } : hands);
  const cancelling = turn.cancelling !== undefined && !over && answered === undefined;
  if (answered !== undefined)
    steps.push({ name: "Answered", note: answerNote(turn, at("answering"), answered), state: "done" });
  else if (cancelling) steps.push(waiting("Cancelling"));
  else if (at("answering") !== undefined && !over) steps.push(waiting("Answering"));
  if (at("stored") !== undefined) steps.push({ name: "Stored", state: "done" });
  if (failed) steps.push({ name: "Failed", state: "failed" });
  else if (over) steps.push({ name: "Cancelled", state: "over" });
  else if (at("settled") !== undefined) steps.push({ name: "Settled", state: "done" });
  else if (answered !== undefined) steps.push(waiting("Settling"));
  return steps;
}

/** Where the network assigns: whose turn it is, or that nobody has it yet. */
function handsStep(turn: Turn, at: (phase: PhaseName) => number | undefined): Step | undefined {
  if (turn.terms.lane !== "assigned") return undefined;
  const holder = holderOf(turn);
  if (holder) return { name: "Assigned", note: `validator ${holder.validator}`, state: "done" };
  if (turn.attempts) return { name: "Waiting", note: "for another validator", state: "now" };
  return at("queued") === undefined ? undefined : { name: "Waiting", note: "for a validator", state: "now" };
}

const noteOf = ({ note }: Step): Pick<Step, "note"> => (note ? { note } : {});

function answerNote(turn: Turn, from: number | undefined, until: number): string {
  const parts: string[] = [];
  if (turn.tokens) parts.push(counted(turn.tokens, "token"));
  if (from !== undefined && until > from) parts.push(took(until - from));
  return parts.join(", ");
}

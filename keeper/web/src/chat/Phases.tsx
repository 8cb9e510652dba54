import type { ReactElement } from "react";
import type { PhaseName } from "../api/wire.ts";
import { counted } from "../format/text.ts";
import { took } from "../format/time.ts";
import { Check, Cross } from "../ui/icons.tsx";
import type { Turn } from "./model.ts";

interface Step {
  readonly name: string;
  readonly note?: string;
  readonly state: "done" | "now" | "failed";
}

/** What happened so far, one step after the other; the last tick is the settlement. */
export function Phases({ turn }: { readonly turn: Turn }): ReactElement {
  return (
    <ol className="phases" aria-label="Progress">
      {stepsOf(turn).map(({ name, note, state }) => (
        <li key={name} data-state={state}>
          {state === "done" && <Check size={14} />}
          {state === "failed" && <Cross size={13} />}
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
  if (at("accepted") !== undefined || !failed) steps.push({ name: "Accepted", state: "done" });
  const answered = at("answered");
  if (answered !== undefined)
    steps.push({ name: "Answered", note: answerNote(turn, at("answering"), answered), state: "done" });
  else if (at("answering") !== undefined && !failed) steps.push(waiting("Answering"));
  if (at("stored") !== undefined) steps.push({ name: "Stored", state: "done" });
  if (failed) steps.push({ name: "Failed", state: "failed" });
  else if (at("settled") !== undefined) steps.push({ name: "Settled", state: "done" });
  else if (answered !== undefined) steps.push(waiting("Settling"));
  return steps;
}

function answerNote(turn: Turn, from: number | undefined, until: number): string {
  const parts: string[] = [];
  if (turn.tokens) parts.push(counted(turn.tokens, "token"));
  if (from !== undefined && until > from) parts.push(took(until - from));
  return parts.join(", ");
}

import { type ReactElement, useId } from "react";
import { amount } from "../format/amount.ts";
import type { TermsInput, TermsState } from "./terms.ts";

/** What is asked beside the question; unobtrusive, since its defaults serve nearly everybody. */
export function AskSettings({ id, terms }: { readonly id: string; readonly terms: TermsState }): ReactElement {
  const { input, change, models, model, mostTokens, buys } = terms;
  const priority = useId();
  const lane = useId();
  return (
    <fieldset id={id} className="settings">
      <legend className="hidden">Settings for the next question</legend>
      <div className="field">
        <label htmlFor={lane}>Answered by</label>
        <select
          id={lane}
          value={input.lane}
          aria-describedby={`${lane}-hint`}
          onChange={(event) => change({ lane: event.target.value === "assigned" ? "assigned" : "direct" })}
        >
          <option value="direct">this validator</option>
          <option value="assigned">any validator</option>
        </select>
        <span className="soft small" id={`${lane}-hint`}>
          {input.lane === "direct" ? "charged when the answer is delivered" : "the network picks; can be cancelled"}
        </span>
      </div>
      {models.length > 1 && (
        <label>
          Model
          <select value={model} onChange={(event) => change({ model: event.target.value })}>
            {models.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
      <Field
        label="Longest answer"
        unit="tokens"
        hint={`1 to ${mostTokens}`}
        name="maxTokens"
        mode="numeric"
        terms={terms}
      />
      <Field
        label="Payment ceiling"
        unit="NSD"
        hint={buys === undefined ? "what is not used comes back" : `buys up to ${buys} tokens`}
        name="ceiling"
        mode="decimal"
        terms={terms}
      />
      <Field
        label="Temperature"
        unit=""
        hint="0 is strict, 2 is free"
        name="temperature"
        mode="decimal"
        terms={terms}
      />
      <div className="field">
        <label htmlFor={priority}>Priority</label>
        <input
          id={priority}
          type="checkbox"
          checked={input.priority}
          aria-describedby={`${priority}-hint`}
          onChange={(event) => change({ priority: event.target.checked })}
        />
        <span className="soft small" id={`${priority}-hint`}>
          {priceOf(terms)}
        </span>
      </div>
    </fieldset>
  );
}

/** What priority makes of the price, before it is chosen and after. */
function priceOf({ input, cost, otherCost }: TermsState): string {
  if (cost === undefined || otherCost === undefined) return "served sooner, at one and a half times the price";
  const [dear, usual] = input.priority ? [cost, otherCost] : [otherCost, cost];
  return `served sooner, for up to ${amount(dear)} NSD, not ${amount(usual)}`;
}

interface FieldProps {
  readonly label: string;
  readonly unit: string;
  readonly hint: string;
  readonly name: keyof TermsInput & ("maxTokens" | "ceiling" | "temperature");
  readonly mode: "numeric" | "decimal";
  readonly terms: TermsState;
}

function Field({ label, unit, hint, name, mode, terms }: FieldProps): ReactElement {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <span>
        <input
          id={id}
          className="amount"
          inputMode={mode}
          autoComplete="off"
          value={terms.input[name]}
          aria-describedby={`${id}-hint`}
          onChange={(event) => terms.change({ [name]: event.target.value })}
        />
        {unit && <span className="unit-name">{unit}</span>}
      </span>
      <span className="soft small" id={`${id}-hint`}>
        {hint}
      </span>
    </div>
  );
}

import { type ReactElement, useId } from "react";
import type { TermsInput, TermsState } from "./terms.ts";

/** What is asked beside the question; unobtrusive, since its defaults serve nearly everybody. */
export function AskSettings({ id, terms }: { readonly id: string; readonly terms: TermsState }): ReactElement {
  const { input, change, models, mostTokens, buys } = terms;
  const priority = useId();
  return (
    <fieldset id={id} className="settings">
      <legend className="hidden">Settings for the next question</legend>
      {models.length > 1 && (
        <label>
          Model
          <select value={input.model ?? models[0]?.name} onChange={(event) => change({ model: event.target.value })}>
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
          onChange={(event) => change({ priority: event.target.checked })}
        />
        <span className="soft small">costs half again as much, is answered first</span>
      </div>
    </fieldset>
  );
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

import { type KeyboardEvent, type ReactElement, useId, useLayoutEffect, useRef, useState } from "react";
import { amount, dollars } from "../format/amount.ts";
import { remaining } from "../format/time.ts";
import { useNow } from "../ui/hooks.ts";
import { AskSettings } from "./AskSettings.tsx";
import { stopFollowing } from "./ask.ts";
import type { Hold } from "./ChatView.tsx";
import { isAnswered, type Turn } from "./model.ts";
import type { TermsState } from "./terms.ts";

interface ComposerProps {
  readonly terms: TermsState;
  readonly hold: Hold | undefined;
  readonly current: Turn | undefined;
  readonly connected: boolean;
  readonly onSend: (prompt: string) => boolean;
}

export function Composer({ terms, hold, current, connected, onSend }: ComposerProps): ReactElement {
  const [prompt, setPrompt] = useState("");
  const [settings, setSettings] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const settingsId = useId();
  const now = useNow(1_000, hold?.until !== undefined);
  const held = hold !== undefined && (hold.until === undefined || hold.until > now);
  const busy = current !== undefined && !isAnswered(current);
  const ready = prompt.trim() !== "" && !held && !busy && (terms.value !== undefined || !connected);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows what is written.
  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, 220)}px`;
  }, [prompt]);

  const send = (): void => {
    if (ready && onSend(prompt.trim())) setPrompt("");
  };
  const pressed = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <label className="hidden" htmlFor="prompt">
        Your question
      </label>
      <textarea
        id="prompt"
        ref={area}
        rows={1}
        value={prompt}
        placeholder="Ask a question"
        onChange={(event) => setPrompt(event.target.value)}
        onKeyDown={pressed}
      />
      {settings && <AskSettings id={settingsId} terms={terms} />}
      <div className="row">
        <button
          type="button"
          className="plain"
          aria-expanded={settings}
          aria-controls={settingsId}
          onClick={() => setSettings(!settings)}
        >
          Settings
        </button>
        <span className="cost">
          <span aria-live="polite">{held ? hold.reason : <Cost terms={terms} />}</span>
          {held && hold.until !== undefined && <span>, wait {remaining(hold.until - now)}</span>}
        </span>
        {busy ? (
          <button type="button" onClick={() => stopFollowing(current.key)} title="Escape">
            Stop following
          </button>
        ) : (
          <button type="submit" className="main" disabled={!ready}>
            {connected ? "Send" : "Connect"}
          </button>
        )}
      </div>
    </form>
  );
}

function Cost({ terms }: { readonly terms: TermsState }): ReactElement {
  if (terms.problem) return <span className="bad">{terms.problem}</span>;
  if (!terms.value) return <span className="soft">Asking for the price</span>;
  const { paymentWei, priority } = terms.value;
  const payment = BigInt(paymentWei);
  return (
    <>
      <span>at most {amount(payment)} NSD,</span>{" "}
      <span>
        about {dollars(payment)}
        {priority && ","}
      </span>{" "}
      {priority && <span>with priority</span>}
    </>
  );
}

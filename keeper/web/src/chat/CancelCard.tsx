import { type ReactElement, useEffect, useRef, useState } from "react";
import { Refusal } from "../api/client.ts";
import type { Hex } from "../api/wire.ts";
import { amount, sharingBare } from "../format/amount.ts";
import { walletProblem } from "../wallet/failure.ts";
import type { Asker } from "./ask.ts";
import { type CancelOffer, cancel, offerCancel } from "./cancel.ts";
import type { Turn } from "./model.ts";
import { IntentMismatch } from "./problems.ts";
import { holderOf } from "./progress.ts";

/** `CANCEL_WINDOW` of the router. */
const WINDOW_S = 30;

interface CancelProps {
  readonly turn: Turn;
  readonly requestId: Hex;
  readonly asker: Asker;
  readonly onClose: () => void;
}

/** Before a request is taken back: what that brings, and what its validator may still do. */
export function CancelCard({ turn, requestId, asker, onClose }: CancelProps): ReactElement {
  const { key } = turn;
  const holder = holderOf(turn)?.validator;
  const [offer, setOffer] = useState<CancelOffer>();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const keep = useRef<HTMLButtonElement>(null);
  useEffect(() => keep.current?.focus(), []);
  useEscape(onClose);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what comes back changes with who has the request.
  useEffect(() => {
    const gone = new AbortController();
    setOffer(undefined);
    setProblem(undefined);
    offerCancel(key, asker, gone.signal).then(
      (found) => {
        if (gone.signal.aborted) return;
        if (found) setOffer(found);
        else onClose();
      },
      (error: unknown) => {
        if (!gone.signal.aborted) setProblem(told(error));
      },
    );
    return () => gone.abort();
  }, [key, requestId, holder]);

  const act = (current: CancelOffer): void => {
    setBusy(true);
    setProblem(undefined);
    cancel(key, requestId, current, asker).then(onClose, (error: unknown) => {
      setProblem(told(error));
      setBusy(false);
    });
  };
  return (
    <section className="card confirm" aria-label="Before you cancel">
      <p className="headline">Before you cancel</p>
      <dl aria-live="polite">
        <div>
          <dt>Who has it</dt>
          <dd>{holder === undefined ? "nobody yet" : `validator ${holder}`}</dd>
        </div>
        <div>
          <dt>Comes back</dt>
          <dd>{offer ? comesBack(BigInt(turn.terms.paymentWei), offer.percent) : "asking the keeper"}</dd>
        </div>
        {holder !== undefined && (
          <div>
            <dt>Unless</dt>
            <dd>
              it posts what it has within {WINDOW_S} seconds: then you keep that answer and pay for its length alone,
              and the rest comes back
            </dd>
          </div>
        )}
      </dl>
      {problem && (
        <p className="bad small" role="alert">
          {problem}
        </p>
      )}
      <p className="row">
        {/* Disabled it would lose the keyboard's place. */}
        <button
          type="button"
          className="main"
          aria-disabled={busy || !offer || undefined}
          onClick={() => offer && !busy && act(offer)}
        >
          {busy ? "Cancelling" : "Cancel the request"}
        </button>
        <button type="button" ref={keep} onClick={onClose}>
          Keep waiting
        </button>
      </p>
    </section>
  );
}

/** Escape closes the card wherever the keyboard is, and does not stop following. */
function useEscape(onClose: () => void): void {
  const close = useRef(onClose);
  close.current = onClose;
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      close.current();
    };
    document.addEventListener("keydown", pressed, true);
    return () => document.removeEventListener("keydown", pressed, true);
  }, []);
}

export function comesBack(payment: bigint, percent: number): string {
  const back = (payment * BigInt(percent)) / 100n;
  if (back === payment) return `all ${amount(payment)} NSD, at once`;
  const [shown, kept] = sharingBare([back, payment - back]);
  return `${shown} of ${amount(payment)} NSD; the other ${kept} stay burned`;
}

function told(error: unknown): string {
  if (error instanceof IntentMismatch)
    return `The keeper asked for a signature on something else than this cancellation (${error.message}). Nothing was signed.`;
  return error instanceof Refusal ? error.message : walletProblem(error);
}

import { type ReactElement, useEffect, useRef } from "react";
import { useNetwork } from "../api/queries.ts";
import { amount, dollars } from "../format/amount.ts";
import { atClock } from "../format/time.ts";
import { announce } from "../ui/Announcer.tsx";
import { Copyable } from "../ui/Copyable.tsx";
import { decide } from "./ask.ts";
import type { Confirmation } from "./model.ts";

/** Before a wallet is asked: the most it can cost, who answers, and who can read it. */
export function ConfirmCard({
  turnKey,
  confirmation,
}: {
  readonly turnKey: string;
  readonly confirmation: Confirmation;
}): ReactElement {
  const sign = useRef<HTMLButtonElement>(null);
  const network = useNetwork().data;
  const { validator } = confirmation;
  const payment = BigInt(confirmation.paymentWei);
  useEffect(() => {
    // Who writes the next question already would sign with its first space.
    if (isWriting()) announce("Your question waits for your signature.");
    else sign.current?.focus();
  }, []);
  return (
    <section className="card confirm" aria-label="Before you sign">
      <p className="headline">Before you sign</p>
      <dl>
        <div>
          <dt>Costs at most</dt>
          <dd>
            {amount(payment)} NSD, about {dollars(payment)}
            {confirmation.priority && ", with priority at one and a half times the price"}
          </dd>
        </div>
        <div>
          <dt>Answered by</dt>
          <dd>
            {validator ? (
              <>
                {network?.operator === validator ? `validator ${network.validator_id}, ` : ""}
                <Copyable text={validator} what="the validator's address" />
              </>
            ) : (
              "whichever validator the network picks,"
            )}{" "}
            with {confirmation.model}
          </dd>
        </div>
        {!validator && (
          <div>
            <dt>Held</dt>
            <dd>all of it until the request ends; you can cancel it until it is answered</dd>
          </div>
        )}
        <div>
          <dt>Visible to</dt>
          <dd>everybody: question and answer are stored publicly</dd>
        </div>
        <div>
          <dt>Valid until</dt>
          <dd>{atClock(confirmation.deadline)}</dd>
        </div>
      </dl>
      <p className="row">
        <button type="button" className="main" ref={sign} onClick={() => decide(turnKey, true)}>
          Sign and send
        </button>
        <button type="button" onClick={() => decide(turnKey, false)}>
          Do not send
        </button>
      </p>
    </section>
  );
}

function isWriting(): boolean {
  const { activeElement } = document;
  return activeElement instanceof HTMLTextAreaElement && activeElement.value !== "";
}

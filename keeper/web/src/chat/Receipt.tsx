import type { ReactElement } from "react";
import { amount, sharing, sharingBare } from "../format/amount.ts";
import { atSecond } from "../format/time.ts";
import { Attempts } from "./Attempts.tsx";
import { type Leg, Legs } from "./Legs.tsx";
import type { Cancelling, Turn } from "./model.ts";
import { Proofs } from "./Proofs.tsx";
import { holderOf } from "./progress.ts";

/** Where each NSD went. It stands there from the first moment, at its full size, and fills in as things become true. */
export function Receipt({ turn }: { readonly turn: Turn }): ReactElement {
  const receipt = turn.outcome?.receipt;
  const names = ["Validator", "Treasury", "Burned", "Back to you"] as const;
  const kinds = ["validator", "treasury", "burn", "back"] as const;
  const parts = receipt
    ? [receipt.validator_wei, receipt.treasury_wei, receipt.burned_wei, receipt.returned_wei].map((wei) => BigInt(wei))
    : undefined;
  const shown = parts ? sharing(parts) : undefined;
  const legs = kinds.map(
    (kind, index): Leg => ({ kind, name: names[index] ?? "", wei: parts?.[index], shown: shown?.[index] }),
  );
  return (
    <section className="card receipt" aria-label="Receipt" aria-busy={!receipt}>
      <p className="headline">
        {receipt ? (
          <>
            {amount(BigInt(receipt.payment_wei))} NSD paid, {amount(BigInt(receipt.consumed_wei))} used
          </>
        ) : (
          <>
            At most {amount(BigInt(turn.terms.paymentWei))} NSD
            {!turn.terms.priority && <span className="soft">, what is not used comes back</span>}
          </>
        )}
        {turn.terms.priority && <span className="soft">, with priority at one and a half times the price</span>}
      </p>
      <Legs legs={legs} />
      <Cancellation turn={turn} />
      <Attempts turn={turn} />
      <Proofs turn={turn} />
    </section>
  );
}

/** What is to be known of a cancellation while it runs, and where its validator answered in spite of it. */
function Cancellation({ turn }: { readonly turn: Turn }): ReactElement | null {
  if (turn.outcome?.finish === "cancelled") {
    const validator = turn.attempts?.at(-1)?.validator;
    return (
      <p className="told">
        You cancelled it. {validator === undefined ? "Its validator" : `Validator ${validator}`} still posted what it
        had within its 30 seconds, and was paid for that alone. The rest came back.
      </p>
    );
  }
  if (!turn.cancelling || turn.outcome) return null;
  return <p className="told">{awaited(turn, turn.cancelling)}</p>;
}

function awaited(turn: Turn, { until, refundableWei }: Cancelling): string {
  const payment = BigInt(turn.terms.paymentWei);
  const [back, kept] = sharingBare([refundableWei ? BigInt(refundableWei) : payment / 2n, payment - payment / 2n]);
  const holder = holderOf(turn);
  const who = holder ? `Validator ${holder.validator}` : "Its validator";
  return `You cancelled it. ${who} may post what it has until ${atSecond(until)}, and is paid for that alone. If it posts nothing, ${back} NSD come back and ${kept} stay burned.`;
}

/** Taking a request back: what that brings is told first, then signed, and the keeper brings it to the chain. */
import { Refusal, remove } from "../api/client.ts";
import { refreshAccount } from "../api/queries.ts";
import type { CancelBody, CancelData, Hex } from "../api/wire.ts";
import { announce } from "../ui/Announcer.tsx";
import { loadWallet } from "../wallet/session.ts";
import { type Asker, follow, nameTurn } from "./ask.ts";
import { changeTurn, findTurn } from "./conversation.ts";
import { withCancelled } from "./progress.ts";

export interface CancelOffer {
  readonly typed: CancelData;
  /** Percent of the payment that comes back, as things stand. */
  readonly percent: number;
}

const pathOf = (requestId: Hex): string => `/api/llm/${requestId}`;

/** Undefined where it was taken back already, which is put into the turn. */
export async function offerCancel(key: string, asker: Asker, signal: AbortSignal): Promise<CancelOffer | undefined> {
  const requestId = await nameTurn(key, asker, signal);
  try {
    apply(key, await remove<CancelBody>(pathOf(requestId), { prepare: true }, signal));
    return undefined;
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "signature_required") throw error;
    const { typed_data, refund_percent } = error.details;
    if (typed_data?.primaryType === "Cancel" && refund_percent !== undefined)
      return { typed: typed_data, percent: refund_percent };
    throw new Error("The keeper did not say what to sign.");
  }
}

export async function cancel(key: string, requestId: Hex, offer: CancelOffer, asker: Asker): Promise<void> {
  const { account, network } = asker;
  const wallet = await loadWallet(network);
  const message = wallet.checkCancel(offer.typed, requestId);
  const signature = await wallet.signCancel(message, account);
  const signed = { deadline: message.deadline, signature };
  // Leaving the card must not leave a signed cancellation half sent.
  apply(key, await remove<CancelBody>(pathOf(requestId), signed, new AbortController().signal));
  refreshAccount(account.address);
  if (findTurn(key)?.turn.stage === "stopped") follow(key, asker);
}

/** The stream tells the same a moment later, where the page follows it. */
function apply(key: string, body: CancelBody): void {
  changeTurn(key, (turn) => (turn.outcome ? turn : withCancelled(turn, body)));
  announce(body.status === "cancelled" ? "Cancelled." : "The cancellation is on the chain.");
}

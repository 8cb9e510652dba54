/** Between what clients of sessions send and read, and what the core knows. */
import type { Hex } from "viem";
import { zeroHash } from "viem";
import type { Bill, Session, SessionAsk, SessionState, SignedReceipt } from "../services/types.ts";
import { amount, parseAmount } from "./amounts.ts";
import { address, DEFAULT_TEMPERATURE, DEFAULT_TOKENS, hundredths, UINT64, UINT96, whole } from "./ask.ts";
import type { ChatBody } from "./schemas.ts";
import type { PromptBody, ReceiptBody, SessionBody } from "./session-schemas.ts";
import { forWallet } from "./spending.ts";

export const sessionOf = (body: SessionBody): Session => ({
  user: address(body.user),
  validator: address(body.validator),
  key: address(body.key),
  model: body.model,
  cap: whole(body.cap, UINT96, "session.cap"),
  expiry: whole(body.expiry, UINT64, "session.expiry"),
  nonce: body.nonce,
  deadline: whole(body.deadline, UINT64, "session.deadline"),
});

export const signedReceiptOf = (body: ReceiptBody): SignedReceipt => ({
  count: body.count,
  total: whole(body.total, UINT96, "receipt.total"),
  root: body.root.toLowerCase() as Hex,
  signature: body.signature.toLowerCase() as Hex,
});

export const sessionAskOf = (body: PromptBody | ChatBody): SessionAsk => ({
  prompt: body.message,
  salt: (body.salt?.toLowerCase() as Hex | undefined) ?? zeroHash,
  maxTokens: body.max_tokens ?? DEFAULT_TOKENS,
  temperature: hundredths(body.temperature ?? DEFAULT_TEMPERATURE) / 100,
  priority: body.priority ?? false,
  ...(body.thread_id === undefined ? {} : { threadId: body.thread_id }),
  ...("model" in body && body.model !== undefined ? { model: body.model } : {}),
  ...("user_address" in body && body.user_address !== undefined ? { user: address(body.user_address) } : {}),
  ...("nsd_payment" in body && body.nsd_payment !== undefined
    ? { payment: parseAmount(body.nsd_payment, "nsd_payment") }
    : {}),
});

const receiptOut = ({ count, total, root }: SessionState["next"]) => ({ count, total: total.toString(), root });

export function presentSession(state: SessionState) {
  const { session, spent, reserved, settled } = state;
  const remaining = session.cap - spent - reserved;
  return {
    session_id: state.id,
    status: state.stage,
    user_address: session.user,
    validator: session.validator,
    key: session.key,
    model: session.model,
    api_key_held: state.held,
    ...amount("cap", session.cap),
    ...amount("spent", spent),
    ...amount("reserved", reserved),
    ...amount("remaining", state.stage === "closed" || remaining < 0n ? 0n : remaining),
    ...amount("settled", settled),
    prompts: state.prompts,
    settled_prompts: state.settledPrompts,
    next_receipt: receiptOut(state.next),
    created_at: state.createdAt.toISOString(),
    expires_at: new Date(Number(session.expiry) * 1000).toISOString(),
    ends_at: state.endsAt.toISOString(),
    settle_tx: state.settleTx ?? null,
    close_tx: state.closeTx ?? null,
    ...(state.error === undefined ? {} : { settlement_error: state.error }),
  };
}

export const presentBill = (bill: Bill, requestId: Hex) => ({
  request_id: requestId,
  digest: bill.digest,
  tokens_used: bill.tokensUsed,
  ...amount("price", bill.price),
  receipt: receiptOut(bill.receipt),
  typed_data: forWallet(bill.data),
});

/** Who may ask in a session, and for how much: every check between a prompt and the journal. */
import { formatEther, type Hex } from "viem";
import { charge, maxBillable, minimumPayment, tokensFor } from "../../chain/fees.ts";
import { promptHash } from "../../chain/intents.ts";
import { isSignedByOneOf, type SessionPrompt } from "../../chain/sessions.ts";
import type { Offer } from "../../chain/words.ts";
import type { RequestRow } from "../../database/requests.ts";
import * as requests from "../../database/requests.ts";
import type { SessionRow } from "../../database/sessions.ts";
import { checkLength, checkRate } from "../admission.ts";
import { type Context, chainNow } from "../context.ts";
import { ApiError } from "../errors.ts";
import { newRow } from "../events-to-rows.ts";
import { requireRoom } from "../room.ts";
import { requirePost } from "../rotation.ts";
import type { PromptProof, SessionAsk } from "../types.ts";
import { isUnpaid } from "./book.ts";
import { NO_PROMPT_BEFORE_END } from "./decide.ts";
import { paidBy } from "./receipts.ts";

/** Seconds in which an answer has to be drawn. */
const ANSWER_WITHIN = 600;
/** A root over more records than this takes too long to compute at every prompt. */
const MOST_PROMPTS = 4_096;
/** An intent's nonce is what no prompt of a session has. */
const NO_NONCE = -1;

export const promptOf = (number: number, ask: SessionAsk): SessionPrompt => ({
  number,
  promptHash: promptHash(ask.prompt, ask.salt),
  maxTokens: ask.maxTokens,
  temperature: Math.round(ask.temperature * 100),
  priority: ask.priority,
});

/** Whether the session's key, or its user, asks for just this. */
export async function checkProof(session: SessionRow, digest: Hex, { signature }: PromptProof): Promise<void> {
  if (await isSignedByOneOf([session.key, session.user], digest, signature)) return;
  throw new ApiError(
    401,
    "invalid_signature",
    "The prompt is signed by neither the session's key nor its user. Sign `Prompt` with the session's key.",
    { field: "signature" },
  );
}

/** Writes a prompt down, if the session can pay for it. The caller holds the session. */
export async function admitPrompt(
  context: Context,
  session: SessionRow,
  ask: SessionAsk,
  proof: { readonly key: Hex; readonly number?: number; readonly held: boolean },
): Promise<RequestRow> {
  const { catalogue, database, operator, settings, validator } = context;
  requireOpen(context, session);
  await requireRoom(context);
  checkAsk(session, ask);
  const offer = await catalogue.offer(session.model);
  const payment = paymentFor(offer, ask);
  const open = await requests.openOfSession(database, session.id);
  if (!proof.held) checkTurn(session, open, proof.number ?? 0);
  if (session.prompts + open.length >= MOST_PROMPTS) throw full();
  checkCap(session, offer, ask, payment, reservedBy(open));
  await checkRate(context, "session", session.user);
  await checkLength(context, "session", ask.prompt, maxBillable(offer, payment, ask.priority, ask.maxTokens));
  const row = newRow({
    key: proof.key,
    requestId: proof.key,
    operator,
    lane: "session",
    user: session.user,
    model: session.model,
    prompt: ask.prompt,
    salt: ask.salt,
    promptHash: promptHash(ask.prompt, ask.salt),
    maxTokens: ask.maxTokens,
    temperature: Math.round(ask.temperature * 100),
    payment,
    priority: ask.priority,
    isPrivate: false,
    nonce: NO_NONCE,
    deadline: BigInt(chainNow(context) + ANSWER_WITHIN),
    threadId: ask.threadId ?? null,
    createdAt: Date.now(),
    status: "processing",
    validatorId: validator.id,
    sessionId: session.id,
    // The keeper's own key signs for what the keeper tells; another's has to have paid for it before.
    prepaid: proof.held || paidBy(session, settings.sessionSettleFrom) >= session.spent + payment,
  });
  await requests.insertRequest(database, row);
  return row;
}

export const reservedBy = (open: readonly RequestRow[]): bigint =>
  open.reduce((sum, row) => sum + (row.price ?? row.payment), 0n);

export function requireOpen(context: Context, session: SessionRow): void {
  const { operator, signal, validator } = context;
  if (signal.aborted)
    throw new ApiError(503, "stopping", "This keeper is shutting down. Try again in a moment.", {}, 10);
  requirePost(context);
  if (session.stage === "opening")
    throw new ApiError(409, "session_opening", "The session's opening is not mined yet. Try again in a moment.", {}, 5);
  const endsAt = new Date(session.endsAt * 1000).toISOString();
  if (session.stage !== "open")
    throw new ApiError(409, "session_closed", "The session is closed, or closing. Open another one.", {
      session_id: session.id,
    });
  if (chainNow(context) > session.endsAt - NO_PROMPT_BEFORE_END) {
    throw new ApiError(
      409,
      "session_ended",
      `The session ends at ${endsAt}, and takes no prompts in its last ${NO_PROMPT_BEFORE_END / 60} minutes. Open another one.`,
      { session_id: session.id, ends_at: endsAt },
    );
  }
  if (validator.id === 0)
    throw new ApiError(503, "not_serving", `The operator key ${operator} is of no registered validator any more.`);
  if (session.error !== null)
    throw new ApiError(
      503,
      "settlement_blocked",
      "The contract does not take this session's settlement at the moment, so nothing more is answered. Try again later.",
      { onchain_error: session.error },
      60,
    );
}

function checkAsk(session: SessionRow, ask: SessionAsk): void {
  const wrong = (field: string, message: string, details: Record<string, unknown> = {}): ApiError =>
    new ApiError(400, "field_mismatch", message, { field, ...details });
  if (ask.user !== undefined && ask.user.toLowerCase() !== session.user.toLowerCase())
    throw wrong("user_address", "The session is another user's. Leave user_address out, or send its own.", {
      expected: session.user,
    });
  if (ask.model !== undefined && ask.model !== session.model)
    throw wrong("model", `The session is for ${session.model}.`, { expected: session.model });
  if (ask.prompt.trim() === "" || !ask.prompt.isWellFormed())
    throw new ApiError(400, "invalid_text", "The prompt must be a text, and not empty.", { field: "message" });
}

function paymentFor(offer: Offer, ask: SessionAsk): bigint {
  if (ask.maxTokens > offer.tokenLimit)
    throw new ApiError(400, "tokens_out_of_range", `max_tokens is at most ${offer.tokenLimit} for this model.`, {
      field: "max_tokens",
      expected: `a whole number from 1 to ${offer.tokenLimit}`,
    });
  const most = charge(offer, BigInt(ask.maxTokens), ask.priority);
  if (ask.payment === undefined || ask.payment >= most) return most;
  const minimum = minimumPayment(offer, ask.priority);
  if (ask.payment >= minimum) return ask.payment;
  throw new ApiError(400, "payment_too_low", `The least that a prompt costs is ${formatEther(minimum)} NSD.`, {
    field: "nsd_payment",
    required_wei: minimum.toString(),
  });
}

function checkTurn(session: SessionRow, open: readonly RequestRow[], number: number): void {
  const [other] = open;
  if (other !== undefined && isUnpaid(other)) {
    throw new ApiError(
      409,
      "answer_unpaid",
      "The answer before this one is not paid. Send its prompt again with the receipt that its 402 asked for.",
      { request_id: other.key },
    );
  }
  if (other !== undefined)
    throw new ApiError(
      409,
      "session_busy",
      "A session answers one prompt at a time. Wait for the one before.",
      { request_id: other.key },
      5,
    );
  if (number !== session.prompts + 1)
    throw new ApiError(409, "wrong_number", `The session's next prompt is number ${session.prompts + 1}.`, {
      field: "number",
      expected: String(session.prompts + 1),
    });
}

function checkCap(session: SessionRow, offer: Offer, ask: SessionAsk, payment: bigint, reserved: bigint): void {
  const remaining = session.cap - session.spent - reserved;
  if (payment <= remaining) return;
  const { priority } = ask;
  const affordable = remaining >= minimumPayment(offer, priority) ? tokensFor(offer, remaining, priority) : 0n;
  const advice =
    affordable > 0n ? `Ask for at most ${affordable} tokens, or open another session.` : "Open another session.";
  throw new ApiError(
    402,
    "cap_exhausted",
    `The prompt may cost ${formatEther(payment)} NSD, and the session has ${formatEther(remaining)} of its ${formatEther(session.cap)} left. ${advice}`,
    {
      required_wei: payment.toString(),
      remaining_wei: remaining.toString(),
      cap_wei: session.cap.toString(),
      spent_wei: session.spent.toString(),
      reserved_wei: reserved.toString(),
      affordable_tokens: Number(affordable),
    },
  );
}

const full = (): ApiError =>
  new ApiError(409, "session_full", `A session takes at most ${MOST_PROMPTS} prompts. Open another one.`);

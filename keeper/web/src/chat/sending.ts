/** What goes to the keeper for a question, by the lane that it takes. */
import { post, Refusal, read, Unreachable } from "../api/client.ts";
import type { Hex, IntentMessage, RequestBody, TypedData } from "../api/wire.ts";
import { plain } from "../format/amount.ts";
import type { Asker } from "./ask.ts";
import type { Terms } from "./model.ts";
import { ForeignRequest, UnknownRequest } from "./problems.ts";
import { pause, readStream, type TurnWriter } from "./stream.ts";

export interface Question {
  readonly prompt: string;
  readonly terms: Terms;
  readonly threadId: string;
}

export interface Signed {
  readonly intent: IntentMessage;
  readonly signature: Hex;
  readonly salt: Hex;
}

const pathOf = ({ lane }: Terms): string => (lane === "assigned" ? "/api/llm/generate" : "/api/chat");

const textOf = ({ prompt, terms }: Question) => (terms.lane === "assigned" ? { prompt } : { message: prompt });

/** Asks what is to be signed for a question. */
export async function prepare(
  question: Question,
  { account, network }: Asker,
  signal: AbortSignal,
): Promise<{ typed_data: TypedData; salt: Hex }> {
  const { terms, threadId } = question;
  const fields = {
    ...textOf(question),
    user_address: account.address,
    thread_id: threadId,
    model: terms.model ?? network.model,
    max_tokens: terms.maxTokens,
    temperature: terms.temperature,
    nsd_payment: plain(BigInt(terms.paymentWei)),
    priority: terms.priority,
    prepare: true,
  };
  try {
    await post(pathOf(terms), fields, signal, "application/json");
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "signature_required") throw error;
    const { typed_data, salt } = error.details;
    if (typed_data?.primaryType === "Request" && salt) return { typed_data, salt };
  }
  throw new Error("The keeper did not say what to sign.");
}

function send(question: Question, signed: Signed, signal: AbortSignal, accept: string): Promise<Response> {
  const body = { ...textOf(question), thread_id: question.threadId, ...signed };
  return post(pathOf(question.terms), body, signal, accept);
}

/** A broken stream says nothing about the request, which goes on where the keeper has taken it. */
export async function sendDirect(
  question: Question,
  signed: Signed,
  id: Hex,
  writer: TurnWriter,
  signal: AbortSignal,
): Promise<void> {
  const response = await delivered(() => send(question, signed, signal, "text/event-stream"), id, signal);
  if (typeof response === "string" || !response.body) return;
  await readStream(response.body, writer).catch(() => signal.throwIfAborted());
}

/** The id that the contract gave it, as far as it is known; it has to be that of what was signed. */
export async function sendAssigned(
  question: Question,
  signed: Signed,
  digest: Hex,
  isOurs: (id: Hex) => boolean,
  signal: AbortSignal,
): Promise<Hex> {
  const opened = async (): Promise<Hex> => {
    const response = await send(question, signed, signal, "application/json");
    return ((await response.json()) as { request_id: Hex }).request_id;
  };
  const id = await delivered(opened, digest, signal);
  if (id !== digest && !isOurs(id)) throw new ForeignRequest();
  return id;
}

const SEND_AGAIN_MS = [500, 2_000] as const;

/**
 * Brings what was signed to the keeper. Where its answer is lost it may have been taken, and may yet be: the keeper is
 * asked, and gets the same once more, which is the same request to it. The id alone where it is taken.
 */
async function delivered<T>(deliver: () => Promise<T>, digest: Hex, signal: AbortSignal): Promise<T | Hex> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await deliver();
    } catch (error) {
      if (signal.aborted || (attempt === 0 && error instanceof Refusal && error.status < 500)) throw error;
      const id = await takenAs(digest, signal);
      if (id) return id;
      const wait = SEND_AGAIN_MS[attempt];
      if (error instanceof Refusal && (wait === undefined || saysWhy(error))) throw error;
      if (wait === undefined) throw new UnknownRequest();
      await pause(wait, signal);
      signal.throwIfAborted();
    }
  }
}

/** What something between here and the keeper says, or a keeper that gave up waiting, tells nothing of the request. */
const saysWhy = ({ code }: Refusal): boolean => !["unknown", "internal_error", "timed_out"].includes(code);

const ASK_AGAIN_MS = 1_000;

/** The id of a request that the keeper has, as soon as it can be asked; undefined where it has none. */
async function takenAs(digest: Hex, signal: AbortSignal): Promise<Hex | undefined> {
  for (;;) {
    try {
      return (await read<RequestBody>(`/api/llm/status/${digest}`, signal)).request_id;
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) return undefined;
      if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
    }
    await pause(ASK_AGAIN_MS, signal);
  }
}

/** By which id the keeper knows a request, which it finds by the digest of its intent as well. */
export async function idOf(known: Hex, signal: AbortSignal): Promise<Hex> {
  try {
    return (await read<RequestBody>(`/api/llm/status/${known}`, signal)).request_id;
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) throw new UnknownRequest();
    if (error instanceof Refusal || error instanceof Unreachable) return known;
    throw error;
  }
}

/** What goes to the keeper for a question, by the lane that it takes. */
import { post, Refusal, read, Unreachable } from "../api/client.ts";
import type { Hex, IntentMessage, RequestBody, TypedData } from "../api/wire.ts";
import { plain } from "../format/amount.ts";
import type { Asker } from "./ask.ts";
import type { Terms } from "./model.ts";
import { ForeignRequest, UnknownRequest } from "./problems.ts";
import { readStream, type TurnWriter } from "./stream.ts";

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

/** A broken stream says nothing about the request: it goes on where the keeper has taken it, and else never began. */
export async function sendDirect(
  question: Question,
  signed: Signed,
  id: Hex,
  writer: TurnWriter,
  signal: AbortSignal,
): Promise<void> {
  try {
    const response = await send(question, signed, signal, "text/event-stream");
    if (response.body) await readStream(response.body, writer);
  } catch (error) {
    if (error instanceof Refusal || signal.aborted) throw error;
  }
  if (!writer.ended && !signal.aborted && writer.next === 0) await idOf(id, signal);
}

/** The id that the contract gave it, as far as it is known; it has to be that of what was signed. */
export async function sendAssigned(
  question: Question,
  signed: Signed,
  digest: Hex,
  isOurs: (id: Hex) => boolean,
  signal: AbortSignal,
): Promise<Hex> {
  let id: Hex;
  try {
    const response = await send(question, signed, signal, "application/json");
    id = ((await response.json()) as { request_id: Hex }).request_id;
  } catch (error) {
    const refused = error instanceof Refusal ? error : undefined;
    if (signal.aborted || (refused && refused.status < 500)) throw error;
    // It may have been taken before this went wrong, and only the keeper can tell.
    id = await idOf(digest, signal).catch((unknown: unknown) => {
      throw refused ?? unknown;
    });
  }
  if (id !== digest && !isOurs(id)) throw new ForeignRequest();
  return id;
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

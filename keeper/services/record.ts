/** What was drawn, as it goes into the store. */
import type { RequestRow } from "../database/requests.ts";
import type { Answer, Message } from "../inference/engine.ts";
import { TOP_K } from "../inference/sampling.ts";
import { type EncodedRecord, encodeRecord, RECORD_SCHEMA } from "../storage/record.ts";
import type { Context } from "./context.ts";

export function recordOf(
  { chain, deployment, engine, operator }: Context,
  row: RequestRow,
  answer: Answer,
  messages: readonly Message[],
): EncodedRecord {
  const { info } = engine;
  return encodeRecord({
    answer: answer.text,
    chain_id: chain.id,
    created_at: Date.now(),
    finish_reason: answer.finishReason,
    lane: row.lane,
    messages: messages.map(({ role, content }) => ({ role, content })),
    model: row.model,
    model_adapters: info.adapters.map(({ scale, sha256 }) => ({ scale, sha256 })),
    model_sha256: info.sha256,
    operator,
    request_id: row.requestId ?? row.key,
    router: deployment.addresses.router,
    salt: row.salt,
    sampling: {
      context_size: info.contextSize,
      output_ids: [...answer.outputIds],
      prompt_ids: [...answer.promptIds],
      scheme: "gumbel-1",
      temperature: row.temperature,
      top_k: TOP_K,
    },
    schema: RECORD_SCHEMA,
    ...(row.threadId === null ? {} : { thread_id: row.threadId }),
    tokens_used: answer.tokensUsed,
    user: row.user,
  });
}

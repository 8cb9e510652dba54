import type { InteractionRecord } from "../../../keeper/storage/record.ts";

export function exampleRecord(overrides: Partial<InteractionRecord> = {}): InteractionRecord {
  return {
    answer: "70 % goes to the validator, 20 % is burned, 10 % goes to the treasury.",
    chain_id: 31337,
    created_at: 1_790_000_000_000,
    finish_reason: "stop",
    lane: "direct",
    messages: [{ role: "user", content: "How is a fee split?" }],
    model: "demo-3m",
    model_adapters: [{ scale: 0.5, sha256: "cd".repeat(32) }],
    model_sha256: "ab".repeat(32),
    operator: `0x${"11".repeat(20)}`,
    request_id: `0x${"22".repeat(32)}`,
    router: `0x${"33".repeat(20)}`,
    salt: `0x${"00".repeat(32)}`,
    sampling: {
      context_size: 512,
      output_ids: [5, 6, 2],
      prompt_ids: [1, 4],
      scheme: "gumbel-1",
      temperature: 70,
      top_k: 40,
    },
    schema: "neuroswarm.record/1",
    tokens_used: 2,
    user: `0x${"44".repeat(20)}`,
    ...overrides,
  };
}

import { useState } from "react";
import { useModels, useQuote } from "../api/queries.ts";
import type { ModelBody, NetworkBody } from "../api/wire.ts";
import { parseAmount } from "../format/amount.ts";
import type { Terms } from "./model.ts";

const MOST_TOKENS = 2048;

/** The settings as they are typed; what they come to is worked out beside them. */
export interface TermsInput {
  readonly model: string | undefined;
  readonly maxTokens: string;
  readonly ceiling: string;
  readonly temperature: string;
  readonly priority: boolean;
}

export interface TermsState {
  readonly input: TermsInput;
  readonly change: (part: Partial<TermsInput>) => void;
  readonly models: readonly ModelBody[];
  readonly mostTokens: number;
  /** What will be asked; undefined while a setting is out of range or the price is not known. */
  readonly value: Terms | undefined;
  readonly problem: string | undefined;
  readonly minimum: bigint | undefined;
  /** Output tokens that the ceiling buys. */
  readonly buys: number | undefined;
}

const INITIAL: TermsInput = { model: undefined, maxTokens: "500", ceiling: "50", temperature: "0.7", priority: false };

export function useTerms(network: NetworkBody | undefined): TermsState {
  const [input, setInput] = useState(INITIAL);
  const models = (useModels().data ?? []).filter((model) => model.active && model.local);
  const name = input.model ?? network?.model;
  const mostTokens = Math.min(MOST_TOKENS, models.find((model) => model.name === name)?.max_tokens ?? MOST_TOKENS);
  const maxTokens = Math.min(mostTokens, Math.max(1, Math.floor(Number(input.maxTokens)) || 1));
  const ceiling = parseAmount(input.ceiling);
  const temperature = Number(input.temperature.replace(",", "."));
  const quote = useQuote({ model: name, maxTokens, priority: input.priority, payment: ceiling ?? 0n }).data;
  const minimum = quote ? BigInt(quote.minimum_wei) : undefined;

  let problem: string | undefined;
  if (!(Number(input.maxTokens) >= 1 && Number(input.maxTokens) <= mostTokens)) problem = `Tokens: 1 to ${mostTokens}`;
  else if (ceiling === undefined) problem = "Ceiling: an amount of NSD such as 50";
  else if (minimum !== undefined && ceiling < minimum) problem = `Ceiling: at least ${Number(minimum) / 1e18} NSD`;
  else if (!(temperature >= 0 && temperature <= 2)) problem = "Temperature: 0 to 2";

  const cost = quote ? BigInt(quote.cost_wei) : undefined;
  const usable = !problem && name && cost !== undefined && ceiling !== undefined;
  return {
    input,
    change: (part) => setInput((current) => ({ ...current, ...part })),
    models,
    mostTokens,
    minimum,
    buys: quote?.tokens,
    problem,
    value: usable
      ? {
          model: name,
          maxTokens,
          temperature: Math.round(temperature * 100) / 100,
          // More than all the tokens cost would only be held and come back.
          paymentWei: (ceiling < cost ? ceiling : cost).toString(),
          priority: input.priority,
        }
      : undefined,
  };
}

import { useState } from "react";
import { useModels, useQuote } from "../api/queries.ts";
import type { Lane, ModelBody, NetworkBody } from "../api/wire.ts";
import { amount, parseAmount, plain } from "../format/amount.ts";
import { DEFAULT_TERMS, type Terms } from "./model.ts";

const MOST_TOKENS = 2048;

/** The settings as they are typed; what they come to is worked out beside them. */
export interface TermsInput {
  readonly lane: Lane;
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
  /** The one that is asked. */
  readonly model: string | undefined;
  readonly mostTokens: number;
  /** What will be asked; undefined while a setting is out of range or the price is not known. */
  readonly value: Terms | undefined;
  readonly problem: string | undefined;
  readonly minimum: bigint | undefined;
  /** Output tokens that the ceiling buys. */
  readonly buys: number | undefined;
  /** What an answer of that length costs at most, and what it would cost with the other word on priority. */
  readonly cost: bigint | undefined;
  readonly otherCost: bigint | undefined;
}

const INITIAL: TermsInput = {
  lane: "direct",
  model: undefined,
  maxTokens: String(DEFAULT_TERMS.maxTokens),
  ceiling: plain(BigInt(DEFAULT_TERMS.paymentWei)),
  temperature: String(DEFAULT_TERMS.temperature),
  priority: false,
};

export function useTerms(network: NetworkBody | undefined): TermsState {
  const [input, setInput] = useState(INITIAL);
  const direct = input.lane === "direct";
  const models = (useModels().data ?? []).filter((model) => model.active && (direct ? model.local : model.servers > 0));
  const name = models.find((model) => model.name === input.model)?.name ?? network?.model;
  const mostTokens = Math.min(MOST_TOKENS, models.find((model) => model.name === name)?.max_tokens ?? MOST_TOKENS);
  const maxTokens = Math.min(mostTokens, Math.max(1, Math.floor(Number(input.maxTokens)) || 1));
  const ceiling = parseAmount(input.ceiling);
  const temperature = Number(input.temperature.replace(",", "."));
  const asked = { model: name, maxTokens, payment: ceiling ?? 0n };
  const { data: quote, isError: unpriced } = useQuote({ ...asked, priority: input.priority });
  const other = useQuote({ ...asked, priority: !input.priority }).data;
  const minimum = quote ? BigInt(quote.minimum_wei) : undefined;

  let problem: string | undefined;
  if (!(Number(input.maxTokens) >= 1 && Number(input.maxTokens) <= mostTokens)) problem = `Tokens: 1 to ${mostTokens}`;
  else if (ceiling === undefined) problem = "Ceiling: an amount of NSD such as 50";
  else if (minimum !== undefined && ceiling < minimum) problem = `Ceiling: at least ${amount(minimum)} NSD`;
  else if (!(temperature >= 0 && temperature <= 2)) problem = "Temperature: 0 to 2";
  else if (!quote && unpriced) problem = "The price is not known yet";

  const cost = quote ? BigInt(quote.cost_wei) : undefined;
  // More than all the tokens cost would only be held and come back.
  const payment = cost !== undefined && ceiling !== undefined && ceiling > cost ? cost : ceiling;
  const commitFrom = direct || !quote ? undefined : BigInt(quote.commit_from_wei);
  if (!problem && commitFrom !== undefined && payment !== undefined && payment >= commitFrom)
    problem = `Ceiling: below ${amount(commitFrom)} NSD where any validator may answer`;
  const usable = !problem && name && cost !== undefined && payment !== undefined;
  return {
    input,
    change: (part) => setInput((current) => ({ ...current, ...part })),
    models,
    model: name,
    mostTokens,
    minimum,
    buys: quote?.tokens,
    cost,
    otherCost: other ? BigInt(other.cost_wei) : undefined,
    problem,
    value: usable
      ? {
          lane: input.lane,
          model: name,
          maxTokens,
          temperature: Math.round(temperature * 100) / 100,
          paymentWei: payment.toString(),
          priority: input.priority,
        }
      : undefined,
  };
}

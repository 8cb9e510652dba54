import {
  type ChatHistoryItem,
  ChatMLChatWrapper,
  type ChatWrapper,
  JinjaTemplateChatWrapper,
  type LlamaModel,
  type Token,
} from "node-llama-cpp";
import type { Message } from "./engine.ts";
import { InvalidJobError } from "./errors.ts";

export interface PromptTemplate {
  tokens(messages: readonly Message[]): Token[];
  /** Whether a token ends the answer. */
  ends(token: Token): boolean;
}

/**
 * The model's own chat template, prepared once. Detecting one per request costs about a tenth of a second, and a record
 * can only be judged when the same messages always give the same prompt.
 */
export function promptTemplate(model: LlamaModel, reasoning: boolean): PromptTemplate {
  const template = model.fileInfo.metadata.tokenizer?.chat_template;
  const wrapper: ChatWrapper =
    typeof template === "string" && template.trim() !== ""
      ? new JinjaTemplateChatWrapper({ template, tokenizer: model.tokenizer, reasoning })
      : new ChatMLChatWrapper();
  const turnEnds = turnEndTokens(wrapper, model);
  return {
    tokens: (messages) =>
      wrapper.generateContextState({ chatHistory: history(messages) }).contextText.tokenize(model.tokenizer),
    ends: (token) => model.isEogToken(token) || turnEnds.has(token),
  };
}

function history(messages: readonly Message[]): ChatHistoryItem[] {
  if (messages.length === 0) throw new InvalidJobError("A job needs at least one message");
  const items = messages.map(({ role, content }): ChatHistoryItem => {
    switch (role) {
      case "system":
        return { type: "system", text: content };
      case "user":
        return { type: "user", text: content };
      case "assistant":
        return { type: "model", response: [content] };
      default:
        throw new InvalidJobError(`Unknown role ${JSON.stringify(role)}: expected system, user or assistant`);
    }
  });
  return [...items, { type: "model", response: [] }];
}

/** Some files leave the token that ends a turn unmarked; the template's own stop texts name it. */
function turnEndTokens(wrapper: ChatWrapper, model: LlamaModel): ReadonlySet<Token> {
  const { stopGenerationTriggers } = wrapper.generateContextState({
    chatHistory: history([{ role: "user", content: "?" }]),
  });
  const tokens = stopGenerationTriggers.map((trigger) => trigger.trim().tokenize(model.tokenizer));
  return new Set(
    tokens.flatMap((ids) => (ids.length === 1 && ids[0] !== undefined && model.isSpecialToken(ids[0]) ? ids : [])),
  );
}

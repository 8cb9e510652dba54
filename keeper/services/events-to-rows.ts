/** How events read as rows of the journal. Pure. */
import { type Address, concat, type Hex, hexToString, keccak256 } from "viem";
import type { ChainEvent, SKIP_REASONS } from "../chain/events.ts";
import { NO_SALT } from "../chain/intents.ts";
import { unpackTerms } from "../chain/words.ts";
import type { RequestPatch, RequestRow, Try } from "../database/requests.ts";

export type Event<Type extends ChainEvent["type"]> = Extract<ChainEvent, { type: Type }>;

const REWARD_PER_CHAT = 10n ** 18n;

export const SKIPPED: Readonly<Partial<Record<(typeof SKIP_REASONS)[number], string>>> = {
  expired: "It could not be delivered before its deadline; nothing was charged.",
  no_credits: "The credits did not cover it when it was delivered; nothing was charged. Deposit NSD and ask again.",
  bad_signature: "The contract did not take the signature; nothing was charged.",
  underpaid:
    "The price rose above the payment before it was delivered; nothing was charged. Ask again with a new quote.",
  unknown_model: "The model was closed before it was delivered; nothing was charged.",
};

/** What an answer writes: nothing of it holds once the request is somebody else's. */
export const UNANSWERED = {
  response: "",
  tokensUsed: null,
  finishReason: null,
  digest: null,
  cid: null,
} as const satisfies RequestPatch;

/** What an ending writes: of a new row nothing yet, and of one whose ending a reorganisation took back nothing more. */
export const REOPENED = {
  settleTx: null,
  settleBlock: null,
  settledAt: null,
  record: null,
  consumed: null,
  validatorLeg: null,
  treasuryLeg: null,
  burnLeg: null,
  returned: null,
  penalty: null,
  lcai: null,
  rewardSkipped: null,
  errorCode: null,
  errorMessage: null,
} as const satisfies RequestPatch;

const EMPTY: Omit<
  RequestRow,
  | "key"
  | "operator"
  | "user"
  | "model"
  | "promptHash"
  | "maxTokens"
  | "temperature"
  | "payment"
  | "priority"
  | "isPrivate"
  | "nonce"
  | "createdAt"
  | "lane"
> = {
  requestId: null,
  origin: "door",
  stage: "accepted",
  status: "queued",
  prompt: null,
  salt: NO_SALT,
  deadline: 0n,
  threadId: null,
  signature: null,
  ticket: null,
  validatorId: null,
  assignedAt: null,
  tries: [],
  movedBlock: null,
  cancellingUntil: null,
  ...UNANSWERED,
  transactionId: null,
  submitTx: null,
  submitBlock: null,
  ...REOPENED,
  attempts: 0,
  sessionId: null,
  sessionNumber: null,
  prepaid: false,
  price: null,
  withheld: null,
};

type Given = Partial<RequestRow> & Omit<RequestRow, keyof typeof EMPTY>;

export const newRow = (given: Given): RequestRow => ({ ...EMPTY, ...given });

/** A request that came from the chain alone: for this keeper's validator, or for whoever is free. */
export function adoptedRow(
  event: Event<"submitted">,
  published: Event<"prompt"> | undefined,
  model: string,
  operator: Address,
  at: number,
): RequestRow {
  const { ticket, place } = event;
  const terms = unpackTerms(ticket.terms);
  const assigned = event.validator !== 0;
  return newRow({
    key: event.id,
    requestId: event.id,
    operator,
    lane: "assigned",
    origin: "chain",
    stage: "submitted",
    status: assigned ? "processing" : "queued",
    user: event.user,
    model,
    prompt: published === undefined ? null : publicPrompt(published.prompt, ticket.promptHash),
    promptHash: ticket.promptHash,
    maxTokens: terms.maxTokens,
    temperature: terms.temperature,
    payment: event.payment,
    priority: terms.priority,
    isPrivate: terms.isPrivate,
    nonce: terms.nonce,
    ticket,
    createdAt: at * 1000,
    ...(assigned ? handedTo([], event, at) : {}),
    submitTx: place.transaction,
    submitBlock: place.block,
  });
}

/** A validator got it. */
export function handedTo(
  tries: readonly Try[],
  { validator, place }: Pick<Event<"assigned">, "validator" | "place">,
  at: number,
) {
  const attempt: Try = { validator, at, block: place.block.toString() };
  return {
    validatorId: validator,
    assignedAt: at,
    tries: [...tries, attempt],
    movedBlock: place.block,
    status: "processing",
    attempts: 0,
  } as const;
}

/** Why a validator did not answer it; what was said first holds. */
export const withFailure = (
  tries: readonly Try[],
  { validator, place }: Pick<Event<"declined">, "validator" | "place">,
  failure: NonNullable<Try["failure"]>,
): Try[] =>
  tries.map((attempt) =>
    attempt.validator === validator && attempt.failure === undefined
      ? { ...attempt, failure, failedBlock: place.block.toString() }
      : attempt,
  );

/** The hands that it went through before `block`, which the chain dropped, and whose it is by that. */
export function rewound(row: RequestRow, block: bigint): RequestPatch {
  const tries = row.tries
    .filter((attempt) => BigInt(attempt.block) < block)
    .map(
      ({ failure, failedBlock, ...attempt }): Try =>
        failure === undefined || failedBlock === undefined || BigInt(failedBlock) >= block
          ? attempt
          : { ...attempt, failure, failedBlock },
    );
  const last = tries.at(-1);
  const holder = last === undefined || last.failure !== undefined ? undefined : last;
  return {
    tries,
    movedBlock: last === undefined ? null : BigInt(last.failedBlock ?? last.block),
    validatorId: holder?.validator ?? null,
    assignedAt: holder?.at ?? null,
    cancellingUntil: null,
  };
}

/** The text of published bytes, where they are what the request commits to and read as UTF-8. */
function publicPrompt(bytes: Hex, hash: Hex): string | null {
  const matches = keccak256(concat([NO_SALT, bytes])) === hash;
  const text = hexToString(bytes);
  return matches && !text.includes("\ufffd") ? text : null;
}

/**
 * LCAI of a settled chat. The direct lane mints in the same transaction, or skips and says so; the assigned lane
 * accrues. A chat earns from the minimum price on, which every charge reaches.
 */
export function rewardOf(
  row: RequestRow,
  event: Event<"settled">,
  all: readonly ChainEvent[],
): Pick<RequestRow, "lcai" | "rewardSkipped"> {
  if (row.lane === "assigned") return { lcai: REWARD_PER_CHAT, rewardSkipped: null };
  const same = all.filter((other) => other.place.transaction === event.place.transaction);
  const minted = same.some((other) => other.type === "minted" && other.token === "LCAI" && other.user === event.user);
  if (minted) return { lcai: REWARD_PER_CHAT, rewardSkipped: null };
  const starved = same.some((other) => other.type === "rewards-skipped");
  return { lcai: 0n, rewardSkipped: starved ? "mint_failed" : "cap_reached" };
}

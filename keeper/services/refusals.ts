/** What a client hears when it is turned away. */
import { type Address, formatEther } from "viem";
import { NO_SALT } from "../chain/intents.ts";
import type { FactoryCall } from "../chain/signatures.ts";
import type { RequestRow } from "../database/requests.ts";
import { ApiError } from "./errors.ts";
import type { AskFields } from "./types.ts";

export const RATE_LIMIT = 10;

export function insufficient(required: bigint, available: bigint, what: string): ApiError {
  const missing = required - available;
  const message = `The request may cost ${formatEther(required)} NSD and your ${what} cover ${formatEther(available)}. Deposit ${formatEther(missing)} NSD.`;
  return new ApiError(402, "insufficient_credits", message, {
    required_wei: required.toString(),
    available_wei: available.toString(),
    deposit_wei: missing.toString(),
  });
}

export const onChainRateLimit = (wait: number): ApiError =>
  new ApiError(
    429,
    "rate_limited",
    `At most ${RATE_LIMIT} requests in any 60 seconds. Try again in ${wait} s.`,
    { onchain_error: "RouterRateLimited" },
    wait,
  );

/** Who pays so much could otherwise try until a validator of its liking is chosen. */
export const commitRequired = (payment: bigint, from: bigint, field = "payment"): ApiError =>
  new ApiError(
    400,
    "commit_required",
    `A payment of ${formatEther(payment)} NSD goes through commit and reveal on chain, as every one from ${formatEther(from)} NSD on does (InferenceRouter.commit, then reveal), which this keeper does not do for you. Offer less, or ask directly.`,
    { field, commit_from_wei: from.toString(), onchain_error: "RouterCommitRequired" },
  );

/** A refusal of the contracts, as the client hears it. */
export function refused(errorName: string, message: string, args: readonly unknown[] = []): ApiError {
  const details = { onchain_error: errorName };
  const [payment, from] = message.match(/\d+/g) ?? [];
  if (errorName === "RouterCommitRequired" && payment !== undefined && from !== undefined)
    return commitRequired(BigInt(payment), BigInt(from));
  if (errorName === "RouterRateLimited") return onChainRateLimit(Number(args[1] ?? 60));
  if (errorName.startsWith("ERC20Insufficient") || errorName.endsWith("InsufficientCredits")) {
    return new ApiError(
      402,
      "insufficient_credits",
      "Credits and allowance do not cover the payment. Deposit NSD and ask again.",
      details,
    );
  }
  if (errorName.endsWith("Paused"))
    return new ApiError(503, "paused", "The contracts take no requests at the moment. Try again later.", details, 60);
  return new ApiError(400, "refused_on_chain", `The contract refuses the request: ${message}`, details);
}

/**
 * A wallet that is not there yet. Nothing that a request pays reaches the keeper for a factory's call, whose cost and target its
 * sender chooses; and whatever the operator's key calls, it calls as the validator.
 */
export const walletNotDeployed = (user: Address, { to, data }: FactoryCall): ApiError =>
  new ApiError(
    409,
    "wallet_not_deployed",
    `The wallet ${user} is not deployed, and the contract asks it whether the signature is right. Send transaction, which is the call in your signature, and then the same request again.`,
    { field: "signature", transaction: { to, data } },
  );

/** A delivery carries 64 bytes of signature for each intent, which the router judges as a key's. */
export const noKeysSignature = (user: Address): ApiError =>
  new ApiError(
    400,
    "smart_wallet_direct",
    `${user} is a contract's account, and direct answers are charged by a key's signature alone. Ask by POST /api/llm/generate, or open a session (POST /api/sessions).`,
    { field: "signature", accepted: ["/api/llm/generate", "/api/sessions"] },
  );

/** One signature stands for one prompt. */
export function checkSamePrompt(row: RequestRow, ask: AskFields): void {
  if (row.prompt === ask.prompt && row.salt === (ask.salt ?? NO_SALT)) return;
  throw new ApiError(
    400,
    "replayed",
    "This signed message was used for another prompt. A signature counts once: ask and sign again.",
    { field: "signature" },
  );
}

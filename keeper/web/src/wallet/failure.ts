import { Declined } from "../chat/problems.ts";

const REJECTED = 4001;

/** A reader who says no in the wallet did not run into an error. */
export function declinedOr(error: unknown): never {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name === "UserRejectedRequestError" || (cause as { code?: number }).code === REJECTED)
      throw new Declined();
  }
  throw error;
}

/** What a failed call means to its reader. */
export function walletProblem(error: unknown): string {
  if (error instanceof Declined) return "You declined it. Nothing was sent.";
  const short =
    (error as { shortMessage?: string }).shortMessage ?? (error instanceof Error ? error.message : String(error));
  return short.split("\n", 1)[0] ?? "It did not work.";
}

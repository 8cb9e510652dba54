/** Messages that a keeper alone judges are good for minutes: who finds one later can do nothing with it. */
import { type Context, chainNow } from "../context.ts";
import { ApiError } from "../errors.ts";

const SIGN_WITHIN = 600;

export const freshDeadline = (context: Context): bigint => BigInt(chainNow(context) + SIGN_WITHIN);

export function requireFresh(context: Context, deadline: bigint): void {
  const now = BigInt(chainNow(context));
  if (deadline >= now && deadline <= now + BigInt(2 * SIGN_WITHIN)) return;
  throw new ApiError(400, "expired", `The deadline lies at most ${2 * SIGN_WITHIN} seconds ahead. Sign again.`, {
    field: "deadline",
  });
}

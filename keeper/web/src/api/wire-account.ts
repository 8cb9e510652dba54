/** What the keeper answers of an account: what it holds, earned and is told. */
import type { Hex, Wei } from "./wire.ts";

export interface NsdBody {
  readonly wallet_wei: Wei;
  readonly credits_wei: Wei;
  /** What direct answers that are not charged yet may take of the credits. */
  readonly owed_wei: Wei;
  /** What a direct request may spend now. */
  readonly usable_wei: Wei;
  readonly locked_wei: Wei;
  readonly withdrawing_wei: Wei;
  readonly withdrawable_at?: string | null;
}

export interface BalancesBody {
  readonly nsd: NsdBody;
  readonly lcai: { readonly wallet_wei: Wei; readonly accrued_wei: Wei };
  readonly native: { readonly wallet_wei: Wei };
}

export type Token = "NSD" | "NST" | "LCAI" | "CHOIR";

/** Some units of a token, and where they are. */
export interface PositionBody {
  readonly token: Token;
  readonly kind: string;
  readonly amount_wei: Wei;
  /** Null where nothing gets it. */
  readonly available_at: string | null;
  readonly id?: Hex;
  readonly note: string;
}

export interface AccountBody {
  readonly address: Hex;
  readonly block: number;
  readonly at: string;
  readonly positions: readonly PositionBody[];
}

export interface RewardBody {
  readonly token: "LCAI" | "CHOIR";
  readonly amount_wei: Wei;
  readonly request_id?: Hex;
  readonly transaction: Hex;
  readonly at: string;
}

export interface NotificationBody {
  readonly type: "reward" | "interaction" | "request" | "deposit";
  readonly address: Hex;
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
}

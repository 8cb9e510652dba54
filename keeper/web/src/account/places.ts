import type { AccountBody, PositionBody, Token } from "../api/wire.ts";
import { sharingColumn } from "../format/amount.ts";

/** Some units of a token as the table shows them. */
export interface Place {
  readonly key: string;
  readonly name: string;
  readonly note: string;
  readonly wei: bigint;
  readonly shown: string;
  /** Undefined where nothing gets them. */
  readonly from: number | undefined;
  readonly now: boolean;
  readonly kind: string;
  readonly requestId: PositionBody["id"];
}

export interface TokenPlaces {
  readonly token: Token;
  readonly total: string;
  readonly places: readonly Place[];
}

const TOKENS: readonly Token[] = ["NSD", "NST", "LCAI", "CHOIR"];

const WORDS: Readonly<Record<string, readonly [name: string, note: string]>> = {
  wallet: ["Your wallet", ""],
  credits: ["Credits", "Usable at once. In your wallet by then if you withdraw them now."],
  withdrawing: [
    "Credits on their way out",
    "Announced for your wallet. From 15 minutes before, they pay for questions to any validator alone.",
  ],
  request: ["An open request", "What it does not cost comes back when it ends, by then at the latest."],
  session: ["An open session", "What its receipts leave comes back when it ends, by then at the latest."],
  bond: ["A bond", "For a costly request that you announced: back in your credits when you reveal it."],
  stake: ["Staked", "Held for as long as your validator serves."],
  till: ["Earned as a validator", "Yours once the time for challenges is over, counted from when it is claimed."],
  claim: ["Earned and claimed", "Yours once the time for challenges is over."],
  accrued: ["Earned", "Minted with your next answer from this validator."],
};

const LOST_BOND = "Not revealed in time: it is lost.";

/** Every unit of every token, by token; what is written adds up to each total. */
export function placesOf({ positions, at }: AccountBody): TokenPlaces[] {
  const moment = Date.parse(at);
  return TOKENS.flatMap((token) => {
    const ours = positions.filter((position) => position.token === token);
    if (ours.length === 0) return [];
    const amounts = ours.map(({ amount_wei }) => BigInt(amount_wei));
    const shown = sharingColumn(amounts);
    const places = ours.map((position, index) => placeOf(position, moment, amounts[index] ?? 0n, shown[index] ?? ""));
    const [total = ""] = sharingColumn([amounts.reduce((sum, wei) => sum + wei, 0n)]);
    return [{ token, total, places }];
  });
}

function placeOf(position: PositionBody, moment: number, wei: bigint, shown: string): Place {
  const { kind, id, note: told, available_at } = position;
  // A keeper that is newer than this page says itself what it found.
  const [name, note] = WORDS[kind] ?? [kind, told];
  const from = available_at === null ? undefined : Date.parse(available_at);
  return {
    key: `${kind} ${id ?? ""}`,
    name,
    note: kind === "bond" && from === undefined ? LOST_BOND : note,
    wei,
    shown,
    from,
    now: from !== undefined && from <= moment,
    kind,
    requestId: kind === "request" ? id : undefined,
  };
}

import type { Terms } from "../../../keeper/chain/model/money.ts";

/** A price word with these terms: the places that the table of contracts/words/Offer.sol gives them. */
export const packPrice = ({ base, perToken, multiplierBps, indexWad }: Terms): bigint =>
  ((base / 10n ** 15n) << 96n) |
  ((perToken / 10n ** 12n) << 120n) |
  (multiplierBps << 152n) |
  ((indexWad / 10n ** 9n) << 172n);

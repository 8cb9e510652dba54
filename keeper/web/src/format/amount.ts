/** Amounts are wei of 18 decimals throughout; what is shown is exact wherever six decimals can hold it. */
export const DECIMALS = 18;
export const ONE = 10n ** 18n;
const SHOWN = 6;

const grouped = new Intl.NumberFormat("en-US");

/** All decimals that the amount has, at least `least`. */
export function exact(wei: bigint, least = 0): string {
  const sign = wei < 0n ? "-" : "";
  const digits = (wei < 0n ? -wei : wei).toString().padStart(DECIMALS + 1, "0");
  const fraction = digits.slice(-DECIMALS).replace(/0+$/, "");
  const whole = grouped.format(BigInt(digits.slice(0, -DECIMALS)));
  const shown = (fraction.length > 0 ? fraction.padEnd(2, "0") : "").padEnd(least, "0");
  return sign + whole + (shown.length > 0 ? `.${shown}` : "");
}

/** An amount for reading: whole numbers bare, others with two to six decimals, cut and never rounded up. */
export function amount(wei: bigint): string {
  const unit = 10n ** BigInt(DECIMALS - SHOWN);
  return exact((wei / unit) * unit);
}

/**
 * Amounts that share one sum, with the same number of decimals each, so that what is shown adds up as well: where
 * six decimals do not hold them, the last digit goes to those that lost most.
 */
export function sharing(parts: readonly bigint[]): string[] {
  const needed = Math.max(2, ...parts.map(decimalsOf));
  const shown = Math.min(SHOWN, needed);
  const unit = 10n ** BigInt(DECIMALS - shown);
  const cut = parts.map((part) => part / unit);
  let missing = parts.reduce((sum, part) => sum + part, 0n) / unit - cut.reduce((sum, part) => sum + part, 0n);
  const order = parts.map((part, index) => ({ index, lost: part % unit })).sort((a, b) => (a.lost < b.lost ? 1 : -1));
  for (const { index } of order) {
    if (missing === 0n) break;
    cut[index] = (cut[index] ?? 0n) + 1n;
    missing -= 1n;
  }
  return cut.map((part) => exact(part * unit, shown));
}

/** The same for a sentence: bare where all of them are whole. */
export function sharingBare(parts: readonly bigint[]): string[] {
  const shown = sharing(parts);
  return shown.every((text) => text.endsWith(".00")) ? shown.map((text) => text.slice(0, -".00".length)) : shown;
}

/** The same for a column: two decimals, and more only where an amount has them. */
export function sharingColumn(parts: readonly bigint[]): string[] {
  return sharing(parts).map((text) => text.replace(/(\.\d\d\d*?)0+$/, "$1"));
}

function decimalsOf(wei: bigint): number {
  return wei.toString().padStart(DECIMALS, "0").slice(-DECIMALS).replace(/0+$/, "").length;
}

/** Commas before groups of three, as this page writes them. */
const GROUPED = /^[1-9]\d{0,2}(,\d{3}){1,4}(\.\d*)?$/;
/** A comma before three digits is no decimal sign: nobody could say which of the two it is. */
const UNCLEAR = /^0*[1-9]\d*,\d{3}$/;

/** What somebody typed as an amount, or undefined where it is none, or might be two. */
export function parseAmount(text: string): bigint | undefined {
  const typed = text.trim();
  const bare = GROUPED.test(typed) ? typed.replaceAll(",", "") : typed;
  const match = /^(\d{1,15})(?:[.,](\d{0,18}))?$/.exec(bare);
  if (!match || UNCLEAR.test(bare)) return undefined;
  return BigInt(match[1] ?? "0") * ONE + BigInt((match[2] ?? "").padEnd(DECIMALS, "0"));
}

/** Why an amount that somebody typed cannot be moved, if so; `most` is what there is, and `told` says so. */
export function amountProblem(wanted: bigint | undefined, most: bigint | undefined, told: string): string | undefined {
  if (wanted === undefined) return "Enter an amount such as 50 or 1,000.50.";
  if (most !== undefined && (most === 0n || wanted > most)) return told;
  return wanted === 0n ? "Enter more than 0." : undefined;
}

/** The amount as a plain decimal, for an input or a request. */
export function plain(wei: bigint): string {
  return exact(wei).replaceAll(",", "");
}

/** NSD in dollars at its target of $0.001: two significant digits below a dollar. */
export function dollars(wei: bigint): string {
  const value = Number(wei) / 1e21;
  if (value >= 1 || value === 0) return `$${value.toFixed(2)}`;
  return `$${value.toFixed(Math.max(2, 1 - Math.floor(Math.log10(value))))}`.replace(/(\.\d\d\d*?)0+$/, "$1");
}

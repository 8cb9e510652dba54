/** What the command line makes of a keeper's answers. */
import { formatUnits } from "viem";

export interface Answer {
  readonly response: string;
  readonly status: "success" | "pending" | "failed";
  readonly request_id: string;
  readonly model: string;
  readonly tokens_used: number | null;
  readonly cid?: string;
  readonly blockchain_tx?: string;
  readonly blockchain_url?: string;
  readonly receipt?: Readonly<Record<string, number | string>>;
  readonly lcai_earned_wei?: string;
  readonly reward_skipped?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

export type Paint = Readonly<Record<"bold" | "dim" | "green" | "yellow", (text: string) => string>>;

/** Colour where somebody sees it and has not asked for none (no-color.org). */
export function painter(stream: { isTTY?: boolean | undefined }, environment: NodeJS.ProcessEnv): Paint {
  const colour = stream.isTTY === true && !environment["NO_COLOR"] && environment["TERM"] !== "dumb";
  const paint = (open: number, close: number) => (text: string) =>
    colour ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return { bold: paint(1, 22), dim: paint(2, 22), green: paint(32, 39), yellow: paint(33, 39) };
}

/** A model's words, without what a terminal would take for commands. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, "");
}

/** Wei as a decimal, to the last digit. */
export function units(wei: string | number | undefined): string {
  return wei === undefined ? "unknown" : formatUnits(BigInt(wei), 18);
}

/** What came of a question, as lines. */
export function summary(answer: Answer, paint: Paint): string[] {
  const line = (label: string, value: string): string => `  ${paint.dim(label.padEnd(12))} ${value}`;
  const { receipt, tokens_used: tokens } = answer;
  const nsd = (leg: string): string => `${units(receipt?.[`${leg}_wei`])} NSD`;
  return [
    line("Request", answer.request_id),
    line("Transaction", answer.blockchain_tx ?? "on its way"),
    line("CID", answer.cid ?? "not stored yet"),
    line("Tokens", `${tokens ?? "unknown"} by ${answer.model}`),
    ...(receipt === undefined
      ? []
      : [
          line("Cost", `${nsd("consumed")} of at most ${nsd("payment")}`),
          line("  Validator", nsd("validator")),
          line("  Treasury", nsd("treasury")),
          line("  Burned", nsd("burned")),
          line("Back to you", nsd("returned")),
        ]),
    line("You earned", reward(answer, paint)),
    ...(answer.status === "pending"
      ? ["", paint.yellow(`The settlement is on its way: /api/llm/status/${answer.request_id} tells when it is there.`)]
      : []),
  ];
}

function reward({ lcai_earned_wei: lcai, reward_skipped: skipped, status }: Answer, paint: Paint): string {
  if (lcai !== undefined && lcai !== "0") return paint.green(`${units(lcai)} LCAI`);
  if (skipped !== undefined) return `no LCAI: ${printable(skipped)}`;
  return status === "pending" ? "known once it is settled" : "no LCAI";
}

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
export function units(wei: string | number | bigint | undefined): string {
  return wei === undefined ? "unknown" : formatUnits(BigInt(wei), 18);
}

/** A request as the keeper tells of it. */
export interface RequestReport {
  readonly request_id: string;
  readonly status: string;
  readonly lane: string;
  readonly session_id?: string;
  readonly nsd_consumed_wei?: string | null;
  readonly model: string;
  readonly user_address: string;
  readonly created_at: string;
  readonly assigned_node: string | null;
  readonly tokens_used: number | null;
  readonly result: string | null;
  readonly priority?: boolean;
  readonly attempts?: readonly { readonly node: string; readonly failure?: string; readonly error?: string }[];
  readonly cancelling?: { readonly until: string; readonly nsd_refundable_wei: string };
  readonly receipt?: Readonly<Record<string, number | string>>;
  readonly nsd_burned_wei: string;
  readonly nsd_refunded_wei?: string;
  readonly nsd_penalty_wei?: string;
  readonly refund_percent?: number;
  readonly error?: string;
  readonly blockchain_tx?: string;
}

export interface PositionReport {
  readonly token: string;
  readonly kind: string;
  readonly amount_wei: string;
  readonly available_at: string | null;
  readonly contract: string;
  readonly call: string | null;
  readonly by: string;
  readonly id?: string;
  readonly note: string;
}

const line = (paint: Paint, label: string, value: string): string => `  ${paint.dim(label.padEnd(12))} ${value}`;

/** Where a request stands, as lines. */
export function requestLines(request: RequestReport, paint: Paint): string[] {
  const put = (label: string, value: string | undefined): string[] =>
    value === undefined ? [] : [line(paint, label, printable(value))];
  const { attempts, cancelling, receipt } = request;
  const turns = (attempts ?? []).map(({ node, failure, error }, index) =>
    line(
      paint,
      index === 0 ? "Attempts" : "",
      `${node}${failure === undefined ? "" : `: ${printable(error ?? failure)}`}`,
    ),
  );
  const refund =
    request.nsd_refunded_wei === undefined
      ? undefined
      : `${units(request.nsd_refunded_wei)} NSD${request.refund_percent === undefined ? "" : ` (${request.refund_percent} %)`}`;
  return [
    ...put("Request", request.request_id),
    ...put("Status", cancelling === undefined ? request.status : `cancelling until ${cancelling.until}`),
    ...put(
      "Asked",
      `${request.created_at} by ${request.user_address}${request.priority === true ? ", with priority" : ""}`,
    ),
    ...put("Model", `${request.model}, ${request.lane} lane`),
    ...turns,
    ...(turns.length === 0 ? put("Node", request.assigned_node ?? "nobody yet") : []),
    ...put("Tokens", request.tokens_used === null ? undefined : String(request.tokens_used)),
    // A prompt of a session has no legs of its own: those are of the settlement.
    ...put("Cost", costOf(request.nsd_consumed_wei ?? receipt?.["consumed_wei"])),
    ...put("Session", request.session_id),
    ...put(
      "Locked",
      request.status === "queued" || request.status === "processing"
        ? `${units(request.nsd_burned_wei)} NSD`
        : undefined,
    ),
    ...put("Refund", refund),
    ...put("Kept", request.nsd_penalty_wei === undefined ? undefined : `${units(request.nsd_penalty_wei)} NSD`),
    ...put("Why", request.error),
    ...put("Transaction", request.blockchain_tx),
    ...(request.result === null ? [] : ["", printable(request.result)]),
  ];
}

const costOf = (wei: number | string | null | undefined): string | undefined =>
  wei === undefined || wei === null ? undefined : `${units(wei)} NSD`;

/** What an address has, where it is, and from when it can be had by which call. */
export function positionLines(positions: readonly PositionReport[], now: number, paint: Paint): string[] {
  return positions.flatMap(({ token, kind, amount_wei, available_at, contract, call, by, id, note }) => {
    const when = available_at === null ? "" : Date.parse(available_at) <= now ? "now, " : `${available_at}, `;
    const how = call === null ? "" : `${when}by ${contract}.${call}${by === "anyone" ? ", called by anyone" : ""}`;
    return [
      `  ${paint.bold(`${units(amount_wei)} ${token}`)} ${kind}${id === undefined ? "" : ` ${paint.dim(id)}`}`,
      `    ${note}`,
      ...(how === "" ? [] : [`    ${paint.dim(how)}`]),
    ];
  });
}

/** What came of a question, as lines. */
export function summary(answer: Answer, paint: Paint): string[] {
  const { receipt, tokens_used: tokens } = answer;
  const nsd = (leg: string): string => `${units(receipt?.[`${leg}_wei`])} NSD`;
  return [
    line(paint, "Request", answer.request_id),
    line(paint, "Transaction", answer.blockchain_tx ?? "on its way"),
    line(paint, "CID", answer.cid ?? "not stored yet"),
    line(paint, "Tokens", `${tokens ?? "unknown"} by ${answer.model}`),
    ...(receipt === undefined
      ? []
      : [
          line(paint, "Cost", `${nsd("consumed")} of at most ${nsd("payment")}`),
          line(paint, "  Validator", nsd("validator")),
          line(paint, "  Treasury", nsd("treasury")),
          line(paint, "  Burned", nsd("burned")),
          line(paint, "Back to you", nsd("returned")),
        ]),
    line(paint, "You earned", reward(answer, paint)),
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

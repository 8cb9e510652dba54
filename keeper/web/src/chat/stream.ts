import { eventsOf } from "../api/sse.ts";
import type { ChatBody, Hex, PhaseBody, PhaseName, RequestBody } from "../api/wire.ts";
import { announce } from "../ui/Announcer.tsx";
import { adoptId, changeTurn } from "./conversation.ts";
import { cameBack, failureOf, moneyOf } from "./failures.ts";
import type { Attempt, Outcome, Turn } from "./model.ts";
import { handsOf, outcomeOfChat, outcomeOfRequest } from "./outcome.ts";
import { UnknownRequest } from "./problems.ts";
import { toldOf, withPhase } from "./progress.ts";

const FRAME_MS = 32;
const RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000] as const;

/** Puts what happens to a request into its turn: every event once, tokens a frame at a time. */
export class TurnWriter {
  readonly #key: string;
  #pending = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #flushedAt = 0;
  #next = 0;
  ended = false;

  constructor(key: string) {
    this.#key = key;
  }

  /** The first event that is still missing. */
  get next(): number {
    return this.#next;
  }

  phase(body: PhaseBody): void {
    if (!this.#isNew(body.seq)) return;
    this.#flush();
    changeTurn(this.#key, (turn) => {
      const next = withPhase(turn, body);
      const last = next.attempts?.at(-1);
      if (body.phase === "attempt_failed" && last) announce(`${toldOf(last, next)} Another validator is looked for.`);
      else if (body.phase === "assigned" && last && turn.attempts) announce(toldOf(last, next));
      return next;
    });
  }

  token(seq: number, token: string): void {
    if (!this.#isNew(seq)) return;
    this.#pending += token;
    const wait = this.#flushedAt + FRAME_MS - Date.now();
    if (wait <= 0) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), wait);
  }

  /** Starts over, for a replay from the first event. */
  restart(): void {
    this.#flush();
    this.#next = 0;
    changeTurn(this.#key, ({ attempts: _, cancelling: __, ...turn }) => ({ ...turn, answer: "", phases: [] }));
  }

  end({ outcome, answer, tokens, cutShort, attempts, requestId }: Final): void {
    this.#flush();
    this.ended = outcome !== undefined;
    if (requestId) adoptId(this.#key, requestId);
    changeTurn(this.#key, ({ cancelling, ...turn }): Turn => {
      const open = outcome === undefined && cancelling !== undefined;
      return {
        ...turn,
        ...(open ? { cancelling } : {}),
        ...(attempts ? { attempts } : {}),
        answer: answer || turn.answer,
        ...(tokens ? { tokens } : {}),
        ...(cutShort ? { cutShort } : {}),
        ...(outcome ? { outcome, stage: "ended" } : {}),
      };
    });
    if (outcome) announce(endingOf(outcome, answer, attempts));
  }

  #isNew(seq: number): boolean {
    if (seq < this.#next) return false;
    this.#next = seq + 1;
    return true;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending === "") return;
    this.#flushedAt = Date.now();
    const text = this.#pending;
    this.#pending = "";
    changeTurn(this.#key, (turn) => ({ ...turn, answer: turn.answer + text }));
  }
}

/** What the last event of a request says. */
interface Final {
  readonly outcome: Outcome | undefined;
  readonly answer: string | null;
  readonly tokens: number | null | undefined;
  readonly cutShort: boolean;
  readonly attempts?: readonly Attempt[];
  readonly requestId?: Hex;
}

function endingOf(outcome: Outcome, answer: string | null, attempts: readonly Attempt[] | undefined): string {
  if (outcome.status === "completed") return answer ? `Settled. The answer: ${answer}` : "Settled.";
  return `${failureOf(outcome, attempts).title}, ${cameBack(outcome)}. ${moneyOf(outcome)}`;
}

/** Reads the stream that a chat is answered with, until it ends or breaks. */
export async function readStream(body: ReadableStream<Uint8Array>, writer: TurnWriter): Promise<void> {
  for await (const { event, data } of eventsOf(body)) {
    if (event === "phase") writer.phase(JSON.parse(data) as PhaseBody);
    if (event === "token") {
      const { seq, token } = JSON.parse(data) as { seq: number; token: string };
      writer.token(seq, token);
    }
    if (event === "final") {
      const final = JSON.parse(data) as ChatBody;
      writer.end({
        outcome: outcomeOfChat(final),
        answer: final.response,
        tokens: final.tokens_used,
        cutShort: final.finish_reason === "length",
      });
    }
    if (event === "end") return;
  }
}

/** Follows a request over `/llm/stream` from where the writer is, through broken connections, until its end. */
export async function followRequest(
  requestId: string,
  writer: TurnWriter,
  signal: AbortSignal,
  onPhase: (phase: PhaseName) => void,
): Promise<void> {
  for (let attempt = 0; !writer.ended && !signal.aborted; attempt++) {
    if (attempt > 0) await pause(RETRY_MS[Math.min(attempt, RETRY_MS.length) - 1] ?? 8_000, signal);
    const before = writer.next;
    if ((await followOnce(requestId, writer, signal, onPhase)) === "unknown") throw new UnknownRequest();
    if (writer.next > before) attempt = 0;
  }
}

type StreamMessage =
  | ({ readonly type: "phase" } & PhaseBody)
  | { readonly type: "token"; readonly seq: number; readonly token: string }
  | ({ readonly type: "final" } & RequestBody)
  | { readonly type: "error"; readonly error?: { readonly code?: string } }
  | { readonly type: "subscribed" };

function followOnce(
  requestId: string,
  writer: TurnWriter,
  signal: AbortSignal,
  onPhase: (phase: PhaseName) => void,
): Promise<"closed" | "unknown"> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve("closed");
    const socket = new WebSocket(new URL("/llm/stream", location.href.replace(/^http/, "ws")));
    const stop = (): void => socket.close();
    signal.addEventListener("abort", stop, { once: true });
    socket.onopen = () =>
      socket.send(JSON.stringify({ action: "subscribe", request_id: requestId, from_seq: writer.next }));
    socket.onclose = () => {
      signal.removeEventListener("abort", stop);
      resolve("closed");
    };
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(String(data)) as StreamMessage;
      if (message.type === "phase") {
        writer.phase(message);
        onPhase(message.phase);
      }
      if (message.type === "token") writer.token(message.seq, message.token);
      if (message.type === "final") {
        writer.end({
          outcome: outcomeOfRequest(message),
          answer: message.result,
          tokens: message.tokens_used,
          cutShort: message.finish_reason === "length",
          requestId: message.request_id,
          ...handsOf(message),
        });
        socket.close();
      }
      if (message.type === "error") {
        if (message.error?.code === "request_not_found") resolve("unknown");
        socket.close();
      }
    };
  });
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}

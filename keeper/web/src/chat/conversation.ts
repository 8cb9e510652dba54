import type { Hex, RequestBody } from "../api/wire.ts";
import { titled } from "../format/text.ts";
import { createStore, useStore } from "../ui/store.ts";
import { isOpen, randomId, type Terms, type Thread, type Turn } from "./model.ts";
import { merged, onlyOnce } from "./outcome.ts";

const KEPT_THREADS = 60;
const SAVE_AFTER_MS = 300;

interface Conversation {
  /** Whose threads these are: chain, router and account. */
  readonly scope: string | undefined;
  readonly threads: readonly Thread[];
  readonly open: string | undefined;
}

export const conversation = createStore<Conversation>({ scope: undefined, threads: [], open: undefined });

let saving: ReturnType<typeof setTimeout> | undefined;

export function useConversation(): Conversation {
  return useStore(conversation);
}

export function openConversation(scope: string): void {
  if (conversation.get().scope === scope) return;
  save();
  const { threads, open } = stored(scope);
  conversation.set({ scope, threads, open: threads.some(({ id }) => id === open) ? open : undefined });
}

export function addHistory(scope: string, history: readonly RequestBody[]): void {
  change((current) => (current.scope === scope ? { ...current, threads: merged(current.threads, history) } : current));
}

export function openThread(id: string | undefined): void {
  change((current) => ({ ...current, open: id }));
}

/** Adds a turn to a thread, the open one where none is named, or to a new one, and returns the turn's key. */
export function addTurn(prompt: string, terms: Terms, threadId?: string): string {
  const turn: Turn = { key: randomId(), prompt, terms, at: Date.now(), stage: "preparing", answer: "", phases: [] };
  change((current) => {
    const thread = current.threads.find(({ id }) => id === (threadId ?? current.open)) ?? {
      id: randomId(),
      title: titled(prompt),
      at: turn.at,
      turns: [],
    };
    const others = current.threads.filter(({ id }) => id !== thread.id);
    return {
      ...current,
      open: threadId ? current.open : thread.id,
      threads: [{ ...thread, turns: [...thread.turns, turn] }, ...others],
    };
  });
  return turn.key;
}

export function findTurn(key: string): { thread: Thread; turn: Turn } | undefined {
  for (const thread of conversation.get().threads) {
    const turn = thread.turns.find((candidate) => candidate.key === key);
    if (turn) return { thread, turn };
  }
  return undefined;
}

export function changeTurn(key: string, next: (turn: Turn) => Turn): void {
  change((current) => ({
    ...current,
    threads: current.threads.map((thread) =>
      thread.turns.some((turn) => turn.key === key)
        ? { ...thread, turns: thread.turns.map((turn) => (turn.key === key ? next(turn) : turn)) }
        : thread,
    ),
  }));
}

/** The id by which the chain has a turn's request; the keeper's history may have brought it by that id before. */
export function adoptId(key: string, requestId: Hex): void {
  changeTurn(key, (turn) => (turn.requestId === requestId ? turn : { ...turn, requestId }));
  change((current) => ({ ...current, threads: onlyOnce(current.threads) }));
}

export function removeTurn(key: string): void {
  change((current) => {
    const threads = current.threads.map((thread) => ({
      ...thread,
      turns: thread.turns.filter((turn) => turn.key !== key),
    }));
    return { ...current, threads: threads.filter((thread) => thread.turns.length > 0) };
  });
}

function change(next: (current: Conversation) => Conversation): void {
  conversation.set(next);
  clearTimeout(saving);
  saving = setTimeout(save, SAVE_AFTER_MS);
}

function save(): void {
  clearTimeout(saving);
  const { scope, threads, open } = conversation.get();
  if (!scope) return;
  try {
    localStorage.setItem(scope, JSON.stringify({ open, threads: threads.slice(0, KEPT_THREADS) }));
  } catch {
    // A full or forbidden storage costs the memory of this browser, not the conversation: the keeper knows it too.
  }
}

function stored(scope: string): { threads: readonly Thread[]; open: string | undefined } {
  try {
    const found = JSON.parse(localStorage.getItem(scope) ?? "{}") as { threads?: Thread[]; open?: string };
    return { threads: (found.threads ?? []).map(resumable), open: found.open };
  } catch {
    return { threads: [], open: undefined };
  }
}

/** What was under way when the page closed: a signed request goes on without it, an unsigned one never left. */
function resumable(thread: Thread): Thread {
  return {
    ...thread,
    turns: thread.turns.map((turn): Turn => {
      if (!isOpen(turn)) return turn;
      if (turn.requestId) return { ...turn, stage: "stopped" };
      return {
        ...turn,
        stage: "stopped",
        problem: {
          kind: "unsent",
          title: "Not sent",
          detail: "The page was closed before this was signed. Nothing was charged.",
        },
      };
    }),
  };
}

addEventListener("pagehide", save);

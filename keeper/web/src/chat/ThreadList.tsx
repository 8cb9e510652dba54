import type { ReactElement } from "react";
import { dayOf } from "../format/time.ts";
import { openThread, useConversation } from "./conversation.ts";
import type { Thread } from "./model.ts";

/** The account's conversations, newest first, by the day of their last turn. */
export function ThreadList({ onPicked }: { readonly onPicked: () => void }): ReactElement {
  const { threads, open } = useConversation();
  const pick = (id: string | undefined): void => {
    openThread(id);
    onPicked();
    document.getElementById("prompt")?.focus();
  };
  return (
    <section className="threads">
      <button type="button" className="wide" onClick={() => pick(undefined)}>
        New chat
      </button>
      {threads.length === 0 && <p className="soft small">Your conversations will be listed here.</p>}
      {byDay(threads).map(([day, ofDay]) => (
        <div key={day}>
          <h2>{day}</h2>
          <ul>
            {ofDay.map((thread) => (
              <li key={thread.id}>
                <button
                  type="button"
                  className="thread"
                  title={thread.title}
                  aria-current={thread.id === open ? "true" : undefined}
                  onClick={() => pick(thread.id)}
                >
                  {thread.title}
                </button>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}

function byDay(threads: readonly Thread[]): readonly (readonly [string, readonly Thread[]])[] {
  const now = Date.now();
  const days = new Map<string, Thread[]>();
  for (const thread of threads) {
    const day = dayOf(thread.turns.at(-1)?.at ?? thread.at, now);
    days.set(day, [...(days.get(day) ?? []), thread]);
  }
  return [...days];
}

import type { ReactElement } from "react";
import { createStore, useStore } from "./store.ts";

const spoken = createStore("");

/** Says something to those who hear the page: politely, one sentence at a time. */
export function announce(sentence: string): void {
  spoken.set(sentence);
}

export function Announcer(): ReactElement {
  return (
    <div className="hidden" aria-live="polite" role="status">
      {useStore(spoken)}
    </div>
  );
}

import type { ReactElement } from "react";
import { type Asker, follow } from "./ask.ts";
import type { Turn } from "./model.ts";

/** The page looks away; the request does not notice. */
export function StoppedCard({ turn, asker }: { readonly turn: Turn; readonly asker: Asker | undefined }): ReactElement {
  return (
    <section className="card problem" aria-label="Not followed">
      <p className="headline">Not followed any more</p>
      <p>It is answered and settled without this page. Its receipt is here when you come back to it.</p>
      {asker && turn.requestId && (
        <p className="row">
          <button type="button" onClick={() => follow(turn.key, asker)}>
            Follow again
          </button>
        </p>
      )}
    </section>
  );
}

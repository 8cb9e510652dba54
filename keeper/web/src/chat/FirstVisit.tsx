import type { ReactElement } from "react";
import type { NetworkBody } from "../api/wire.ts";
import type { Account } from "../wallet/session.ts";
import { SUGGESTIONS } from "./suggestions.ts";

interface FirstVisitProps {
  readonly network: NetworkBody | undefined;
  readonly account: Account | undefined;
  /** Whether a question can be asked now, or a wallet connected for it. */
  readonly ready: boolean;
  readonly onAsk: (prompt: string) => void;
  readonly onConnect: () => void;
}

export function FirstVisit({ network, account, ready, onAsk, onConnect }: FirstVisitProps): ReactElement {
  return (
    <section className="first">
      <h1>Ask the network</h1>
      <p>
        A validator answers, the chain settles, and under every answer stands where each NSD went. What you do not use
        comes back to you.
      </p>
      <ul>
        {SUGGESTIONS.map((question) => (
          <li key={question}>
            <button type="button" disabled={!ready} onClick={() => onAsk(question)}>
              {question}
            </button>
          </li>
        ))}
      </ul>
      {network?.local && account?.kind === "development" && (
        <p className="soft small">
          This is a local chain. A development account signs for you: there is nothing to install, and nothing here is
          worth money.
        </p>
      )}
      {network && !account && (
        <p className="soft small">
          A wallet signs each question, and sees what it can cost at most.{" "}
          <button type="button" className="plain" onClick={onConnect}>
            Connect a wallet
          </button>
        </p>
      )}
    </section>
  );
}

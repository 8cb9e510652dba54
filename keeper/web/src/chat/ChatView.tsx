import { type ReactElement, useEffect, useRef } from "react";
import type { NetworkBody } from "../api/wire.ts";
import type { Account } from "../wallet/session.ts";
import { WrongChain } from "../wallet/WrongChain.tsx";
import { type Asker, ask, stopFollowing } from "./ask.ts";
import { Composer } from "./Composer.tsx";
import { useConversation } from "./conversation.ts";
import { FirstVisit } from "./FirstVisit.tsx";
import { currentOf, type Turn } from "./model.ts";
import { TurnView } from "./TurnView.tsx";
import { useTerms } from "./terms.ts";

interface ChatViewProps {
  readonly network: NetworkBody | undefined;
  readonly account: Account | undefined;
  readonly onConnect: () => void;
}

export function ChatView({ network, account, onConnect }: ChatViewProps): ReactElement {
  const { threads, open } = useConversation();
  const turns = threads.find(({ id }) => id === open)?.turns ?? [];
  const terms = useTerms(network);
  const log = useFollowingLog(turns);
  const asker = network && account ? { network, account } : undefined;
  const current = currentOf(turns);
  useEscape(current?.key);

  const send = (prompt: string): boolean => {
    if (!asker) {
      if (network) onConnect();
      return false;
    }
    if (!terms.value) return false;
    ask(prompt, terms.value, asker);
    // The suggestion that was chosen is gone: without this its keyboard's place would be lost with it.
    if (!document.activeElement?.matches("textarea")) log.current?.focus({ preventScroll: true });
    return true;
  };
  return (
    <div className="chat">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <section className="log" ref={log} tabIndex={0} aria-label="Conversation">
        <div className="column">
          {turns.length === 0 ? (
            <FirstVisit
              network={network}
              account={account}
              ready={asker ? terms.value !== undefined : network !== undefined}
              onAsk={send}
              onConnect={onConnect}
            />
          ) : (
            turns.map((turn) => <TurnView key={turn.key} turn={turn} asker={asker} />)
          )}
        </div>
      </section>
      <div className="dock">
        <div className="column">
          {asker && <WrongChain asker={asker} />}
          <Composer
            terms={terms}
            hold={holdOf(asker, turns)}
            current={current}
            connected={account !== undefined}
            onSend={send}
          />
        </div>
      </div>
    </div>
  );
}

export interface Hold {
  readonly reason: string;
  readonly until?: number;
}

/** Why nothing can be sent now, if so. */
function holdOf(asker: Asker | undefined, turns: readonly Turn[]): Hold | undefined {
  const [longest] = turns.flatMap(({ problem }) => problem ?? []).sort((a, b) => (b.retryAt ?? 0) - (a.retryAt ?? 0));
  if (longest?.retryAt !== undefined && longest.retryAt > Date.now())
    return { reason: longest.title, until: longest.retryAt };
  if (asker?.account.kind === "injected" && asker.account.chainId !== asker.network.chain_id) {
    return { reason: "Your wallet is on another chain" };
  }
  return undefined;
}

/** Keeps the newest words in view, until their reader scrolls away from them. */
function useFollowingLog(turns: readonly Turn[]) {
  const element = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const last = turns.at(-1)?.key;
  useEffect(() => {
    const log = element.current;
    if (!log) return;
    const scrolled = (): void => {
      following.current = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
    };
    log.addEventListener("scroll", scrolled, { passive: true });
    return () => log.removeEventListener("scroll", scrolled);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another turn, or another thread, begins at its end.
  useEffect(() => {
    following.current = true;
  }, [last]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: whatever changes in the turns may change their height.
  useEffect(() => {
    const log = element.current;
    if (log && following.current) log.scrollTop = log.scrollHeight;
  }, [turns]);
  return element;
}

function useEscape(key: string | undefined): void {
  useEffect(() => {
    if (!key) return;
    const pressed = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]"))
        stopFollowing(key);
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [key]);
}

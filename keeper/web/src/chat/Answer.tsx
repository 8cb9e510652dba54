import { type ReactElement, useEffect } from "react";
import { useNetwork } from "../api/queries.ts";
import { fetchAnswer } from "./fetch-answer.ts";
import { isAnswered, type Turn } from "./model.ts";

/** The answer as text: paragraphs and fenced code, and nothing a model writes is ever read as markup. */
export function Answer({ turn }: { readonly turn: Turn }): ReactElement {
  const streaming = turn.stage === "running" && !isAnswered(turn);
  return (
    <div className="answer" aria-busy={streaming}>
      {blocksOf(turn.answer).map(({ code, text }, index, all) => {
        const last = streaming && index === all.length - 1;
        return code ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: blocks are only ever added at the end.
          <pre key={index}>
            <code>{text}</code>
          </pre>
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: blocks are only ever added at the end.
          <p key={index} data-streaming={last || undefined}>
            {text}
          </p>
        );
      })}
      {turn.answer.trim() === "" && isAnswered(turn) && <Wordless turn={turn} />}
      {turn.cutShort && <p className="soft small">The answer reached the longest length that was asked or paid for.</p>}
    </div>
  );
}

/** What another validator answered is in its record; this keeper may not have it. */
function Wordless({ turn }: { readonly turn: Turn }): ReactElement {
  const here = useNetwork().data?.validator_id;
  const validator = turn.attempts?.at(-1)?.validator;
  const elsewhere = validator !== undefined && here !== undefined && validator !== here;
  const { key, requestId, outcome } = turn;
  const missing = elsewhere && outcome && turn.tokens ? requestId : undefined;
  useEffect(() => {
    if (!missing) return;
    const gone = new AbortController();
    void fetchAnswer(key, missing, gone.signal);
    return () => gone.abort();
  }, [key, missing]);
  if (!elsewhere || (outcome && !turn.tokens)) return <p className="soft small">The model said nothing to this.</p>;
  const cid = outcome?.cid;
  return (
    <p className="soft small">
      Validator {validator} answered, and this keeper was not told its words.{" "}
      {cid ? (
        <>
          They are in{" "}
          <a href={`/ipfs/${cid}`} target="_blank" rel="noreferrer" title={cid}>
            the stored record
          </a>
          .
        </>
      ) : (
        "They are in its stored record."
      )}
    </p>
  );
}

interface Block {
  readonly code: boolean;
  readonly text: string;
}

function blocksOf(answer: string): Block[] {
  return answer.split(/^```.*$/m).flatMap((part, index): Block[] => {
    if (index % 2 === 1) return [{ code: true, text: part.replace(/^\n|\n$/g, "") }];
    const paragraphs = part.split(/\n{2,}/).map((text) => text.trim());
    return paragraphs.filter((text) => text !== "").map((text) => ({ code: false, text }));
  });
}

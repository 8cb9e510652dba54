import type { ReactElement } from "react";
import { useNetwork } from "../api/queries.ts";
import { amount } from "../format/amount.ts";
import { shortened } from "../format/text.ts";
import { Copyable } from "../ui/Copyable.tsx";
import type { Turn } from "./model.ts";

/** What was earned, and what anybody can check: the stored record, the transaction, the request's id. */
export function Proofs({ turn, ended }: { readonly turn: Turn; readonly ended?: boolean }): ReactElement {
  const explorer = useNetwork().data?.explorer_url?.replace(/\/+$/, "");
  const { cid, transaction, lcaiWei, rewardSkipped } = turn.outcome ?? {};
  return (
    <ul className="proofs">
      {!ended && <Earned lcaiWei={lcaiWei} skipped={rewardSkipped} settled={turn.outcome !== undefined} />}
      {(cid || !ended) && <li>Stored {cid ? <Stored cid={cid} /> : <Unknown />}</li>}
      {(transaction || !ended) && (
        <li>
          {ended ? "Ended" : "Settled"} in{" "}
          {transaction ? <Transaction hash={transaction} explorer={explorer} /> : <Unknown />}
        </li>
      )}
      <li>Request {turn.requestId ? <Copyable text={turn.requestId} what="the request id" /> : <Unknown />}</li>
    </ul>
  );
}

interface EarnedProps {
  readonly lcaiWei: string | undefined;
  readonly skipped: string | undefined;
  readonly settled: boolean;
}

function Earned({ lcaiWei, skipped, settled }: EarnedProps): ReactElement {
  if (lcaiWei && lcaiWei !== "0") return <li className="earned good">+{amount(BigInt(lcaiWei))} LCAI</li>;
  if (!settled) return <li className="earned">LCAI –</li>;
  return <li className="earned">{skipped ? `No LCAI: ${skipped}` : "No LCAI"}</li>;
}

function Stored({ cid }: { readonly cid: string }): ReactElement {
  return (
    <>
      <a
        className="mono"
        href={`/ipfs/${cid}`}
        target="_blank"
        rel="noreferrer"
        title={`${cid}\nOpens the stored record`}
      >
        {shortened(cid, 7, 4)}
      </a>
      <Copyable text={cid} what="the record's CID" mark />
    </>
  );
}

function Transaction({
  hash,
  explorer,
}: {
  readonly hash: string;
  readonly explorer: string | undefined;
}): ReactElement {
  if (!explorer) return <Copyable text={hash} what="the transaction hash" />;
  return (
    <>
      <a className="mono" href={`${explorer}/tx/${hash}`} target="_blank" rel="noreferrer" title={hash}>
        {shortened(hash)}
      </a>
      <Copyable text={hash} what="the transaction hash" mark />
    </>
  );
}

function Unknown(): ReactElement {
  return <span className="mono unknown">–</span>;
}

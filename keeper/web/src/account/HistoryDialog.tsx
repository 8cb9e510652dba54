import { useQuery } from "@tanstack/react-query";
import { type ReactElement, useState } from "react";
import { historyQuery, useRewards } from "../api/queries.ts";
import type { Hex, RequestBody, RewardBody } from "../api/wire.ts";
import { failureOf } from "../chat/failures.ts";
import { outcomeOfRequest } from "../chat/outcome.ts";
import { amount } from "../format/amount.ts";
import { titled } from "../format/text.ts";
import { dated } from "../format/time.ts";
import { Copyable } from "../ui/Copyable.tsx";
import { Dialog } from "../ui/Dialog.tsx";

type Page = "Rewards" | "Requests";

/** What was earned and what was spent, each with its transaction. */
export function HistoryDialog({
  address,
  onClose,
}: {
  readonly address: Hex;
  readonly onClose: () => void;
}): ReactElement {
  const [page, setPage] = useState<Page>("Rewards");
  return (
    <Dialog title="History" side="right" onClose={onClose}>
      <fieldset className="segments">
        <legend className="hidden">Kind of history</legend>
        {(["Rewards", "Requests"] as const).map((name) => (
          <button key={name} type="button" aria-pressed={page === name} onClick={() => setPage(name)}>
            {name}
          </button>
        ))}
      </fieldset>
      {page === "Rewards" ? <Rewards address={address} /> : <Requests address={address} />}
    </Dialog>
  );
}

function Rewards({ address }: { readonly address: Hex }): ReactElement {
  const { data, isError } = useRewards(address);
  if (!data) return <Waiting failed={isError} />;
  if (data.length === 0) return <p className="soft">No rewards yet. Every settled chat earns 1 LCAI.</p>;
  return (
    <ul className="entries">
      {data.map((reward, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: one transaction may bring the same reward twice.
        <RewardEntry key={`${reward.transaction} ${index}`} reward={reward} />
      ))}
    </ul>
  );
}

function RewardEntry({ reward }: { readonly reward: RewardBody }): ReactElement {
  return (
    <li>
      <span className="good">
        +{amount(BigInt(reward.amount_wei))} {reward.token}
      </span>
      <time dateTime={reward.at}>{dated(Date.parse(reward.at))}</time>
      <span className="soft">
        in <Copyable text={reward.transaction} what="the transaction hash" />
      </span>
    </li>
  );
}

function Requests({ address }: { readonly address: Hex }): ReactElement {
  const { data, isError } = useQuery(historyQuery(address));
  if (!data) return <Waiting failed={isError} />;
  if (data.length === 0) return <p className="soft">You have not asked anything yet.</p>;
  return (
    <ul className="entries">
      {data.map((request) => (
        <RequestEntry key={request.request_id} request={request} />
      ))}
    </ul>
  );
}

function RequestEntry({ request }: { readonly request: RequestBody }): ReactElement {
  const transaction = request.blockchain_tx;
  return (
    <li>
      <span>{titled(request.prompt ?? "")}</span>
      <time dateTime={request.created_at}>{dated(Date.parse(request.created_at))}</time>
      <span className="soft">
        {spent(request)}
        {transaction && (
          <>
            {" in "}
            <Copyable text={transaction} what="the transaction hash" />
          </>
        )}
      </span>
    </li>
  );
}

function spent(request: RequestBody): string {
  const { receipt, status } = request;
  if (receipt) return `${amount(BigInt(receipt.consumed_wei))} NSD used`;
  const outcome = outcomeOfRequest(request);
  if (!outcome) return status === "queued" ? "Waiting for a validator" : "Under way";
  const back = BigInt(outcome.refundedWei ?? "0");
  const { title } = failureOf(outcome);
  return back > 0n ? `${title}, ${amount(back)} NSD came back` : title;
}

function Waiting({ failed }: { readonly failed: boolean }): ReactElement {
  return <p className="soft">{failed ? "The keeper did not tell. It is asked again when it is back." : "Reading"}</p>;
}

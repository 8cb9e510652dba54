import type { ReactElement } from "react";
import type { Panel } from "./App.tsx";
import type { NetworkBody } from "./api/wire.ts";
import { shortened } from "./format/text.ts";
import { atClock } from "./format/time.ts";
import { useLive } from "./live/socket.ts";
import { Lines, Mark, Purse } from "./ui/icons.tsx";
import type { Account } from "./wallet/session.ts";

interface HeaderProps {
  readonly network: NetworkBody | undefined;
  readonly account: Account | undefined;
  readonly wide: boolean;
  readonly onOpen: (panel: Panel) => void;
}

export function Header({ network, account, wide, onOpen }: HeaderProps): ReactElement {
  return (
    <header>
      {!wide && (
        <button type="button" className="icon" aria-label="Conversations" onClick={() => onOpen("threads")}>
          <Lines />
        </button>
      )}
      <span className="brand">
        <Mark size={20} />
        NeuroSwarm
      </span>
      <NetworkPill network={network} />
      <button type="button" className="account" onClick={() => onOpen("wallet")} disabled={!network}>
        {account ? <span className="mono">{shortened(account.address)}</span> : wide ? "Connect wallet" : "Connect"}
      </button>
      {!wide && (
        <button type="button" className="icon" aria-label="Your balances" onClick={() => onOpen("yours")}>
          <Purse />
        </button>
      )}
    </header>
  );
}

function NetworkPill({ network }: { readonly network: NetworkBody | undefined }): ReactElement {
  const { state, since } = useLive();
  const name = network?.local ? "Local chain" : network ? `Chain ${network.chain_id}` : "Connecting";
  return (
    <span className="pill" data-state={state}>
      <i className="dot" />
      <span>{state === "offline" ? `Offline since ${atClock(since)}` : name}</span>
    </span>
  );
}

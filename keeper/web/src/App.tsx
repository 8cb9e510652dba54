import { useQuery } from "@tanstack/react-query";
import { type ReactElement, useEffect, useRef, useState } from "react";
import { HistoryDialog } from "./account/HistoryDialog.tsx";
import { WhereDialog } from "./account/WhereDialog.tsx";
import { type Form, Yours } from "./account/Yours.tsx";
import { historyQuery, useNetwork } from "./api/queries.ts";
import type { NetworkBody } from "./api/wire.ts";
import { followInterrupted, leaveAll } from "./chat/ask.ts";
import { ChatView } from "./chat/ChatView.tsx";
import { addHistory, openConversation } from "./chat/conversation.ts";
import { ThreadList } from "./chat/ThreadList.tsx";
import { Header } from "./Header.tsx";
import { LiveList } from "./live/LiveList.tsx";
import { OfflineNotice } from "./live/OfflineNotice.tsx";
import { followAddress } from "./live/socket.ts";
import { NetworkStrip } from "./network/NetworkStrip.tsx";
import { Announcer } from "./ui/Announcer.tsx";
import { Dialog } from "./ui/Dialog.tsx";
import { useMedia } from "./ui/hooks.ts";
import { type Account, restoreAccount, useSession } from "./wallet/session.ts";
import { WalletDialog } from "./wallet/WalletDialog.tsx";

export type Panel = "threads" | "yours" | "wallet" | "history" | "where";

export function App(): ReactElement {
  const network = useNetwork().data;
  const { account } = useSession();
  const wide = useMedia("(min-width: 1001px)");
  const [panel, setPanel] = useState<Panel>();
  const [form, setForm] = useState<Form>();
  useAccount(network, account);
  const close = (): void => setPanel(undefined);

  const withdraw = (): void => {
    setForm("withdraw");
    setPanel(wide ? undefined : "yours");
  };

  const threads = (
    <>
      <ThreadList onPicked={close} />
      <NetworkStrip network={network} />
    </>
  );
  const yours = (
    <>
      <Yours network={network} account={account} form={form} onForm={setForm} onOpen={setPanel} />
      <LiveList />
    </>
  );
  return (
    <div className="page">
      <a className="skip" href="#prompt">
        Skip to the question
      </a>
      <Header network={network} account={account} wide={wide} onOpen={setPanel} />
      {wide && (
        <nav className="side left" aria-label="Conversations">
          {threads}
        </nav>
      )}
      <main>
        <OfflineNotice />
        <ChatView network={network} account={account} onConnect={() => setPanel("wallet")} />
      </main>
      {wide && (
        <aside className="side right" aria-label="Your balances">
          {yours}
        </aside>
      )}
      {panel === "threads" && (
        <Dialog title="Conversations" side="left" onClose={close}>
          {threads}
        </Dialog>
      )}
      {panel === "yours" && (
        <Dialog title="Yours" side="right" onClose={close}>
          {yours}
        </Dialog>
      )}
      {panel === "wallet" && network && <WalletDialog network={network} account={account} onClose={close} />}
      {panel === "history" && account && <HistoryDialog address={account.address} onClose={close} />}
      {panel === "where" && account && <WhereDialog address={account.address} onClose={close} onWithdraw={withdraw} />}
      <Announcer />
    </div>
  );
}

/** Keeps account, conversation and live connection in step. */
function useAccount(network: NetworkBody | undefined, account: Account | undefined): void {
  const address = account?.address;
  const scope =
    network && address ? `neuroswarm.threads.${network.chain_id}.${network.contracts.router}.${address}` : undefined;
  const history = useQuery({ ...historyQuery(address ?? "0x"), enabled: address !== undefined }).data;
  useEffect(() => {
    if (network) restoreAccount(network);
  }, [network]);
  useEffect(() => followAddress(address), [address]);
  const resumed = useRef<string>(undefined);
  useEffect(() => {
    if (scope) openConversation(scope);
    return () => {
      resumed.current = undefined;
      leaveAll();
    };
  }, [scope]);
  useEffect(() => {
    if (scope && history) addHistory(scope, history);
  }, [scope, history]);
  useEffect(() => {
    if (!scope || !history || resumed.current === scope || !network || !account) return;
    resumed.current = scope;
    followInterrupted({ network, account });
  }, [scope, history, network, account]);
}

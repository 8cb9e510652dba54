import { type ReactElement, useEffect, useState } from "react";
import { useBalances } from "../api/queries.ts";
import type { Hex, NetworkBody } from "../api/wire.ts";
import { amount } from "../format/amount.ts";
import { shortened } from "../format/text.ts";
import { Copyable } from "../ui/Copyable.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { useStore } from "../ui/store.ts";
import { DEVELOPMENT_ACCOUNTS } from "./accounts.ts";
import { walletProblem } from "./failure.ts";
import { type Account, loadWallet, setAccount } from "./session.ts";
import type { Wallet } from "./wagmi.ts";

interface WalletDialogProps {
  readonly network: NetworkBody;
  readonly account: Account | undefined;
  readonly onClose: () => void;
}

export function WalletDialog({ network, account, onClose }: WalletDialogProps): ReactElement {
  const [wallet, setWallet] = useState<Wallet>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    loadWallet(network).then(setWallet, (error: unknown) => setProblem(walletProblem(error)));
  }, [network]);

  const act = (work: () => Promise<void>): void => {
    setProblem(undefined);
    work().then(onClose, (error: unknown) => setProblem(walletProblem(error)));
  };
  const choose = async (address: Hex): Promise<void> => {
    if (account?.kind === "injected") await wallet?.disconnect();
    setAccount({ kind: "development", address });
  };
  return (
    <Dialog title="Who asks" onClose={onClose}>
      {account && (
        <p className="current">
          {account.kind === "injected" ? account.name : "Development account"}
          <Copyable text={account.address} what="your address" head={10} tail={8} />
        </p>
      )}
      {network.local && (
        <DevelopmentChoices chosen={account?.address} onChoose={(address) => act(() => choose(address))} />
      )}
      <h3>Wallets in this browser</h3>
      {wallet ? (
        <WalletChoices wallet={wallet} onChoose={(id) => act(() => wallet.connect(id))} />
      ) : (
        <p className="soft small">Looking for wallets</p>
      )}
      {account?.kind === "injected" && wallet && (
        <button type="button" className="wide" onClick={() => act(() => wallet.disconnect())}>
          Disconnect {account.name}
        </button>
      )}
      {problem && (
        <p className="bad" role="alert">
          {problem}
        </p>
      )}
    </Dialog>
  );
}

interface ChoicesProps {
  readonly wallet: Wallet;
  readonly onChoose: (id: string) => void;
}

function WalletChoices({ wallet, onChoose }: ChoicesProps): ReactElement {
  const choices = useStore(wallet.choices);
  if (choices.length === 0) {
    return <p className="soft small">None was found. Install one as a browser extension and reload this page.</p>;
  }
  return (
    <ul className="choices">
      {choices.map(({ id, name, icon }) => (
        <li key={id}>
          <button type="button" onClick={() => onChoose(id)}>
            {icon && <img src={icon} alt="" width={20} height={20} />}
            {name}
          </button>
        </li>
      ))}
    </ul>
  );
}

interface DevelopmentProps {
  readonly chosen: Hex | undefined;
  readonly onChoose: (address: Hex) => void;
}

function DevelopmentChoices({ chosen, onChoose }: DevelopmentProps): ReactElement {
  return (
    <>
      <h3>Development accounts</h3>
      <ul className="choices">
        {DEVELOPMENT_ACCOUNTS.map((address, index) => (
          <li key={address}>
            <button type="button" aria-pressed={address === chosen} onClick={() => onChoose(address)}>
              <span>Account {index + 1}</span>
              <span className="mono soft">{shortened(address)}</span>
              <Held address={address} />
            </button>
          </li>
        ))}
      </ul>
      <p className="soft small">Their keys are public and sign inside this page. They hold nothing of worth.</p>
    </>
  );
}

function Held({ address }: { readonly address: Hex }): ReactElement {
  const nsd = useBalances(address).data?.nsd;
  return (
    <span className="soft held">
      {nsd ? `${amount(BigInt(nsd.credits_wei))} credits, ${amount(BigInt(nsd.wallet_wei))} NSD` : ""}
    </span>
  );
}

import type { ReactElement, ReactNode } from "react";
import type { Panel } from "../App.tsx";
import { useBalances } from "../api/queries.ts";
import type { BalancesBody, NetworkBody } from "../api/wire.ts";
import { amount, exact, ONE } from "../format/amount.ts";
import type { Account } from "../wallet/session.ts";
import { DepositForm } from "./DepositForm.tsx";
import { WithdrawForm } from "./WithdrawForm.tsx";

export type Form = "deposit" | "withdraw";

interface YoursProps {
  readonly network: NetworkBody | undefined;
  readonly account: Account | undefined;
  readonly form: Form | undefined;
  readonly onForm: (form: Form | undefined) => void;
  readonly onOpen: (panel: Panel) => void;
}

const SUGGESTED = 1_000n * ONE;

/** What the account holds, and the ways in and out. */
export function Yours({ network, account, form, onForm, onOpen }: YoursProps): ReactElement {
  const balances = useBalances(account?.address).data;
  const toggle = (name: Form): void => onForm(form === name ? undefined : name);
  const asker = network && account ? { network, account } : undefined;
  if (!account) {
    return (
      <section className="yours">
        <h2>Yours</h2>
        <p className="soft small">Connect a wallet to see your credits and what you earned.</p>
        <button type="button" className="wide" disabled={!network} onClick={() => onOpen("wallet")}>
          Connect wallet
        </button>
      </section>
    );
  }
  return (
    <section className="yours">
      <h2>Yours</h2>
      <Units balances={balances} />
      <p className="actions">
        <button type="button" aria-expanded={form === "deposit"} disabled={!asker} onClick={() => toggle("deposit")}>
          Deposit
        </button>
        <button type="button" aria-expanded={form === "withdraw"} disabled={!asker} onClick={() => toggle("withdraw")}>
          Withdraw
        </button>
        <button type="button" onClick={() => onOpen("history")}>
          History
        </button>
      </p>
      <button type="button" className="plain where" onClick={() => onOpen("where")}>
        Where everything is
      </button>
      {form === "deposit" && asker && (
        <DepositForm
          key={account.address}
          asker={asker}
          suggested={least(SUGGESTED, balances)}
          onDone={() => onForm(undefined)}
        />
      )}
      {form === "withdraw" && asker && balances && (
        <WithdrawForm key={account.address} asker={asker} balances={balances} />
      )}
    </section>
  );
}

function least(wanted: bigint, balances: BalancesBody | undefined): bigint {
  const inWallet = balances ? BigInt(balances.nsd.wallet_wei) : wanted;
  return inWallet < wanted ? inWallet : wanted;
}

function Units({ balances }: { readonly balances: BalancesBody | undefined }): ReactElement {
  const { nsd, lcai } = balances ?? {};
  return (
    <dl className="units">
      <Unit name="Credits" wei={nsd?.credits_wei} unit="NSD">
        {nsd && nsd.locked_wei !== "0" && <small>{amount(BigInt(nsd.locked_wei))} held for open requests</small>}
        {nsd && nsd.withdrawing_wei !== "0" && <small>{amount(BigInt(nsd.withdrawing_wei))} being withdrawn</small>}
      </Unit>
      <Unit name="Wallet" wei={nsd?.wallet_wei} unit="NSD" />
      <Unit name="LCAI" wei={lcai?.wallet_wei} unit="">
        {lcai && lcai.accrued_wei !== "0" && <small>{amount(BigInt(lcai.accrued_wei))} more with the next chat</small>}
      </Unit>
    </dl>
  );
}

interface UnitProps {
  readonly name: string;
  readonly wei: string | undefined;
  readonly unit: string;
  readonly children?: ReactNode;
}

function Unit({ name, wei, unit, children }: UnitProps): ReactElement {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <b title={wei === undefined ? undefined : `${exact(BigInt(wei))} ${unit || name}`}>
          {wei === undefined ? "–" : `${amount(BigInt(wei))} ${unit}`}
        </b>
        {children}
      </dd>
    </div>
  );
}

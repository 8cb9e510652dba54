import { type ReactElement, useState } from "react";
import type { Asker } from "../chat/ask.ts";
import { walletProblem } from "./failure.ts";
import { loadWallet } from "./session.ts";

/** A wallet that looks at another chain than this network lives on. */
export function WrongChain({ asker }: { readonly asker: Asker }): ReactElement | null {
  const [problem, setProblem] = useState<string>();
  const { account, network } = asker;
  if (account.kind !== "injected" || account.chainId === network.chain_id) return null;
  const change = (): void => {
    setProblem(undefined);
    loadWallet(network)
      .then((wallet) => wallet.switchChain())
      .catch((error: unknown) => setProblem(walletProblem(error)));
  };
  return (
    <div className="notice" role="alert">
      <span>
        {account.name} is on chain {account.chainId}. This network lives on{" "}
        {network.local ? "the local chain" : "chain"} {network.chain_id}.
        {problem && <span className="bad"> {problem}</span>}
      </span>
      <button type="button" onClick={change}>
        Switch
      </button>
    </div>
  );
}

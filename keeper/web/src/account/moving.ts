import { useState } from "react";
import { movingNsd, type NsdField } from "../api/queries.ts";
import type { Asker } from "../chat/ask.ts";
import { walletProblem } from "../wallet/failure.ts";
import { loadWallet } from "../wallet/session.ts";
import type { Wallet } from "../wallet/wagmi.ts";

export interface Moving {
  readonly busy: boolean;
  readonly problem: string | undefined;
  /** Resolves when it is over, whatever became of it; `done` hears of success alone. */
  readonly move: (field: NsdField, work: (wallet: Wallet) => Promise<unknown>, done?: () => void) => Promise<void>;
}

/** Moves an account's NSD by its wallet, and says what stood in the way. */
export function useMoving({ account, network }: Asker): Moving {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const move: Moving["move"] = async (field, work, done) => {
    setBusy(true);
    setProblem(undefined);
    try {
      const wallet = await loadWallet(network);
      await movingNsd(account.address, field, () => work(wallet));
      done?.();
    } catch (error) {
      setProblem(walletProblem(error));
    }
    setBusy(false);
  };
  return { busy, problem, move };
}

import type { Address } from "viem";
import { routerAbi } from "../chain/contracts.ts";
import * as requests from "../database/requests.ts";
import { NONCES_AHEAD } from "./admission.ts";
import type { Context } from "./context.ts";
import { ApiError } from "./errors.ts";

/** For so long a nonce that was handed out is not handed out again, while there are others. */
const HELD_MS = 20_000;

/** Hands out nonces for messages that are still to be signed. */
export class Nonces {
  readonly #context: Context;
  readonly #held = new Map<string, Map<number, number>>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** The lowest nonce that is neither used on chain nor under way, and, where possible, not offered moments ago. */
  async next(user: Address): Promise<number> {
    const { chain, deployment, database } = this.#context;
    const address = deployment.addresses.router;
    const [account, pending] = await Promise.all([
      chain.client.readContract({ address, abi: routerAbi, functionName: "accountOf", args: [user] }),
      requests.pendingOfUser(database, user),
    ]);
    const lowest = Number(account.nonce);
    const taken = new Set(pending.filter((row) => row.origin === "door").map((row) => row.nonce));
    const open = Array.from({ length: NONCES_AHEAD + 1 }, (_, index) => lowest + index).filter(
      (nonce) => !taken.has(nonce),
    );
    const held = this.#heldBy(user);
    const ordered = [...open.filter((nonce) => !held.has(nonce)), ...open.filter((nonce) => held.has(nonce))];
    for (const nonce of ordered) {
      const args = [user, BigInt(nonce)] as const;
      if (await chain.client.readContract({ address, abi: routerAbi, functionName: "isNonceUsed", args })) continue;
      // Looked up anew: while this waited for the chain, an empty list may have been cleared away.
      this.#heldBy(user).set(nonce, Date.now() + HELD_MS);
      return nonce;
    }
    throw new ApiError(
      429,
      "too_many_open",
      "Too many requests of yours are under way. Try again when one has ended.",
      {},
      5,
    );
  }

  /** It is in the journal now, which holds it better. */
  release(user: Address, nonce: number): void {
    this.#held.get(user.toLowerCase())?.delete(nonce);
  }

  #heldBy(user: Address): Map<number, number> {
    const key = user.toLowerCase();
    const now = Date.now();
    for (const [other, nonces] of this.#held) {
      for (const [nonce, until] of nonces) if (until < now) nonces.delete(nonce);
      if (nonces.size === 0) this.#held.delete(other);
    }
    const held = this.#held.get(key) ?? new Map<number, number>();
    this.#held.set(key, held);
    return held;
  }
}

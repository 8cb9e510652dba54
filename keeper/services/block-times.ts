import type { ChainConnection } from "../chain/clients.ts";

const KEPT = 512;

/** When blocks were made, unix seconds. */
export class BlockTimes {
  readonly #chain: ChainConnection;
  readonly #times = new Map<bigint, Promise<number>>();

  constructor(chain: ChainConnection) {
    this.#chain = chain;
  }

  of(block: bigint): Promise<number> {
    const known = this.#times.get(block);
    if (known) return known;
    const time = this.#chain.client.getBlock({ blockNumber: block }).then((found) => Number(found.timestamp));
    this.#times.set(block, time);
    time.catch(() => this.#times.delete(block));
    if (this.#times.size > KEPT) this.#times.delete(this.#times.keys().next().value ?? 0n);
    return time;
  }

  /** After a reorganisation they may differ. */
  forget(): void {
    this.#times.clear();
  }
}

import { complain } from "../console.ts";

/** What a start has running, in the order in which it came up: stopped from the last to the first. */
export class Running {
  readonly #stops: (() => Promise<void>)[] = [];

  add(stop: () => Promise<void>): void {
    this.#stops.push(stop);
  }

  async stop(): Promise<void> {
    for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) {
      await stop().catch((error: unknown) => complain(error));
    }
  }
}

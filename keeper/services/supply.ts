import { nsdAbi } from "../chain/contracts.ts";
import type { Context } from "./context.ts";

const EPOCH_SECONDS = 86_400n;

/** NSD burned since the deployment. Epochs that are over never change, and are read once. */
export class BurnedSum {
  readonly #context: Context;
  #next: bigint | undefined;
  #sum = 0n;

  constructor(context: Context) {
    this.#context = context;
  }

  async until(epoch: bigint): Promise<bigint> {
    const { deployment, times } = this.#context;
    this.#next ??= BigInt(await times.of(deployment.fromBlock)) / EPOCH_SECONDS;
    const from = this.#next;
    const epochs = Array.from({ length: Number(epoch - from) + 1 }, (_, index) => from + BigInt(index));
    const burned = await Promise.all(epochs.map((number) => this.#burnedIn(number)));
    const running = burned.pop() ?? 0n;
    const over = burned.reduce((sum, amount) => sum + amount, 0n);
    if (this.#next !== from) return this.until(epoch);
    this.#next = epoch;
    this.#sum += over;
    return this.#sum + running;
  }

  #burnedIn(epoch: bigint): Promise<bigint> {
    const { chain, deployment } = this.#context;
    const args = [epoch] as const;
    return chain.client.readContract({
      address: deployment.addresses.nsd,
      abi: nsdAbi,
      functionName: "burnedInEpoch",
      args,
    });
  }
}

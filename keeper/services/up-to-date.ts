import { LaggingError } from "../chain/follower.ts";
import type { Context } from "./context.ts";

/** Asked in the same batch as the state that it vouches for: from an endpoint behind what was read already, nothing is concluded. */
export async function requireUpToDate({ chain, readUpTo }: Pick<Context, "chain" | "readUpTo">): Promise<void> {
  const head = await chain.client.getBlockNumber({ cacheTime: 0 });
  if (head < readUpTo()) throw new LaggingError(head, readUpTo());
}

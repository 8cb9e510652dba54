/** Whether an answer could be kept: asked before work is taken, because a place that is lost costs the user time and the node points. */
import type { BlockStore, StoreHealth } from "../storage/blocks.ts";
import type { Context } from "./context.ts";
import { ApiError } from "./errors.ts";

/** For so long a store that was well counts as well; one that was not is looked at again each time. */
const FRESH_MS = 5_000;

const looks = new WeakMap<BlockStore, { readonly at: number; readonly health: Promise<StoreHealth> }>();

function look(blocks: BlockStore): Promise<StoreHealth> {
  const last = looks.get(blocks);
  if (last !== undefined && Date.now() - last.at < FRESH_MS) return last.health;
  const health = blocks.check();
  looks.set(blocks, { at: Date.now(), health });
  return health;
}

/** Turns new work away while the block store takes nothing: its disk is full, or it does not answer. */
export async function requireRoom({ blocks, log }: Pick<Context, "blocks" | "log">): Promise<void> {
  const { state, detail } = await look(blocks);
  if (state === "ok") return;
  looks.delete(blocks);
  log.warn({ detail }, "no more work is taken: the block store is not well");
  throw new ApiError(
    503,
    "storage_down",
    "This keeper cannot keep answers at the moment, so it takes no work. Try again later, or ask another validator.",
    {},
    10,
  );
}

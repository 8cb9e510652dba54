import type { StoreHealth } from "./blocks.ts";

/** Measures a probe; a failed one is a state, not an error. */
export async function timed(probe: () => Promise<void>): Promise<StoreHealth> {
  const start = performance.now();
  try {
    await probe();
    return { state: "ok", latencyMs: performance.now() - start };
  } catch (error) {
    return {
      state: "down",
      latencyMs: performance.now() - start,
      detail: error instanceof Error ? error.message : String(error),
    };
  }
}

/** How long a computation that does not end is waited for before another one is begun. */
const PATIENCE_MS = 30_000;

/**
 * Does the work at most once at a time, and answers with its outcome for `ms` after it ended: what is asked by everybody
 * is worked for once. A failure is kept as well, or asking for what fails would be the way to make it work.
 */
export function once<T>(ms: number, work: () => Promise<T>): () => Promise<T> {
  let latest: Promise<T> | undefined;
  let until = 0;
  return () => {
    if (latest !== undefined && performance.now() < until) return latest;
    const mine = work();
    const keep = (): void => {
      if (latest === mine) until = performance.now() + ms;
    };
    latest = mine;
    until = performance.now() + PATIENCE_MS;
    mine.then(keep, keep);
    return mine;
  };
}

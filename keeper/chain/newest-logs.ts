/** Looks for logs where only a part of the chain can be asked for at once. */
import type { ChainConnection } from "./clients.ts";

const BLOCKS_AT_ONCE = 2_000n;

interface Range {
  readonly fromBlock: bigint;
  /** The newest block where it is not given. */
  readonly toBlock?: bigint;
}

/**
 * Logs from `first` on. Endpoints bound what they answer with, each in its own way: where one refuses the whole, the chain
 * is read backwards range by range, until a log is `enough` or the blocks are older than `since`.
 */
export async function newestLogs<Log>(
  { client }: ChainConnection,
  first: bigint,
  read: (range: Range) => Promise<Log[]>,
  enough: (log: Log) => boolean,
  since: number,
): Promise<Log[]> {
  try {
    return await read({ fromBlock: first });
  } catch {
    // An endpoint that is away does not answer this either.
    let toBlock = await client.getBlockNumber();
    const found: Log[] = [];
    for (let blocks = BLOCKS_AT_ONCE; toBlock >= first; ) {
      const fromBlock = toBlock - first < blocks ? first : toBlock - blocks + 1n;
      let logs: Log[];
      try {
        logs = await read({ fromBlock, toBlock });
      } catch (cause) {
        if (blocks === 1n) throw cause;
        blocks /= 2n;
        continue;
      }
      found.unshift(...logs);
      if (logs.some(enough)) break;
      if (since > 0 && (await client.getBlock({ blockNumber: fromBlock })).timestamp < since) break;
      toBlock = fromBlock - 1n;
    }
    return found;
  }
}

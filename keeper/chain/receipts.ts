import { type Hash, type TransactionReceipt, TransactionReceiptNotFoundError } from "viem";
import type { TransactionRow } from "../database/transactions.ts";
import type { ChainConnection } from "./clients.ts";

/** The receipt of whichever version of a transaction was mined. */
export async function receiptOf(chain: ChainConnection, row: TransactionRow): Promise<TransactionReceipt | undefined> {
  for (const { hash } of row.attempts.toReversed()) {
    const receipt = await findReceipt(chain, hash);
    if (receipt) return receipt;
  }
  return undefined;
}

export async function findReceipt(chain: ChainConnection, hash: Hash): Promise<TransactionReceipt | undefined> {
  try {
    return await chain.client.getTransactionReceipt({ hash });
  } catch (error) {
    if (error instanceof TransactionReceiptNotFoundError) return undefined;
    throw error;
  }
}

/** Whether an endpoint still has it in mind. */
export async function isPending(chain: ChainConnection, hash: Hash): Promise<boolean> {
  try {
    await chain.client.getTransaction({ hash });
    return true;
  } catch {
    return false;
  }
}

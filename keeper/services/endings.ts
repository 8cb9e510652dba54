/** The transactions that move an open request of the assigned lane. */
import { encodeFunctionData, type Hex, toHex, zeroAddress } from "viem";
import { routerAbi } from "../chain/contracts.ts";
import type { RequestRow, TicketFields } from "../database/requests.ts";
import type { Context } from "./context.ts";

export interface Ending {
  readonly name: "settle" | "fail" | "decline" | "expire" | "assign";
  readonly call: (context: Context, row: RequestRow, ticket: TicketFields) => Hex | Promise<Hex>;
}

const withTicket = (name: "fail" | "decline" | "expire" | "assign"): Ending => ({
  name,
  call: (_context, _row, ticket) => encodeFunctionData({ abi: routerAbi, functionName: name, args: [ticket] }),
});

/** Who asked for a callback is handed the record itself: the contract cuts the answer out of it. */
const settle: Ending = {
  name: "settle",
  call: async (context, row, ticket) => {
    if (row.digest === null || row.cid === null || row.tokensUsed === null)
      throw new Error(`${row.key} is not answered`);
    const record = ticket.callback === zeroAddress ? undefined : await context.blocks.get(row.cid);
    if (ticket.callback !== zeroAddress && record === undefined) throw new Error(`the record of ${row.key} is gone`);
    const bytes = record === undefined ? "0x" : toHex(record);
    return encodeFunctionData({
      abi: routerAbi,
      functionName: "settle",
      args: [ticket, row.digest, BigInt(row.tokensUsed), bytes],
    });
  },
};

export const endings = {
  settle,
  confess: withTicket("fail"),
  decline: withTicket("decline"),
  expire: withTicket("expire"),
  assign: withTicket("assign"),
} as const;

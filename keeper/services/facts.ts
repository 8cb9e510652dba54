/** Looks up what `decide` has to know about a request. */
import { routerAbi } from "../chain/contracts.ts";
import { executionWindow, unpackTerms } from "../chain/words.ts";
import type { RequestRow } from "../database/requests.ts";
import { getTransaction } from "../database/transactions.ts";
import { type Context, chainNow } from "./context.ts";
import { CHAIN_STATUSES, type Facts } from "./decide.ts";

interface Inside {
  readonly answering: boolean;
  readonly refusal: { readonly code: string; readonly message: string } | undefined;
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

export async function gatherFacts(context: Context, row: RequestRow, inside: Inside): Promise<Facts> {
  const facts: Mutable<Facts> = {
    now: chainNow(context),
    ourValidator: context.validator.id,
    answering: inside.answering,
    recordKept: false,
    ...(inside.refusal ? { refusal: inside.refusal } : {}),
  };
  if (row.transactionId !== null) {
    const state = (await getTransaction(context.database, row.transactionId))?.state ?? "lost";
    facts.transaction = state === "written" || state === "sent" ? "open" : state;
    return facts;
  }
  if (row.cid !== null) facts.recordKept = await context.blocks.has(row.cid);
  if (row.lane === "direct" || row.requestId === null) facts.nonceUsed = await isNonceUsed(context, row);
  else facts.onChain = await readRequest(context, row);
  return facts;
}

function isNonceUsed({ chain, deployment }: Context, row: RequestRow): Promise<boolean> {
  const args = [row.user, BigInt(row.nonce)] as const;
  return chain.client.readContract({
    address: deployment.addresses.router,
    abi: routerAbi,
    functionName: "isNonceUsed",
    args,
  });
}

async function readRequest(
  { chain, deployment, catalogue }: Context,
  row: RequestRow,
): Promise<NonNullable<Facts["onChain"]>> {
  const address = deployment.addresses.router;
  const [view, offer] = await Promise.all([
    chain.client.readContract({ address, abi: routerAbi, functionName: "requestOf", args: [row.requestId ?? row.key] }),
    catalogue.offer(row.model),
  ]);
  const status = CHAIN_STATUSES[view.status] ?? "none";
  const seat =
    status === "assigned"
      ? await chain.client.readContract({
          address,
          abi: routerAbi,
          functionName: "validatorOf",
          args: [view.validator],
        })
      : undefined;
  const maxTokens = row.ticket === null ? row.maxTokens : unpackTerms(row.ticket.terms).maxTokens;
  return {
    status,
    validator: Number(view.validator),
    at: Number(view.since),
    queueWindow: offer.queueWindow,
    ackWindow: offer.ackWindow,
    executionWindow: executionWindow(offer, maxTokens),
    seenAt: Number(seat?.lastSeenAt ?? 0n),
  };
}

/** Looks up what `decide` has to know about a request. */
import { routerAbi } from "../chain/contracts.ts";
import { executionWindow, type Offer, unpackTerms } from "../chain/words.ts";
import type { RequestRow } from "../database/requests.ts";
import { getTransaction } from "../database/transactions.ts";
import { type Context, chainNow } from "./context.ts";
import { CHAIN_STATUSES, type Facts } from "./decide.ts";
import { requireUpToDate } from "./up-to-date.ts";

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
    rotated: context.validator.rotated !== undefined,
    recordKept: false,
    ...(inside.refusal ? { refusal: inside.refusal } : {}),
  };
  if (row.transactionId !== null) {
    const state = (await getTransaction(context.database, row.transactionId))?.state ?? "lost";
    facts.transaction = state === "written" || state === "sent" ? "open" : state;
    return facts;
  }
  if (row.cid !== null) facts.recordKept = row.withheld !== null || (await context.blocks.has(row.cid));
  if (row.lane === "session") return facts;
  const [found] = await Promise.all([
    row.lane === "direct" || row.requestId === null
      ? isNonceUsed(context, row).then((nonceUsed) => ({ nonceUsed }))
      : readRequest(context, row).then((onChain) => ({ onChain })),
    requireUpToDate(context),
  ]);
  return Object.assign(facts, found);
}

export function isNonceUsed({ chain, deployment }: Context, row: RequestRow): Promise<boolean> {
  const args = [row.user, BigInt(row.nonce)] as const;
  return chain.client.readContract({
    address: deployment.addresses.router,
    abi: routerAbi,
    functionName: "isNonceUsed",
    args,
  });
}

async function readRequest(context: Context, row: RequestRow): Promise<NonNullable<Facts["onChain"]>> {
  const { chain, deployment, catalogue } = context;
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
  const eligible = status === "queued" && (await isEligible(context, row, offer));
  const maxTokens = row.ticket === null ? row.maxTokens : unpackTerms(row.ticket.terms).maxTokens;
  return {
    status,
    validator: Number(view.validator),
    at: Number(view.since),
    cancelling: view.cancelling,
    eligible,
    queueWindow: offer.queueWindow,
    ackWindow: offer.ackWindow,
    executionWindow: executionWindow(offer, maxTokens),
    seenAt: Number(seat?.lastSeenAt ?? 0n),
  };
}

const LEAST_REPUTATION = 50n;

/** Whether the router could choose our validator for a queued request, as far as can be seen without asking it to. */
async function isEligible(context: Context, row: RequestRow, offer: Offer): Promise<boolean> {
  const { chain, deployment, model, validator } = context;
  if (validator.id === 0 || row.model !== model) return false;
  const read = { address: deployment.addresses.router, abi: routerAbi } as const;
  const [seat, earlier] = await Promise.all([
    chain.client.readContract({ ...read, functionName: "validatorOf", args: [BigInt(validator.id)] }),
    chain.client.readContract({ ...read, functionName: "earlierOf", args: [row.requestId ?? row.key] }),
  ]);
  const serves = ((seat.models >> BigInt(offer.model)) & 1n) === 1n;
  const free = !seat.closed && seat.reputation >= LEAST_REPUTATION && seat.load < seat.capacity;
  return serves && free && !earlier.includes(BigInt(validator.id));
}

/** Whether the operator's key still operates its validator, and what a key takes over from the one before it. */
import type { Address } from "viem";
import type { ChainConnection } from "../chain/clients.ts";
import { type Deployment, routerAbi, validatorsAbi } from "../chain/contracts.ts";
import * as requests from "../database/requests.ts";
import type { Context } from "./context.ts";
import { ApiError } from "./errors.ts";
import { isNonceUsed } from "./facts.ts";
import type { Outcomes } from "./outcomes.ts";
import { ROTATED } from "./troubles.ts";

/** A validator that appointed another key. */
export interface Rotated {
  readonly validatorId: number;
  /** Who operates it now. */
  readonly operator: Address;
}

export interface Post {
  /** Id of the validator that the key works for, 0 for none. */
  readonly id: number;
  readonly rotated?: Rotated;
}

export async function readPost(chain: ChainConnection, deployment: Deployment, key: Address): Promise<Post> {
  const { client } = chain;
  const { router, validators } = deployment.addresses;
  const id = await client.readContract({
    address: router,
    abi: routerAbi,
    functionName: "validatorIdOf",
    args: [key],
  });
  if (id !== 0n) return { id: Number(id) };
  const registry = { address: validators, abi: validatorsAbi } as const;
  const former = await client.readContract({ ...registry, functionName: "formerlyOf", args: [key] });
  if (former === 0n) return { id: 0 };
  const { operator } = await client.readContract({ ...registry, functionName: "validatorById", args: [former] });
  return { id: 0, rotated: { validatorId: Number(former), operator } };
}

export const rotatedWords = ({ validatorId, operator }: Rotated): string =>
  `validator ${validatorId} is operated by another key now, ${operator}: start this keeper with that one`;

/** Turns work away from a key that operates nothing any more. */
export function requirePost({ validator }: Pick<Context, "validator">): void {
  if (validator.rotated === undefined) return;
  const { validatorId, operator } = validator.rotated;
  throw new ApiError(
    503,
    "operator_rotated",
    `Validator ${validatorId} is operated by another key now, ${operator}. This keeper takes no more work: ask the validator where it serves now.`,
    { validator_id: validatorId, operator },
  );
}

/**
 * Takes up what an earlier key of this validator left in the journal. What is assigned to the validator goes on; direct
 * intents and sessions name the key itself, and are void unless the chain has them already.
 */
export async function takeOver(context: Context, outcomes: Outcomes): Promise<void> {
  const { chain, database, deployment, log, operator, validator } = context;
  if (validator.id === 0) return;
  for (const earlier of await requests.otherOperators(database, operator)) {
    const { rotated } = await readPost(chain, deployment, earlier);
    if (rotated?.validatorId !== validator.id) continue;
    const rows = await requests.unfinishedRequests(database, earlier);
    for (const row of rows) {
      const gone = row.lane === "session" || (row.lane === "direct" && !(await isNonceUsed(context, row)));
      if (gone) await outcomes.giveUp(row.key, ROTATED.code, ROTATED.message);
    }
    await requests.handOver(database, earlier, operator);
    log.info({ earlier, open: rows.length }, "took over the work of the validator's earlier key");
  }
}

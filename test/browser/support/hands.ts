/** Moves a request of the core in memory by hand, as the chain would tell of it. */
import type { Page } from "playwright-core";
import { type Hex, toHex } from "viem";
import type { AttemptState, RequestState } from "../../../keeper/services/types.ts";
import type { Kept } from "../../keeper/support/fake-reads.ts";
import { emit, settle } from "../../keeper/support/fake-state.ts";
import type { Outside } from "../../keeper/support/http.ts";
import type { Stage } from "./stage.ts";

type Failure = NonNullable<AttemptState["failure"]>;

export const TRANSACTION = toHex(7n, { size: 32 });

/** The request that was asked last. */
export function newest(keeper: Outside): Kept & { readonly id: Hex } {
  const entry = [...keeper.kept.entries()].at(-1);
  if (!entry) throw new Error("nothing was asked");
  return { ...entry[1], id: entry[0] };
}

const attempts = ({ state }: Kept): AttemptState[] => [...(state.attempts ?? [])];

export function queue(entry: Kept): void {
  Object.assign(entry.state, { status: "queued", validatorId: undefined, attempts: attempts(entry) });
  emit(entry, { type: "phase", phase: "queued" });
}

export function assign(entry: Kept, validatorId: number): void {
  const turns = [...attempts(entry), { validatorId, at: new Date() }];
  Object.assign(entry.state, { status: "processing", validatorId, attempts: turns });
  emit(entry, { type: "phase", phase: "assigned", detail: { validator_id: validatorId } });
}

export function answering(entry: Kept, token: string): void {
  emit(entry, { type: "phase", phase: "answering" });
  Object.assign(entry.state, { response: token });
  emit(entry, { type: "token", token });
}

/** More of an answer that has begun. */
export function say(entry: Kept, token: string): void {
  entry.state.response += token;
  emit(entry, { type: "token", token });
}

/** Whoever has it fails; another one is to be assigned behind this. */
export function fail(entry: Kept, failure: Failure): void {
  const { validatorId = 0 } = entry.state;
  Object.assign(entry.state, { response: "", attempts: withFailure(entry, failure) });
  emit(entry, {
    type: "phase",
    phase: "attempt_failed",
    detail: { validator_id: validatorId, class: failure, message: "As the keeper says it." },
  });
}

function withFailure(entry: Kept, failure: Failure): AttemptState[] {
  const turns = attempts(entry);
  const last = turns.pop();
  return last ? [...turns, { ...last, failure }] : turns;
}

export function cancelling(entry: Kept, until: Date): void {
  Object.assign(entry.state, { cancellingUntil: until });
  const detail = { validator_id: entry.state.validatorId ?? 0, until: until.toISOString() };
  emit(entry, { type: "phase", phase: "cancelling", detail });
}

/** It is answered, and settled at once. */
export function complete(entry: Kept, response: string, more: Partial<RequestState> = {}): void {
  Object.assign(entry.state, { response, tokensUsed: 4, finishReason: "stop" });
  for (const phase of ["answered", "stored", "settling"] as const) emit(entry, { type: "phase", phase });
  settle(entry.state);
  Object.assign(entry.state, { cid: "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", ...more });
  delete entry.state.cancellingUntil;
  emit(entry, { type: "phase", phase: "settled" });
  emit(entry, { type: "final" });
}

/** It ends without an answer, and so many percent of the payment come back. */
export function end(entry: Kept, failure: Failure | "cancelled", percent: number): void {
  const { payment } = entry.state;
  const returned = (payment * BigInt(percent)) / 100n;
  const status = failure === "cancelled" ? "cancelled" : "failed";
  Object.assign(entry.state, {
    status,
    returned,
    penalty: payment - returned,
    settleTx: TRANSACTION,
    settledAt: new Date(),
    error: { code: failure, message: "As the keeper says it." },
    ...(failure === "cancelled" ? {} : { attempts: withFailure(entry, failure) }),
  });
  delete entry.state.cancellingUntil;
  emit(entry, { type: "phase", phase: status });
  emit(entry, { type: "final" });
}

/** Lets the network pick who answers, in the settings of the next question. */
export async function anyValidator(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByLabel("Answered by").selectOption("assigned");
}

/** Asks any validator, and waits for the request to be followed. */
export async function askAny(stage: Stage, page: Page, prompt: string): Promise<ReturnType<typeof newest>> {
  await anyValidator(page);
  await page.getByRole("button", { name: "Settings" }).click();
  const before = stage.keeper.kept.size;
  await stage.ask(page, prompt);
  await stage.soon(() => stage.keeper.kept.size).toBe(before + 1);
  await page.locator(".phases").last().getByText("Accepted").waitFor();
  return newest(stage.keeper);
}

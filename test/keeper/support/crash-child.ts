/** A keeper that ends itself the hard way at a named point, after it has taken one request. Run by core-crash.test.ts. */
import { pino } from "pino";
import { CANCEL_TYPES } from "../../../keeper/chain/intents.ts";
import { readSettings } from "../../../keeper/config.ts";
import { startKeeper } from "../../../keeper/main.ts";
import type { Lane } from "../../../keeper/services/types.ts";
import { account } from "./chain.ts";
import { ask, request } from "./keeper.ts";

export interface CrashPlan {
  readonly overrides: Record<string, string>;
  readonly lane: Lane;
  readonly user: number;
  readonly prompt: string;
  readonly point: string;
  /** How often the point is passed before it is the end; of a cancellation, from its beginning. */
  readonly pass: number;
  /** How many requests it takes, one when absent. */
  readonly requests?: number;
  /** Whether the user takes it back again. */
  readonly cancel?: boolean;
}

const plan = JSON.parse(process.argv[2] ?? "{}") as CrashPlan;
let passes = 0;
let counting = !plan.cancel;
const keeper = await startKeeper(readSettings(plan.overrides, {}), new AbortController().signal, {
  log: pino({ level: "silent" }),
  probe: (point) => {
    if (counting && point === plan.point && passes++ === plan.pass) process.kill(process.pid, "SIGKILL");
  },
});
const user = account(plan.user);
const asked = await Promise.all(
  Array.from({ length: plan.requests ?? 1 }, () => request(keeper, plan.lane, user, ask(user.address, plan.prompt))),
);
for (const { state } of plan.cancel ? asked : []) {
  const offer = await keeper.services.requests.prepareCancel(state.requestId);
  if (!("data" in offer)) throw new Error("it was cancelled already");
  const signature = await user.signTypedData({ ...offer.data, types: CANCEL_TYPES });
  counting = true;
  await keeper.services.requests.cancel(state.requestId, offer.data.message.deadline, signature);
}

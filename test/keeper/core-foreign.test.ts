/** What is asked of one keeper, and answered by another: on chain is a digest, and the answer is in its record. */
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "../../keeper/database/open.ts";
import type { Keeper } from "../../keeper/main.ts";
import type { RequestEvent, RequestState } from "../../keeper/services/types.ts";
import { account, privateKey } from "./support/chain.ts";
import { coreFixture } from "./support/core.ts";
import { ask, dataFolder, keeperOn, request } from "./support/keeper.ts";

const RELAYS = 7;

/** Called when a record is stored, before it is settled. */
let onStored: () => Promise<void> = async () => {};
const core = coreFixture({}, { probe: (point) => (point === "stored" ? onStored() : undefined) });
let folder: Awaited<ReturnType<typeof dataFolder>>;
/** Takes questions, and has no validator that could answer them. */
let relay: Keeper;

const start = (): Promise<Keeper> => keeperOn(core.chain, folder.path, { OPERATOR_KEY: privateKey(RELAYS) });
const handOver = (): Promise<void> => cp(join(core.path, "blocks"), join(folder.path, "blocks"), { recursive: true });

beforeAll(async () => {
  folder = await dataFolder();
  relay = await start();
});
afterAll(async () => {
  await relay?.stop();
  await folder?.remove();
});

async function asked(prompt: string, keeper = relay): Promise<RequestState> {
  const user = account(2);
  return (await request(keeper, "assigned", user, ask(user.address, prompt))).state;
}

/** What is told of a request, up to its end. */
async function told(keeper: Keeper, { requestId }: RequestState): Promise<RequestEvent[]> {
  const events: RequestEvent[] = [];
  const over = Promise.withResolvers<void>();
  const stop = await keeper.services.requests.follow(requestId, 0, (event) => {
    events.push(event);
    if (event.type === "final") over.resolve();
  });
  await over.promise;
  stop();
  return events;
}

const finals = (events: readonly RequestEvent[]): RequestState[] =>
  events.flatMap((event) => (event.type === "final" ? [event.state] : []));

test("an answer whose record can be had is told with the end", async () => {
  onStored = async () => {
    onStored = async () => {};
    await handOver();
  };
  const state = await asked("Who has it?");
  const [final] = finals(await told(relay, state));
  const theirs = await core.keeper.services.requests.status(state.requestId);
  expect(final).toMatchObject({ status: "completed", validatorId: core.keeper.validatorId, finishReason: "length" });
  expect(final?.response).not.toBe("");
  expect(final).toMatchObject({ response: theirs?.response, cid: theirs?.cid, tokensUsed: theirs?.tokensUsed });
});

test("an answer whose record comes later is there when somebody asks for it, and was paid for meanwhile", async () => {
  const state = await asked("Who had it?");
  const [final] = finals(await told(relay, state));
  expect(final).toMatchObject({ status: "completed", validatorId: core.keeper.validatorId, response: "" });
  expect(final?.consumed).toBeGreaterThan(0n);
  expect(final?.finishReason).toBeUndefined();
  await handOver();
  await relay.stop();
  relay = await start();
  const theirs = await core.keeper.services.requests.status(state.requestId);
  await expect
    .poll(() => relay.services.requests.status(state.requestId), { timeout: 20_000 })
    .toMatchObject({ response: theirs?.response, finishReason: "length" });
});

test("an end that was written down, and not told before the process ended, is told to whoever follows it", async () => {
  const state = await asked("Did you hear the end?", core.keeper);
  const before = await told(core.keeper, state);
  const { path } = core;
  await core.keeper.stop();
  const database = await openDatabase({ databaseUrl: undefined, dataDir: path }, () => {});
  await database.query(
    "delete from request_events where key in (select key from requests where request_id = $1) and seq >= $2",
    [state.requestId, before.length - 1],
  );
  await database.close();
  await core.restart();
  const [first, second] = await Promise.all([told(core.keeper, state), told(core.keeper, state)]);
  expect(finals(first)).toHaveLength(1);
  expect(first).toEqual(before);
  expect(second).toEqual(before);
});

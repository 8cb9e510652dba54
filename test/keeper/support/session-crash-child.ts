/** A keeper that ends itself the hard way at a named point of a session. Run by session-crash.test.ts. */
import { pino } from "pino";
import { createPublicClient, type Hex, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { localBookPath, readAddressBook } from "../../../deploy/addresses.ts";
import { readSettings } from "../../../keeper/config.ts";
import { startKeeper } from "../../../keeper/main.ts";
import { account } from "./chain.ts";
import { HeldByTest, openSession, type Place } from "./sessions.ts";

export interface SessionCrashPlan {
  readonly overrides: Record<string, string>;
  readonly point: string;
  /** How often the point is passed before it is the end. */
  readonly pass: number;
  readonly user: number;
  readonly key: Hex;
  readonly prompt: string;
}

const plan = JSON.parse(process.argv[2] ?? "{}") as SessionCrashPlan;
let passes = 0;
const keeper = await startKeeper(readSettings(plan.overrides, {}), new AbortController().signal, {
  log: pino({ level: "silent" }),
  probe: (point) => {
    if (point === plan.point && passes++ === plan.pass) process.kill(process.pid, "SIGKILL");
  },
});
const { DATA_DIR = "", RPC_URL = "" } = plan.overrides;
const router = readAddressBook(localBookPath(DATA_DIR, 31_337))?.contracts.router ?? "0x";
const client = createPublicClient({ transport: http(RPC_URL) });
const place = { keeper, router, chain: { client } } as unknown as Place;
const key = privateKeyToAccount(plan.key);
const opened = await openSession(place, account(plan.user), { key: key.address });
const session = new HeldByTest(place, String(opened.body["session_id"]) as Hex, key);
await session.ask(plan.prompt);
await session.close();

import { pino } from "pino";
import { type Hex, parseGwei } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ChainConnection, connectChain } from "../../keeper/chain/clients.ts";
import { OnChainError } from "../../keeper/chain/errors.ts";
import { Sender } from "../../keeper/chain/sender.ts";
import type { Database } from "../../keeper/database/database.ts";
import { migrate } from "../../keeper/database/migrations.ts";
import { openPglite } from "../../keeper/database/pglite.ts";
import { getTransaction, openTransactions } from "../../keeper/database/transactions.ts";
import { account, privateKey, startChain, type TestChain } from "./support/chain.ts";

const INDEX = 6;
const known = (): boolean => true;
const nothing = { purpose: "nothing", to: account(7).address, data: "0x" as Hex };

let chain: TestChain;
let connection: ChainConnection;
let database: Database;
let clock = 0;

const open = (probe: (point: string) => void = () => {}): Sender =>
  new Sender({
    chain: connection,
    account: privateKeyToAccount(privateKey(INDEX)),
    database,
    log: pino({ level: "silent" }),
    probe,
    now: () => clock,
  });

beforeAll(async () => {
  chain = await startChain();
  connection = await connectChain([chain.rpcUrl], 100);
});

afterAll(() => chain?.stop());

beforeEach(async () => {
  clock = 1_000_000;
  database = await openPglite(undefined);
  await migrate(database);
});

afterEach(async () => {
  await chain.client.setAutomine(true);
  await chain.client.mine({ blocks: 1 });
  await database.close();
});

describe("the sender", () => {
  test("signs once for a purpose, however often it is asked while that is under way", async () => {
    await chain.client.setAutomine(false);
    const sender = open();
    const [first, second] = await Promise.all([sender.send(nothing), sender.send(nothing)]);
    expect(second).toBe(first);
    const other = await sender.send({ ...nothing, purpose: "something else" });
    const rows = await openTransactions(database, sender.address);
    expect(rows.map(({ id }) => id)).toEqual([first, other]);
    expect(rows[1]?.nonce).toBe((rows[0]?.nonce ?? 0) + 1);
  });

  test("has written a transaction down before an endpoint hears of it", async () => {
    // Else a block comes a moment after what it holds was taken, and perhaps behind the look at it.
    await chain.client.setAutomine(false);
    const states: string[] = [];
    let sender: Sender;
    const probe = (point: string): void => {
      states.push(point);
      if (point === "written") throw new Error("the process ends here");
    };
    sender = open(probe);
    await expect(sender.send(nothing)).rejects.toThrow("the process ends here");
    const [row] = await openTransactions(database, sender.address);
    expect(row).toMatchObject({ state: "written", purpose: "nothing" });
    sender = open();
    await sender.check(known);
    await chain.client.mine({ blocks: 1 });
    await sender.check(known);
    expect(await getTransaction(database, row?.id ?? 0)).toMatchObject({
      state: "mined",
      minedStatus: "success",
      minedHash: row?.attempts[0]?.hash,
    });
  });

  test("replaces what is stuck under the same nonce, with a fee that is taken", async () => {
    await chain.client.setAutomine(false);
    const sender = open();
    const id = await sender.send(nothing);
    await sender.check(known);
    const first = (await getTransaction(database, id))?.attempts[0]?.hash ?? "0x";
    await chain.client.dropTransaction({ hash: first });
    await chain.client.mine({ blocks: 3 });
    clock += 60_000;
    await sender.check(known);
    const row = await getTransaction(database, id);
    expect(row?.attempts).toHaveLength(2);
    expect(row?.attempts[1]?.maxFeePerGas).toBeGreaterThan(row?.attempts[0]?.maxFeePerGas ?? 0n);
    await chain.client.mine({ blocks: 1 });
    await sender.check(known);
    const mined = await getTransaction(database, id);
    expect(mined).toMatchObject({ state: "mined", minedHash: row?.attempts[1]?.hash });
  });

  test("offers no more while the chain makes no blocks", async () => {
    await chain.client.setAutomine(false);
    const sender = open();
    const id = await sender.send(nothing);
    for (let round = 0; round < 100; round++) {
      clock += 60_000;
      await sender.check(known);
    }
    expect((await getTransaction(database, id))?.attempts).toHaveLength(1);
  });

  test("offers no more than a few times the market, and sends again what was forgotten", async () => {
    await chain.client.setAutomine(false);
    const sender = open();
    const id = await sender.send(nothing);
    for (let round = 0; round < 20; round++) {
      clock += 60_000;
      await sender.check(known);
      const last = (await getTransaction(database, id))?.attempts.at(-1)?.hash ?? "0x";
      await chain.client.dropTransaction({ hash: last });
      await chain.client.mine({ blocks: 3 });
    }
    const attempts = (await getTransaction(database, id))?.attempts ?? [];
    const [first, last] = [attempts[0], attempts.at(-1)];
    expect(attempts.length).toBeGreaterThan(2);
    expect(last?.maxFeePerGas).toBeLessThanOrEqual(4n * (first?.maxFeePerGas ?? 0n));
    await sender.check(known);
    await chain.client.mine({ blocks: 1 });
    await sender.check(known);
    expect(await getTransaction(database, id)).toMatchObject({ state: "mined", minedHash: last?.hash });
  });

  test("notices that its nonce went to another transaction, and says so", async () => {
    await chain.client.setAutomine(false);
    const sender = open((point) => {
      if (point === "written") throw new Error("not sent");
    });
    await sender.send(nothing).catch(() => {});
    const [row] = await openTransactions(database, sender.address);
    const foreign = await privateKeyToAccount(privateKey(INDEX)).signTransaction({
      type: "eip1559",
      chainId: 31_337,
      nonce: row?.nonce ?? 0,
      to: account(8).address,
      gas: 21_000n,
      maxFeePerGas: parseGwei("100"),
      maxPriorityFeePerGas: parseGwei("2"),
    });
    await chain.client.sendRawTransaction({ serializedTransaction: foreign });
    await chain.client.mine({ blocks: 1 });
    const resolved: number[] = [];
    sender.onResolved(({ id }) => resolved.push(id));
    for (let look = 0; look < 3; look++) await sender.check(known);
    expect(await getTransaction(database, row?.id ?? 0)).toMatchObject({ state: "lost" });
    expect(resolved).toEqual([row?.id]);
  });

  test("counts no receipt of a block that nobody watches", async () => {
    await chain.client.setAutomine(false);
    const sender = open();
    const id = await sender.send(nothing);
    await chain.client.mine({ blocks: 1 });
    await sender.check(() => false);
    expect(await getTransaction(database, id)).toMatchObject({ state: "sent" });
    await sender.check(known);
    expect(await getTransaction(database, id)).toMatchObject({ state: "mined" });
  });

  test("sends nothing that the contracts refuse, and names the refusal", async () => {
    const sender = open();
    const to = chain.book.contracts.router;
    // heartbeat() of a key that operates nothing.
    const attempt = sender.send({ purpose: "heartbeat", to, data: "0x3defb962" });
    await expect(attempt).rejects.toThrow(OnChainError);
    await expect(attempt).rejects.toMatchObject({ errorName: "RouterNotServing" });
    expect(await openTransactions(database, sender.address)).toEqual([]);
  });
});

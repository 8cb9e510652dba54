import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  concat,
  createWalletClient,
  type Hex,
  http,
  keccak256,
  type LocalAccount,
  parseEther,
  sha256,
  stringToBytes,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { foundry } from "viem/chains";
import { describe, expect, test } from "vitest";
import { receiptTypedData, recordsRoot, routerAbi } from "../../client/index.ts";
import { converse } from "../../examples/session-chat.ts";
import { SessionClient, type SessionError, type Wallet } from "../../examples/session-client.ts";
import { account, privateKey } from "../keeper/support/chain.ts";
import { coreFixture } from "../keeper/support/core.ts";

const core = coreFixture();
const CAP = parseEther("100");
const terms = { cap: CAP, seconds: 3_600 };

const walletOf = (from: LocalAccount): Wallet =>
  createWalletClient({ account: from, chain: foundry, transport: http(core.chain.rpcUrl) });
const open = (from: LocalAccount, more: Partial<typeof terms> = {}, key?: LocalAccount) =>
  SessionClient.open(core.keeper.url, walletOf(from), core.router, { ...terms, ...more }, key);
const stateOf = (id: Hex) =>
  core.chain.client.readContract({ address: core.router, abi: routerAbi, functionName: "sessionOf", args: [id] });
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "nothing was refused",
    (error: SessionError) => error.code,
  );

describe("the example", () => {
  test("opens, asks, prints answers with what each cost, closes, and gets the surplus back", async () => {
    const user = account(1);
    const before = await core.creditsOf(user.address);
    const lines: string[] = [];
    const back = await converse(core.keeper.url, walletOf(user), core.router, ["One?", "Two?", "Three?"], (line) =>
      lines.push(line),
    );
    const spent = CAP - back;
    expect(spent).toBeGreaterThanOrEqual(parseEther("15"));
    expect(await core.creditsOf(user.address)).toBe(before - spent);
    const prices = lines.flatMap((line) => /\(([\d.]+) NSD\)/.exec(line)?.[1] ?? []);
    expect(prices).toHaveLength(3);
    expect(prices.reduce((sum, price) => sum + parseEther(price), 0n)).toBe(spent);
    expect(lines.at(-1)).toMatch(/^\nSession closed: /);
  });
});

describe("the example as a program", () => {
  test("asks the keeper that it is told of, as the account that it is given", { timeout: 120_000 }, async () => {
    const file = fileURLToPath(new URL("../../examples/session-chat.ts", import.meta.url));
    const env = { ...process.env, KEEPER_URL: core.keeper.url, PRIVATE_KEY: privateKey(4) };
    const { stdout } = await promisify(execFile)(process.execPath, [file], { env });
    expect(stdout).toMatch(/^Session 0x[0-9a-f]{64}: 100 NSD locked\./);
    expect(stdout.match(/^> /gm)).toHaveLength(3);
    expect(stdout.match(/^\([\d.]+ NSD\)$/gm)).toHaveLength(3);
    expect(stdout).toMatch(/Session closed: [\d.]+ NSD paid, [\d.]+ NSD back in credits\.\n$/);
  });
});

describe("a session", () => {
  test("locks its cap under the id that both sides compute, and is paid to the wei", async () => {
    const user = account(2);
    const before = await core.creditsOf(user.address);
    const session = await open(user);
    expect(await core.creditsOf(user.address)).toBe(before - CAP);
    expect(await stateOf(session.id)).toMatchObject({ open: true, cap: CAP, settled: 0n, count: 0n });
    const answer = await session.ask("What is staked?", { maxTokens: 20 });
    expect(answer.text).not.toBe("");
    expect(session.spent).toBe(answer.price);
    expect(await session.status()).toMatchObject({ prompts: 1, spent: answer.price, remaining: CAP - answer.price });
    const closed = await session.close();
    expect(closed).toMatchObject({ status: "closed", settled: answer.price });
    expect(await core.creditsOf(user.address)).toBe(before - answer.price);
    expect((await stateOf(session.id)).open).toBe(false);
    expect(await codeOf(session.ask("And now?"))).toBe("session_closed");
  });

  test("is settled with a receipt whose root is of the records that were bought", async () => {
    const session = await open(account(3));
    await session.ask("First", { maxTokens: 8 });
    await session.ask("Second", { maxTokens: 8 });
    await session.close();
    const [event] = await core.chain.client.getContractEvents({
      address: core.router,
      abi: routerAbi,
      eventName: "SessionSettled",
      args: { id: session.id },
      fromBlock: 0n,
      strict: true,
    });
    const { requests: history } = await core.keeper.services.reads.history(account(3).address, 2);
    const bytes = await Promise.all(history.map(({ cid = "" }) => core.keeper.services.reads.block(cid)));
    const digests = bytes.map((block) => sha256(block ?? new Uint8Array())).toReversed();
    expect(event?.args.prompts).toBe(2n);
    expect(event?.args.root).toBe(recordsRoot(digests));
    expect(history.every(({ settleTx }) => settleTx === event?.transactionHash)).toBe(true);
  });

  test("does not pay more than it was told to", async () => {
    const session = await open(account(3));
    expect(await codeOf(session.ask("Cheaply?", { maxTokens: 50, atMost: parseEther("1") }))).toBe("too_dear");
    expect(session.spent).toBe(0n);
  });

  test("is not opened above the credits", async () => {
    expect(await codeOf(open(account(4), { cap: parseEther("5000") }))).toBe("insufficient_credits");
  });
});

describe("the root of records", () => {
  const [a, b, c] = ["a", "b", "c"].map((text) => sha256(stringToBytes(text))) as [Hex, Hex, Hex];
  const pair = (left: Hex, right: Hex) => keccak256(concat([left, right]));

  test.each<[string, readonly Hex[], Hex]>([
    ["one", [a], a],
    ["two", [a, b], pair(a, b)],
    ["three", [a, b, c], pair(pair(a, b), c)],
    ["four", [a, b, c, a], pair(pair(a, b), pair(c, a))],
    ["five", [a, b, c, a, b], pair(pair(pair(a, b), pair(c, a)), b)],
  ])("of %s", (_, digests, root) => {
    expect(recordsRoot(digests)).toBe(root);
  });

  test("and a receipt's digest are what the contract computes", async () => {
    const receipt = { count: 2, total: parseEther("10"), root: recordsRoot([a, b]) };
    const signer = privateKeyToAccount(keccak256("0x01"));
    const data = receiptTypedData(31_337, core.router, a, receipt);
    const hash = await core.chain.client.readContract({
      address: core.router,
      abi: routerAbi,
      functionName: "hashReceipt",
      args: [a, receipt],
    });
    const signature = await signer.signTypedData(data);
    expect(await signer.sign({ hash })).toBe(signature);
  });
});

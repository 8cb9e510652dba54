import {
  concat,
  createPublicClient,
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
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { modelId, recordsRoot, routerAbi } from "../../client/index.ts";
import {
  SessionClient,
  SessionError,
  type SignedReceipt,
  verifyReceipt,
  type Wallet,
} from "../../examples/session-client.ts";
import { account, MODEL, OPERATOR_INDEX, startChain, type TestChain } from "../keeper/support/chain.ts";

const CHAIN = 31_337;
const PRICES = [parseEther("8"), parseEther("5"), parseEther("6.5")] as const;
const DIGESTS = ["a", "b", "c"].map((text) => sha256(stringToBytes(text)));
const CAP = parseEther("100");
const user = account(1);
const operator = account(OPERATOR_INDEX);

let chain: TestChain;
let client: ReturnType<typeof connect>;
let untouched: Hex;

const connect = (rpcUrl: string) =>
  createPublicClient({ chain: foundry, transport: http(rpcUrl), pollingInterval: 20, cacheTime: 0 });

beforeAll(async () => {
  chain = await startChain();
  client = connect(chain.rpcUrl);
});
afterAll(() => chain?.stop());
beforeEach(async () => {
  untouched = await chain.client.snapshot();
});
afterEach(() => chain.client.revert({ id: untouched }));

const walletOf = (from: LocalAccount): Wallet =>
  createWalletClient({ account: from, chain: foundry, transport: http(chain.rpcUrl) });
const router = () => chain.book.contracts.router;
const terms = { validator: operator.address, model: MODEL, cap: CAP, seconds: 3_600 };
const open = (key?: LocalAccount) => SessionClient.open(client, walletOf(user), router(), terms, key);
const creditsOf = async (): Promise<bigint> =>
  (await client.readContract({ address: router(), abi: routerAbi, functionName: "accountOf", args: [user.address] }))
    .credits;
const stateOf = (id: Hex) =>
  client.readContract({ address: router(), abi: routerAbi, functionName: "sessionOf", args: [id] });
const hashed = ({ session }: SessionClient) => ({ ...session, model: modelId(session.model) });
const settle = (opened: SessionClient, { receipt, signature }: SignedReceipt) =>
  chain.write(operator, router(), routerAbi, "settleSession", [hashed(opened), receipt, signature]);
/** Simulated: what is sent with a limit of gas does not say why it was reverted. */
const refused = async (
  opened: SessionClient,
  { receipt, signature }: SignedReceipt,
  from: LocalAccount,
  why: RegExp,
) => {
  const call = { address: router(), abi: routerAbi, functionName: "settleSession", account: from } as const;
  await expect(client.simulateContract({ ...call, args: [hashed(opened), receipt, signature] })).rejects.toThrow(why);
};

/** Receipts for the first `n` prompts, each as it was handed over. */
async function receipts(opened: SessionClient, n: number): Promise<SignedReceipt[]> {
  const all: SignedReceipt[] = [];
  for (let i = 0; i < n; i++) all.push(await opened.receipt(DIGESTS[i] ?? "0x", PRICES[i] ?? 0n));
  return all;
}

function at(all: readonly SignedReceipt[], index: number): SignedReceipt {
  const found = all[index];
  if (!found) throw new Error(`there is no receipt ${index}`);
  return found;
}

describe("a session", () => {
  test("locks its cap under the id that both sides compute", async () => {
    const before = await creditsOf();
    const opened = await open();
    expect(await creditsOf()).toBe(before - CAP);
    expect(await stateOf(opened.id)).toMatchObject({ open: true, cap: CAP, settled: 0n, count: 0n });
    const hash = { address: router(), abi: routerAbi, functionName: "hashSession", args: [hashed(opened)] } as const;
    expect(await client.readContract(hash)).toBe(opened.id);
  });

  test("is settled twice by the validator, and what is left unlocks when it has ended", async () => {
    const before = await creditsOf();
    const opened = await open();
    const all = await receipts(opened, 3);
    await settle(opened, at(all, 0));
    expect(await stateOf(opened.id)).toMatchObject({ settled: PRICES[0], count: 1n });
    // The third stands for the second as well.
    await settle(opened, at(all, 2));
    expect(await stateOf(opened.id)).toMatchObject({ settled: opened.spent, count: 3n });
    const [first, second] = await client.getContractEvents({
      address: router(),
      abi: routerAbi,
      eventName: "SessionSettled",
      fromBlock: 0n,
      strict: true,
    });
    expect([first?.args.prompts, second?.args.prompts]).toEqual([1n, 2n]);
    expect(second?.args.root).toBe(recordsRoot(DIGESTS));
    expect(second?.args.firstRecord).toBe(2n);

    await expect(opened.close()).rejects.toThrow(/RouterTooEarly/);
    await opened.end();
    await expect(opened.close()).rejects.toThrow(/RouterTooEarly/);
    await chain.client.increaseTime({ seconds: 15 * 60 });
    await chain.client.mine({ blocks: 1 });
    await opened.close();
    expect(await creditsOf()).toBe(before - parseEther("19.5"));
    expect(opened.spent).toBe(parseEther("19.5"));
    expect((await stateOf(opened.id)).open).toBe(false);
  });

  test("is closed by its validator at once", async () => {
    const before = await creditsOf();
    const opened = await open();
    await settle(opened, at(await receipts(opened, 1), 0));
    await chain.write(operator, router(), routerAbi, "closeSession", [hashed(opened)]);
    expect(await creditsOf()).toBe(before - PRICES[0]);
  });

  test("is settled by its validator alone, with receipts that only count up", async () => {
    const opened = await open();
    const all = await receipts(opened, 2);
    await refused(opened, at(all, 0), account(2), /RouterNotServing/);
    await settle(opened, at(all, 1));
    await refused(opened, at(all, 0), operator, /RouterInvalidReceipt/);
  });

  test("takes receipts that its user signed in person", async () => {
    const opened = await open(user);
    await settle(opened, at(await receipts(opened, 1), 0));
    expect(await stateOf(opened.id)).toMatchObject({ count: 1n });
  });

  test("is not opened above the credits", async () => {
    const all = await creditsOf();
    await expect(SessionClient.open(client, walletOf(user), router(), { ...terms, cap: all + 1n })).rejects.toThrow(
      `the credits are ${all}: deposit first`,
    );
  });

  test("signs no receipt below the minimum or above the cap, and forgets that it was asked to", async () => {
    const opened = await open();
    await expect(opened.receipt(DIGESTS[0] ?? "0x", parseEther("5") - 1n)).rejects.toThrow(SessionError);
    await expect(opened.receipt(DIGESTS[0] ?? "0x", CAP + 1n)).rejects.toThrow(/left of the cap/);
    expect(opened.spent).toBe(0n);
    const { receipt } = await opened.receipt(DIGESTS[0] ?? "0x", CAP);
    expect(receipt).toEqual({ count: 1, total: CAP, root: DIGESTS[0] });
  });

  test("numbers receipts that are asked for at once one after the other", async () => {
    const opened = await open();
    const all = await Promise.all(DIGESTS.map((digest, i) => opened.receipt(digest, PRICES[i] ?? 0n)));
    expect(all.map(({ receipt }) => receipt.count)).toEqual([1, 2, 3]);
    await settle(opened, at(all, 2));
  });
});

describe("a validator", () => {
  const claimOf = (opened: SessionClient, previous: SignedReceipt) => ({
    chainId: CHAIN,
    router: router(),
    session: opened.session,
    previous: previous.receipt,
    digests: DIGESTS.slice(0, 2),
    price: PRICES[1],
  });

  test("accepts the receipt that pays for its answer, by the key or by the user", async () => {
    for (const key of [undefined, user]) {
      const opened = await open(key);
      const all = await receipts(opened, 2);
      await verifyReceipt(claimOf(opened, at(all, 0)), at(all, 1));
      const { previous: _, ...first } = claimOf(opened, at(all, 0));
      await verifyReceipt({ ...first, digests: DIGESTS.slice(0, 1), price: PRICES[0] }, at(all, 0));
    }
  });

  test("refuses one that the contract would refuse, or that pays for something else", async () => {
    const opened = await open();
    const all = await receipts(opened, 2);
    const claim = claimOf(opened, at(all, 0));
    const { receipt, signature } = at(all, 1);
    const fails = (more: Partial<typeof claim>, signed: SignedReceipt, why: RegExp) =>
      expect(verifyReceipt({ ...claim, ...more }, signed)).rejects.toThrow(why);
    await fails({}, at(all, 0), /counts 1 prompts, and this is number 2/);
    await fails({ digests: DIGESTS }, { receipt, signature }, /counts 2 prompts, and this is number 3/);
    await fails({ price: PRICES[1] + 1n }, { receipt, signature }, /pays 5000000000000000000 NSD wei/);
    await fails({ digests: DIGESTS.slice(1) }, { receipt, signature }, /root is of other records/);
    await fails({ session: { ...opened.session, cap: receipt.total - 1n } }, { receipt, signature }, /above the cap/);
    await fails({ chainId: 1 }, { receipt, signature }, /Neither the session's key nor its user/);
    await fails({}, { receipt, signature: "0x00" }, /Neither the session's key nor its user/);
    const stranger = privateKeyToAccount(keccak256("0x01"));
    const forged = await stranger.signTypedData({ domain: {}, types: { X: [] }, primaryType: "X", message: {} });
    await fails({}, { receipt, signature: forged }, /Neither the session's key nor its user/);
  });
});

describe("the root of records", () => {
  const [a, b, c] = DIGESTS as [Hex, Hex, Hex];
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
});

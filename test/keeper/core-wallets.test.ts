import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type Address,
  concat,
  createWalletClient,
  encodeAbiParameters,
  encodeErrorResult,
  erc20Abi,
  getCreate2Address,
  type Hex,
  hashTypedData,
  http,
  parseAbi,
  parseEther,
  serializeErc6492Signature,
  size,
  toHex,
  zeroHash,
} from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { creditsAbi } from "../../keeper/chain/contracts.ts";
import { intentDigest } from "../../keeper/chain/intents.ts";
import { closeSessionTypedData, sessionId } from "../../keeper/chain/sessions.ts";
import { ApiError } from "../../keeper/services/errors.ts";
import type { Intent, Lane } from "../../keeper/services/types.ts";
import { account } from "./support/chain.ts";
import { coreFixture } from "./support/core.ts";
import { ask, settled } from "./support/keeper.ts";

const core = coreFixture();

/** Takes for its signature of a hash just that hash: hash at 4, the signature's bytes at 100 of the call. */
const RUNTIME = "0x6004356064351463 1626ba7e 60e01b0260005260206000f3".replaceAll(" ", "") as Hex;
const INIT = concat(["0x601880600b6000396000f3", RUNTIME]);
/** The factory that every development chain has: 32 bytes of salt, then what creates the contract. */
const FACTORY: Address = "0x4e59b44847b379578588920cA78FbF26c0B4956C";

interface Wallet {
  readonly address: Address;
  readonly factoryData: Hex;
}

/** An address that no contract lives at yet, with credits. */
async function counterfactual(n: number): Promise<Wallet> {
  const salt = toHex(n, { size: 32 });
  const address = getCreate2Address({ from: FACTORY, salt, bytecode: INIT });
  const { client, book } = core.chain;
  const { nsd, credits } = book.contracts;
  await core.chain.write(account(0), nsd, erc20Abi, "transfer", [address, parseEther("200")]);
  await client.impersonateAccount({ address });
  await client.setBalance({ address, value: parseEther("1") });
  const chain = { ...client.chain };
  const send = async (to: Address, abi: typeof erc20Abi | typeof creditsAbi, functionName: string, args: unknown[]) => {
    const wallet = createWalletClient({ account: address, chain, transport: http(core.chain.rpcUrl) });
    const hash = await wallet.writeContract({ address: to, abi: abi as typeof erc20Abi, functionName, args } as never);
    await client.waitForTransactionReceipt({ hash });
  };
  await send(nsd, erc20Abi, "approve", [credits, parseEther("200")]);
  await send(credits, creditsAbi, "deposit", [parseEther("150")]);
  await client.stopImpersonatingAccount({ address });
  // No contract is created where transactions came from.
  await client.setNonce({ address, nonce: 0 });
  return { address, factoryData: concat([salt, INIT]) };
}

const wrapped = ({ factoryData }: Wallet, signature: Hex): Hex =>
  serializeErc6492Signature({ address: FACTORY, data: factoryData, signature });

const deploy = async (to: Address, data: Hex): Promise<void> => {
  const wallet = createWalletClient({
    account: account(6),
    chain: { ...core.chain.client.chain },
    transport: http(core.chain.rpcUrl),
  });
  await core.chain.client.waitForTransactionReceipt({ hash: await wallet.sendTransaction({ to, data }) });
};

async function prepared(lane: Lane, wallet: Wallet, prompt: string) {
  const fields = ask(wallet.address, prompt);
  const { message } = await core.keeper.services.requests.prepare(lane, fields);
  const digest = intentDigest(31_337, core.router, message);
  const accept = (signature: Hex) => core.keeper.services.requests.accept(lane, message as Intent, signature, fields);
  return { digest, accept };
}

const refusal = (work: Promise<unknown>): Promise<ApiError> =>
  work.then(
    () => {
      throw new Error("it was taken");
    },
    (error: unknown) => {
      if (error instanceof ApiError) return error;
      throw error;
    },
  );

const sent = () => core.chain.client.getTransactionCount({ address: account(9).address });

describe("a wallet that is not deployed", () => {
  let wallet: Wallet;
  beforeAll(async () => {
    wallet = await counterfactual(1);
  });

  test("is told to deploy first, with the call; the keeper sends nothing for it", async () => {
    const { digest, accept } = await prepared("assigned", wallet, "Before it is there");
    const before = await sent();
    const refused = await refusal(accept(wrapped(wallet, digest)));
    expect([refused.statusCode, refused.code]).toEqual([409, "wallet_not_deployed"]);
    expect(refused.details["transaction"]).toEqual({ to: FACTORY, data: wallet.factoryData });
    expect(await core.chain.client.getCode({ address: wallet.address })).toBeUndefined();
    expect(await sent()).toBe(before);
  });

  test("is nobody where the signature is wrong, or the factory makes another", async () => {
    const { digest, accept } = await prepared("assigned", wallet, "Not its own");
    expect((await refusal(accept(wrapped(wallet, zeroHash)))).code).toBe("invalid_signature");
    const other = { ...wallet, factoryData: concat([toHex(77, { size: 32 }), INIT]) };
    expect((await refusal(accept(wrapped(other, digest)))).code).toBe("invalid_signature");
    const none = serializeErc6492Signature({ address: account(3).address, data: "0x", signature: digest });
    expect((await refusal(accept(none))).code).toBe("invalid_signature");
    const broken = concat([
      toHex(5, { size: 96 }),
      "0x6492649264926492649264926492649264926492649264926492649264926492",
    ]);
    expect((await refusal(accept(broken))).code).toBe("invalid_signature");
  });

  test("opens no session either, and is told the same", async () => {
    const { sessions } = core.keeper.services;
    const { session } = await sessions.prepare({
      user: wallet.address,
      key: account(5).address,
      cap: parseEther("30"),
      seconds: 3_600,
    });
    const id = sessionId(31_337, core.router, session);
    expect((await refusal(sessions.open(session, wrapped(wallet, id)))).code).toBe("wallet_not_deployed");
  });

  test("asks once it is deployed, with the same signature or without its wrapping", async () => {
    const first = await prepared("assigned", wallet, "There by now");
    const refused = await refusal(first.accept(wrapped(wallet, first.digest)));
    const { to, data } = refused.details["transaction"] as { to: Address; data: Hex };
    await deploy(to, data);
    const { requestId } = await first.accept(wrapped(wallet, first.digest));
    expect(await settled(core.keeper, requestId)).toMatchObject({ status: "completed", user: wallet.address });
    const second = await prepared("assigned", wallet, "And again");
    const again = await second.accept(second.digest);
    expect(await settled(core.keeper, again.requestId)).toMatchObject({ status: "completed" });
    const third = await prepared("assigned", wallet, "Not signed");
    expect((await refusal(third.accept(zeroHash))).code).toBe("invalid_signature");
  });

  test("opens a session once it is deployed", async () => {
    const { sessions } = core.keeper.services;
    const terms = { user: wallet.address, key: account(5).address, cap: parseEther("30"), seconds: 3_600 };
    const { session } = await sessions.prepare(terms);
    const { state } = await sessions.open(session, wrapped(wallet, sessionId(31_337, core.router, session)));
    expect(state).toMatchObject({ stage: "open", session: { user: wallet.address } });
    // And closes it by its own word.
    const { deadline } = await sessions.prepareClose(state.id);
    const digest = hashTypedData(closeSessionTypedData(31_337, core.router, state.id, deadline));
    expect((await refusal(sessions.close(state.id, { deadline, signature: zeroHash }))).code).toBe("not_yours");
    expect(await sessions.close(state.id, { deadline, signature: digest })).toMatchObject({ stage: "closed" });
  });
});

describe("a contract's account", () => {
  test("cannot pay for a direct answer, deployed or not, and is told where it can", async () => {
    const wallet = await counterfactual(2);
    const { digest, accept } = await prepared("direct", wallet, "Directly");
    expect((await refusal(accept(wrapped(wallet, digest)))).code).toBe("smart_wallet_direct");
    await deploy(FACTORY, wallet.factoryData);
    const signature = concat([digest, encodeAbiParameters([{ type: "uint256" }, { type: "uint256" }], [0n, 0n])]);
    expect((await refusal(accept(signature))).code).toBe("smart_wallet_direct");
    expect((await refusal(accept(concat([zeroHash, digest, digest])))).code).toBe("invalid_signature");
  });
});

describe("a wallet that sends its callers elsewhere (ERC-3668)", () => {
  const WALLET: Address = "0x00000000000000000000000000000000000c0de5";
  let asked = 0;
  const host = createServer((_request, response) => {
    asked++;
    response.end("{}");
  });
  beforeAll(() => new Promise<void>((resolve) => host.listen(0, "127.0.0.1", resolve)));
  afterAll(() => host.close());

  test("is nobody's, and nobody goes there", async () => {
    const url = `http://127.0.0.1:${(host.address() as AddressInfo).port}/{sender}/{data}`;
    const lookup = encodeErrorResult({
      abi: parseAbi(["error OffchainLookup(address sender, string[] urls, bytes data, bytes4 callback, bytes extra)"]),
      args: [WALLET, [url], "0x", "0x1626ba7e", "0x"],
    });
    // Reverts with what follows the code.
    const length = toHex(size(lookup), { size: 2 });
    const code = concat(["0x61", length, "0x600e60003961", length, "0x6000fd", lookup]);
    await core.chain.client.setCode({ address: WALLET, bytecode: code });
    await expect(core.chain.client.call({ to: WALLET })).rejects.toThrow();
    expect(asked).toBeGreaterThan(0);
    asked = 0;
    await core.chain.write(account(0), core.chain.book.contracts.nsd, erc20Abi, "transfer", [WALLET, parseEther("90")]);
    await core.chain.write(account(0), core.chain.book.contracts.nsd, erc20Abi, "approve", [
      core.chain.book.contracts.credits,
      parseEther("90"),
    ]);
    await core.chain.write(account(0), core.chain.book.contracts.credits, creditsAbi, "depositFor", [
      WALLET,
      parseEther("90"),
    ]);
    const { accept } = await prepared("assigned", { address: WALLET, factoryData: "0x" }, "Look over there");
    const refused = await refusal(accept(`0x${"11".repeat(65)}`));
    expect([refused.statusCode, refused.code]).toEqual([401, "invalid_signature"]);
    expect(asked).toBe(0);
  });
});

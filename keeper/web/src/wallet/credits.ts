import {
  type Chain,
  createPublicClient,
  createWalletClient,
  custom,
  type EIP1193Provider,
  type Hash,
  type Hex,
  parseSignature,
  WaitForTransactionReceiptTimeoutError,
} from "viem";
import { abi as creditsAbi } from "../../../../typechain-types/IModelAccessCredits.ts";
import type { NetworkBody } from "../api/wire.ts";
import { declinedOr } from "./failure.ts";
import { PERMIT_TYPES, permitAbi } from "./permit.ts";
import type { Account } from "./session.ts";

const PERMIT_VALID_S = 3600n;

/** What an account does with its credits; each resolves with the transaction once it is mined. */
export interface CreditsActions {
  deposit(amount: bigint, account: Account): Promise<Hash>;
  requestWithdrawal(amount: bigint, account: Account): Promise<Hash>;
  cancelWithdrawal(account: Account): Promise<Hash>;
  withdraw(account: Account): Promise<Hash>;
}

/** Everything goes through the account's own provider: the wallet's node, and on a local chain the chain itself. */
export function creditsActions(
  network: NetworkBody,
  chain: Chain,
  providerOf: (account: Account) => Promise<EIP1193Provider>,
): CreditsActions {
  const { credits, nsd } = network.contracts;

  async function clients(account: Account) {
    const transport = custom(await providerOf(account));
    const wallet = createWalletClient({ account: account.address, chain, transport });
    return { wallet, reader: createPublicClient({ chain, transport, pollingInterval: network.local ? 250 : 2_000 }) };
  }

  type Clients = Awaited<ReturnType<typeof clients>>;

  async function mined({ reader }: Clients, hash: Hash): Promise<Hash> {
    const receipt = await reader.waitForTransactionReceipt({ hash }).catch((error: unknown) => {
      if (!(error instanceof WaitForTransactionReceiptTimeoutError)) throw error;
      throw new Error(`It was sent and is not mined yet: ${hash}. Wait for it in your wallet before you send another.`);
    });
    if (receipt.status !== "success")
      throw new Error("The transaction was mined and reverted. Your balances are unchanged.");
    return receipt.transactionHash;
  }

  async function simple(account: Account, functionName: "cancelWithdrawal" | "withdraw"): Promise<Hash> {
    const open = await clients(account);
    const { request } = await open.reader.simulateContract({
      account: account.address,
      address: credits,
      abi: creditsAbi,
      functionName,
    });
    return mined(open, await open.wallet.writeContract(request).catch(declinedOr));
  }

  return {
    async deposit(amount, account) {
      const open = await clients(account);
      const hash = (await isContract(open, account.address))
        ? await depositWithApproval(open, amount)
        : await depositWithPermit(open, amount, account.address);
      return mined(open, hash);
    },
    async requestWithdrawal(amount, account) {
      const open = await clients(account);
      const { request } = await open.reader.simulateContract({
        account: account.address,
        address: credits,
        abi: creditsAbi,
        functionName: "requestWithdrawal",
        args: [amount],
      });
      return mined(open, await open.wallet.writeContract(request).catch(declinedOr));
    },
    cancelWithdrawal: (account) => simple(account, "cancelWithdrawal"),
    withdraw: (account) => simple(account, "withdraw"),
  };

  async function depositWithPermit({ reader, wallet }: Clients, amount: bigint, owner: Hex): Promise<Hash> {
    const [nonce, name, block] = await Promise.all([
      reader.readContract({ address: nsd, abi: permitAbi, functionName: "nonces", args: [owner] }),
      reader.readContract({ address: nsd, abi: permitAbi, functionName: "name" }),
      reader.getBlock(),
    ]);
    const deadline = block.timestamp + PERMIT_VALID_S;
    const signature = await wallet
      .signTypedData({
        domain: { name, version: "1", chainId: network.chain_id, verifyingContract: nsd },
        types: PERMIT_TYPES,
        primaryType: "Permit",
        message: { owner, spender: credits, value: amount, nonce, deadline },
      })
      .catch(declinedOr);
    const { r, s, yParity } = parseSignature(signature);
    const { request } = await reader.simulateContract({
      account: owner,
      address: credits,
      abi: creditsAbi,
      functionName: "depositWithPermit",
      args: [amount, deadline, 27 + yParity, r, s],
    });
    return wallet.writeContract(request).catch(declinedOr);
  }

  /** A contract cannot sign a permit: it approves first, and deposits then. */
  async function depositWithApproval(open: Clients, amount: bigint): Promise<Hash> {
    const approval = await open.wallet
      .writeContract({ address: nsd, abi: permitAbi, functionName: "approve", args: [credits, amount] })
      .catch(declinedOr);
    await mined(open, approval);
    return open.wallet
      .writeContract({ address: credits, abi: creditsAbi, functionName: "deposit", args: [amount] })
      .catch(declinedOr);
  }
}

/** An account with delegated code (EIP-7702) still has a key, and signs. */
async function isContract(
  { reader }: { reader: { getCode(args: { address: Hex }): Promise<Hex | undefined> } },
  address: Hex,
): Promise<boolean> {
  const code = await reader.getCode({ address });
  return code !== undefined && code !== "0x" && !code.startsWith("0xef0100");
}

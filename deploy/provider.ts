import type { EIP1193Provider, RequestArguments } from "@nomicfoundation/ignition-core";
import { type Hex, hexToBigInt, hexToNumber, type LocalAccount, type TransactionSerializable } from "viem";

/** A JSON-RPC endpoint said no. Keeps the code, by which Ignition tells one refusal from another. */
export class RpcError extends Error {
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data: unknown) {
    super(message);
    this.name = "RpcError";
    this.code = code;
    this.data = data;
  }
}

interface RpcAnswer {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

type SentTransaction = Readonly<
  Partial<Record<"to" | "data" | "value" | "nonce" | "gas" | "gasPrice" | "maxFeePerGas" | "maxPriorityFeePerGas", Hex>>
>;

/** What Ignition talks to: the endpoint, with the deployer's signature put in where a transaction is sent. */
export function signingProvider(rpcUrl: string, account: LocalAccount): EIP1193Provider {
  let id = 0;
  let chainId: number | undefined;

  const send = async (method: string, params: unknown): Promise<unknown> => {
    const response = await fetch(rpcUrl, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: ++id, method, params }),
      signal: AbortSignal.timeout(60_000),
    });
    if (!response.ok && response.status !== 400)
      throw new RpcError(response.status, `${method}: HTTP ${response.status}`, undefined);
    const answer = (await response.json()) as RpcAnswer;
    if (answer.error) throw new RpcError(answer.error.code, answer.error.message, answer.error.data);
    return answer.result;
  };

  const signed = async (transaction: SentTransaction): Promise<Hex> => {
    chainId ??= hexToNumber((await send("eth_chainId", [])) as Hex);
    const number = (value: Hex | undefined) => (value === undefined ? undefined : hexToBigInt(value));
    const fees =
      transaction.maxFeePerGas === undefined
        ? { type: "legacy", gasPrice: number(transaction.gasPrice) }
        : {
            type: "eip1559",
            maxFeePerGas: number(transaction.maxFeePerGas),
            maxPriorityFeePerGas: number(transaction.maxPriorityFeePerGas),
          };
    return account.signTransaction({
      ...fees,
      chainId,
      to: transaction.to,
      data: transaction.data,
      value: number(transaction.value) ?? 0n,
      nonce: Number(number(transaction.nonce) ?? 0n),
      gas: number(transaction.gas),
    } as TransactionSerializable);
  };

  return {
    request: async ({ method, params }: RequestArguments): Promise<unknown> => {
      if (method === "eth_accounts" || method === "eth_requestAccounts") return [account.address];
      if (method === "eth_sendTransaction") {
        const [transaction] = params as [SentTransaction];
        return send("eth_sendRawTransaction", [await signed(transaction)]);
      }
      return send(method, params ?? []);
    },
  };
}

/**
 * An example that runs: `npx node examples/session-chat.ts` asks the keeper that `npm start` runs, as one of the development
 * accounts; KEEPER_URL and PRIVATE_KEY name another keeper and another account. It prints answers, what each cost, and what
 * came back when the session was closed. session-client.ts is how it is done.
 */
import { createWalletClient, formatEther, type Hex, http, parseEther } from "viem";
import { mnemonicToAccount, privateKeyToAccount } from "viem/accounts";
import { foundry } from "viem/chains";
import { SessionClient, type Wallet } from "./session-client.ts";

/** Opens, asks, prints, closes; returns what the cap gave back, NSD wei. */
export async function converse(
  keeper: string,
  wallet: Wallet,
  router: Hex,
  questions: readonly string[],
  print: (line: string) => void,
): Promise<bigint> {
  const cap = parseEther("100");
  const session = await SessionClient.open(keeper, wallet, router, { cap, seconds: 3_600 });
  print(`Session ${session.id}: ${formatEther(cap)} NSD locked.`);
  for (const question of questions) {
    const { text, price } = await session.ask(question, { maxTokens: 100 });
    print(`\n> ${question}\n${text}\n(${formatEther(price)} NSD)`);
  }
  const { settled, status } = await session.close();
  print(`\nSession ${status}: ${formatEther(settled)} NSD paid, ${formatEther(cap - settled)} NSD back in credits.`);
  return cap - settled;
}

/** The second account of every development chain. */
const developmentAccount = () =>
  mnemonicToAccount("test test test test test test test test test test test junk", { addressIndex: 1 });

async function main(): Promise<void> {
  const keeper = process.env["KEEPER_URL"] ?? "http://127.0.0.1:4173";
  const given = process.env["PRIVATE_KEY"] as Hex | undefined;
  const account = given === undefined ? developmentAccount() : privateKeyToAccount(given);
  const network = (await (await fetch(`${keeper}/api/network`)).json()) as {
    chain_id: number;
    rpc_url: string;
    contracts: { router: Hex };
  };
  const chain = { ...foundry, id: network.chain_id };
  const wallet = createWalletClient({ account, chain, transport: http(network.rpc_url) });
  const questions = ["What is a validator?", "How is a fee split?", "What is burned?"];
  // biome-ignore lint/suspicious/noConsole: it is what the example is for
  await converse(keeper, wallet, network.contracts.router, questions, (line) => console.log(line));
}

if (import.meta.main) await main();

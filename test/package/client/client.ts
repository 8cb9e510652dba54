// A program of somebody who installed the package: signs an intent, has it relayed, and reads the request back.
// package.test.ts runs it as TypeScript and, its types stripped, as JavaScript. Argument: the chain's RPC URL.
import {
  type Intent,
  intentDigest,
  intentTypedData,
  legsOf,
  modelId,
  nsdAbi,
  priceOf,
  promptHash,
  routerAbi,
  ticketId,
  ticketOf,
  unpackOffer,
  unpackPayer,
  unpackTerms,
} from "neuroswarm";
import { addressesOf, NoDeploymentError } from "neuroswarm/addresses";
import { localAddresses } from "neuroswarm/local";
import { createPublicClient, createWalletClient, type Hash, http, parseEther, stringToHex, zeroAddress } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { foundry } from "viem/chains";

const CHAIN = 31_337;
const MNEMONIC = "test test test test test test test test test test test junk";
const transport = http(process.argv[2]);
const client = createPublicClient({ chain: foundry, transport, pollingInterval: 20 });
const walletOf = (addressIndex: number) =>
  createWalletClient({ account: mnemonicToAccount(MNEMONIC, { addressIndex }), chain: foundry, transport });
const mined = (hash: Hash) => client.waitForTransactionReceipt({ hash });
const { router, credits, nsd } = localAddresses("data");
const toRouter = { address: router, abi: routerAbi } as const;

const [user, relayer] = [walletOf(1), walletOf(2)];
const prompt = "What is the capital of France?";
const { address } = user.account;
const { nonce } = await client.readContract({ ...toRouter, functionName: "accountOf", args: [address] });
const intent: Intent = {
  user: address,
  model: "llama-2-7b-q4",
  promptHash: promptHash(prompt),
  maxTokens: 500,
  temperature: 70,
  payment: parseEther("50"),
  priority: false,
  private: false,
  validator: zeroAddress,
  relayer: zeroAddress,
  relayFee: 0n,
  callback: zeroAddress,
  callbackGas: 0,
  nonce: Number(nonce),
  deadline: BigInt(Math.floor(Date.now() / 1000) + 3600),
};
const signature = await user.signTypedData(intentTypedData(CHAIN, router, intent));
const onChain = { ...intent, model: modelId(intent.model), isPrivate: intent.private };
const digest = await client.readContract({ ...toRouter, functionName: "hashIntent", args: [onChain] });

const allowance = [credits, intent.payment] as const;
await mined(await user.writeContract({ address: nsd, abi: nsdAbi, functionName: "approve", args: allowance }));
const args = [onChain, signature, stringToHex(prompt)] as const;
await mined(await relayer.writeContract({ ...toRouter, functionName: "submitFor", args }));
const submitted = { ...toRouter, eventName: "RequestSubmitted", fromBlock: 0n, strict: true } as const;
const [event] = await client.getContractEvents(submitted);
if (!event) throw new Error("nothing was submitted");
const ticket = ticketOf(event.args);
const offer = unpackOffer(await client.readContract({ ...toRouter, functionName: "offerOf", args: [onChain.model] }));
const quote = await client.readContract({ ...toRouter, functionName: "quote", args: [onChain.model, 317n, false] });

let missing = "";
try {
  addressesOf(11_155_111);
} catch (error) {
  if (error instanceof NoDeploymentError) missing = error.message;
}
console.log(
  JSON.stringify({
    digest: intentDigest(CHAIN, router, intent) === digest,
    id: ticketId(CHAIN, router, ticket) === event.args.id,
    payer: unpackPayer(ticket.payer).user === address && unpackPayer(ticket.payer).payment === intent.payment,
    maxTokens: unpackTerms(ticket.terms).maxTokens,
    price: priceOf(offer, 317n, false) === quote,
    legs: Object.values(legsOf(quote, offer.burnBps, 1)).map(String),
    tokenLimit: offer.tokenLimit,
    missing,
  }),
);

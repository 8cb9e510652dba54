/**
 * An example: both ends of a session, for a client and a validator that talk to each other by their own means.
 *
 * In a session a user locks a cap for one validator, once, and then pays prompt by prompt with receipts: signatures that
 * never go on chain but for the last one that the validator settles. The keeper has no HTTP route for sessions yet, so
 * what stands here drives the chain alone; how prompts, answers and receipts travel between the two is left to you.
 *
 * The order of things: `SessionClient.open`; for each prompt the validator answers, stores the record, and names its
 * digest and price; the client checks both and hands over `receipt(digest, price)`; the validator checks that with
 * `verifyReceipt`, and calls `settleSession` with the last one whenever it likes. What is left unlocks with `close`: by the
 * validator at once, by anybody from the session's end on, which `end` brings forward to 15 minutes from now.
 *
 * Who trusts whom with what: a validator that answers before it holds a receipt risks one answer; a client that signs
 * before it holds the answer risks one price. Whoever holds the session's key can spend the cap, and no more.
 *
 * Outside of this repository, import from "neuroswarm" instead of "../client/index.ts".
 */
import {
  type Account,
  type Address,
  type Chain,
  type Hash,
  type Hex,
  isAddressEqual,
  type LocalAccount,
  type PublicClient,
  recoverTypedDataAddress,
  type Transport,
  type WalletClient,
  zeroHash,
} from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import {
  MINIMUM,
  modelId,
  type Receipt,
  receiptTypedData,
  recordsRoot,
  routerAbi,
  type Session,
  sessionId,
  sessionTypedData,
} from "../client/index.ts";

/** A user's wallet on its chain. */
export type Wallet = WalletClient<Transport, Chain, Account>;

export interface SessionTerms {
  /** Operator key of the validator. */
  readonly validator: Address;
  /** Name of the model. */
  readonly model: string;
  /** NSD wei to lock, 5 NSD at least; it comes out of the user's credits. */
  readonly cap: bigint;
  /** How long it may last, at most 90 days. */
  readonly seconds: number;
}

export interface SignedReceipt {
  readonly receipt: Receipt;
  readonly signature: Hex;
}

export class SessionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SessionError";
  }
}

/** Seconds in which an authorization can be opened. */
const OPEN_WITHIN = 600n;
const NOTHING: Receipt = { count: 0, total: 0n, root: zeroHash };

/** As the contract takes it: the model by its hash. */
const onChain = (session: Session) => ({ ...session, model: modelId(session.model) });

/** The user's side of one session. */
export class SessionClient {
  readonly id: Hex;
  readonly session: Session;
  readonly #router: Address;
  readonly #client: PublicClient;
  readonly #wallet: Wallet;
  readonly #key: LocalAccount;
  #digests: readonly Hex[] = [];
  #last: Receipt = NOTHING;

  private constructor(session: Session, router: Address, client: PublicClient, wallet: Wallet, key: LocalAccount) {
    this.id = sessionId(wallet.chain.id, router, session);
    this.session = session;
    this.#router = router;
    this.#client = client;
    this.#wallet = wallet;
    this.#key = key;
  }

  /**
   * Signs the authorization, opens the session with it, and waits until it is on chain.
   * @param key Signs the receipts, so that no wallet asks at every prompt. A fresh one when absent: it lives with this object.
   */
  static async open(
    client: PublicClient,
    wallet: Wallet,
    router: Address,
    terms: SessionTerms,
    key: LocalAccount = privateKeyToAccount(generatePrivateKey()),
  ): Promise<SessionClient> {
    const user = wallet.account.address;
    const [account, { timestamp: now }] = await Promise.all([
      client.readContract({ address: router, abi: routerAbi, functionName: "accountOf", args: [user] }),
      client.getBlock(),
    ]);
    if (account.credits < terms.cap)
      throw new SessionError(`The cap is ${terms.cap} NSD wei, and the credits are ${account.credits}: deposit first.`);
    const session: Session = {
      user,
      validator: terms.validator,
      key: key.address,
      model: terms.model,
      cap: terms.cap,
      expiry: now + BigInt(terms.seconds),
      nonce: Number(account.nonce),
      deadline: now + OPEN_WITHIN,
    };
    const opened = new SessionClient(session, router, client, wallet, key);
    // Sent by the user itself it needs no signature; with one, anybody may send it, the validator for instance.
    const signature = await wallet.signTypedData(sessionTypedData(wallet.chain.id, router, session));
    const call = { address: router, abi: routerAbi, functionName: "openSession" } as const;
    await opened.#mined(await wallet.writeContract({ ...call, args: [onChain(session), signature] }));
    return opened;
  }

  /** What has been promised so far, NSD wei. */
  get spent(): bigint {
    return this.#last.total;
  }

  /**
   * The receipt for one more prompt; it replaces all before it.
   * @param nextRecordDigest SHA-256 of the record that holds the answer: fetch it, and hash it, before you sign.
   * @param price NSD wei for this prompt, at least 5 NSD. `priceOf` of the model's offer says what is fair.
   */
  async receipt(nextRecordDigest: Hex, price: bigint): Promise<SignedReceipt> {
    const total = this.#last.total + price;
    if (price < MINIMUM) throw new SessionError(`A prompt costs ${MINIMUM} NSD wei at least, not ${price}.`);
    if (total > this.session.cap)
      throw new SessionError(
        `${price} NSD wei are more than the ${this.session.cap - this.#last.total} left of the cap.`,
      );
    const digests = [...this.#digests, nextRecordDigest];
    const receipt: Receipt = { count: digests.length, total, root: recordsRoot(digests) };
    // Nothing else may be signed in between, or two receipts of one count would be out.
    this.#digests = digests;
    this.#last = receipt;
    const message = receiptTypedData(this.#wallet.chain.id, this.#router, this.id, receipt);
    return { receipt, signature: await this.#key.signTypedData(message) };
  }

  /** Lets it end 15 minutes from now, in which the validator settles what it holds. */
  end(): Promise<void> {
    return this.#send("endSession");
  }

  /** Unlocks what receipts have left, once it has ended. */
  close(): Promise<void> {
    return this.#send("closeSession");
  }

  async #send(functionName: "endSession" | "closeSession"): Promise<void> {
    const call = { address: this.#router, abi: routerAbi, functionName, args: [onChain(this.session)] } as const;
    await this.#mined(await this.#wallet.writeContract(call));
  }

  async #mined(hash: Hash): Promise<void> {
    const { status } = await this.#client.waitForTransactionReceipt({ hash });
    if (status !== "success") throw new SessionError(`${hash} was reverted.`);
  }
}

export interface ReceiptClaim {
  readonly chainId: number;
  readonly router: Address;
  readonly session: Session;
  /** The last receipt that was accepted; none before the first. */
  readonly previous?: Receipt;
  /** Digests of all records of the session, the newest last. */
  readonly digests: readonly Hex[];
  /** What this prompt costs, NSD wei. */
  readonly price: bigint;
}

/** The validator's side: throws a SessionError unless this receipt pays for the newest record, and can be settled. */
export async function verifyReceipt(claim: ReceiptClaim, { receipt, signature }: SignedReceipt): Promise<void> {
  const { chainId, router, session, digests, price, previous = NOTHING } = claim;
  if (receipt.count !== previous.count + 1 || receipt.count !== digests.length)
    throw new SessionError(`It counts ${receipt.count} prompts, and this is number ${digests.length}.`);
  if (price < MINIMUM || receipt.total !== previous.total + price)
    throw new SessionError(`It pays ${receipt.total - previous.total} NSD wei for this prompt, which costs ${price}.`);
  if (receipt.total > session.cap) throw new SessionError(`Its total of ${receipt.total} is above the cap.`);
  if (receipt.root !== recordsRoot(digests)) throw new SessionError("Its root is of other records.");
  const message = receiptTypedData(chainId, router, sessionId(chainId, router, session), receipt);
  const signer = await recoverTypedDataAddress({ ...message, signature }).catch(() => undefined);
  const signed = signer !== undefined && [session.key, session.user].some((party) => isAddressEqual(signer, party));
  if (!signed) throw new SessionError("Neither the session's key nor its user signed it.");
}

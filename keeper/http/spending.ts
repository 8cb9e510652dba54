/** How a request that costs something is agreed to: an intent, a signature that completes one, or a local development account. */
import { randomBytes } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { bytesToHex, type Hex, zeroHash } from "viem";
import { ApiError } from "../services/errors.ts";
import type { AskFields, Intent, Lane, RequestState, Services, WalletMessage } from "../services/types.ts";
import { type AskBody, askOf, type Draft, deadlineOf, draftOf, intentOf, priced } from "./ask.ts";
import { mayUseDevelopmentKey } from "./origin.ts";
import { PreparedIntents } from "./prepared.ts";
import { missingField } from "./validation.ts";

/** What a wallet adds to the types by itself, and `eth_signTypedData_v4` wants spelled out. */
const DOMAIN_TYPE = [
  { name: "name", type: "string" },
  { name: "version", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" },
] as const;

export interface SpendingOptions {
  readonly lane: Lane;
  readonly required: readonly ("model" | "nsd_payment")[];
}

interface Agreed {
  readonly ask: AskFields;
  readonly intent: Intent;
  readonly signature: Hex;
  /** Where the message came from the keeper's memory, which may let go of it once it was used. */
  readonly used?: () => void;
}

export class Spending {
  readonly #services: Services;
  readonly #prepared = new PreparedIntents();

  constructor(services: Services) {
    this.#services = services;
  }

  async accept(request: FastifyRequest, body: AskBody, options: SpendingOptions): Promise<RequestState> {
    const signature = signatureOf(request, body);
    const agreed = await this.#agree(request, body, signature, options);
    const state = await this.#services.requests.accept(options.lane, agreed.intent, agreed.signature, agreed.ask);
    agreed.used?.();
    return state;
  }

  async #agree(
    request: FastifyRequest,
    body: AskBody,
    signature: Hex | undefined,
    options: SpendingOptions,
  ): Promise<Agreed> {
    if (body.intent !== undefined) {
      if (signature === undefined) throw missingField("signature", "the user's signature of the intent");
      const intent = intentOf(body.intent);
      const ask = askOf(body, intent);
      await priced(options.lane, ask, this.#services.reads);
      return { ask, intent, signature };
    }
    const draft = draftOf(body, options.required);
    const ask = await priced(options.lane, draft, this.#services.reads);
    if (signature !== undefined && body.prepare !== true) return this.#complete(body, draft, ask, signature, options);
    return this.#unsigned(request, body, draft, ask, options);
  }

  /** The signature alone: the message is made again from what the keeper would have asked for. */
  async #complete(
    body: AskBody,
    draft: Draft,
    ask: AskFields,
    signature: Hex,
    { lane }: SpendingOptions,
  ): Promise<Agreed> {
    const { nonce } = body;
    const deadline = deadlineOf(body);
    if (nonce !== undefined || deadline !== undefined) {
      if (nonce === undefined) throw missingField("nonce", "the nonce that was signed");
      if (deadline === undefined) throw missingField("deadline", "the deadline that was signed");
      const salted = { ...ask, salt: ask.salt ?? zeroHash };
      const { message } = await this.#services.requests.prepare(lane, salted);
      return { ask: salted, intent: { ...message, nonce, deadline }, signature };
    }
    const known = this.#prepared.recall(lane, draft);
    if (known === undefined)
      throw await this.#signatureRequired(lane, draft, ask, "Nothing with these fields waits for this signature. ");
    const { message } = known.data;
    const used = (): void => this.#prepared.forget(lane, draft);
    return { ask: { ...ask, payment: message.payment, salt: known.salt }, intent: message, signature, used };
  }

  async #unsigned(
    request: FastifyRequest,
    body: AskBody,
    draft: Draft,
    ask: AskFields,
    { lane }: SpendingOptions,
  ): Promise<Agreed> {
    if (body.prepare !== true && mayUseDevelopmentKey(request)) {
      const salted = { ...ask, salt: await this.#saltFor(lane, ask) };
      const data = await this.#services.requests.prepare(lane, salted);
      const signature = await this.#services.requests.signForDevelopment(data);
      if (signature !== undefined) return { ask: salted, intent: data.message, signature };
    }
    throw await this.#signatureRequired(lane, draft, ask, "");
  }

  async #signatureRequired(lane: Lane, draft: Draft, ask: AskFields, why: string): Promise<ApiError> {
    const salt = await this.#saltFor(lane, ask);
    const data = await this.#services.requests.prepare(lane, { ...ask, salt });
    this.#prepared.remember(lane, draft, { data, salt });
    const published = lane === "assigned" && salt === zeroHash;
    const warning = published ? "The prompt will be public on chain, so that whoever is assigned can read it. " : "";
    return new ApiError(
      401,
      "signature_required",
      `${why}${warning}Sign typed_data with the wallet of ${ask.user} (eth_signTypedData_v4), and send the same request again with its message as intent, the signature, and the salt.`,
      { typed_data: forWallet(data), salt, ...(published ? { prompt_published: true } : {}) },
    );
  }

  /** Salt keeps a prompt between its user and this keeper; where others may be assigned it has to be public for them. */
  async #saltFor(lane: Lane, ask: AskFields): Promise<Hex> {
    if (ask.salt !== undefined) return ask.salt;
    if (lane === "direct") return newSalt();
    const models = await this.#services.reads.models();
    return models.find(({ name }) => name === ask.model)?.servedElsewhere ? zeroHash : newSalt();
  }
}

function newSalt(): Hex {
  return bytesToHex(randomBytes(32));
}

/** JSON for a wallet: 64 bits and more as decimal strings. */
export function forWallet({ domain, types, primaryType, message }: WalletMessage): object {
  const plain = Object.entries(message).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === "bigint" ? value.toString() : value,
  ]);
  return {
    domain: { ...domain, chainId: Number(domain.chainId) },
    types: { EIP712Domain: DOMAIN_TYPE, ...types },
    primaryType,
    message: Object.fromEntries(plain),
  };
}

export function signatureOf(request: FastifyRequest, body: { readonly signature?: string }): Hex | undefined {
  const header = request.headers.authorization;
  if (header === undefined) return body.signature as Hex | undefined;
  const bearer = /^Bearer +(0x(?:[0-9a-fA-F]{2}){64,2048})$/i.exec(header)?.[1];
  if (bearer === undefined) {
    throw new ApiError(
      401,
      "invalid_signature",
      "Send `Authorization: Bearer` and the hex digits of the signature, 65 bytes as a rule.",
      {
        field: "authorization",
        expected: "Bearer 0x…",
      },
    );
  }
  if (body.signature !== undefined && body.signature.toLowerCase() !== bearer.toLowerCase()) {
    throw new ApiError(
      400,
      "field_mismatch",
      "The signature in the body is not the one in the header. Send one of them.",
      { field: "signature" },
    );
  }
  return bearer as Hex;
}

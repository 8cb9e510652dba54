import type { Hex } from "viem";
import type { ChainConnection } from "../chain/clients.ts";
import { type Deployment, modelsAbi, routerAbi } from "../chain/contracts.ts";
import { modelId } from "../chain/intents.ts";
import { type Offer, unpackOffer } from "../chain/words.ts";

export interface CatalogueModel {
  readonly id: Hex;
  readonly name: string;
  readonly fileHash: Hex;
  readonly multiplierBps: number;
  readonly maxTokens: number;
  readonly maxInputTokens: number;
  readonly active: boolean;
}

/** How long a look at the catalogue holds: the contracts judge by the terms of their own moment anyhow. */
const FRESH_MS = 5_000;

/** Models and their terms, as the chain has them. */
export class Catalogue {
  readonly #chain: ChainConnection;
  readonly #deployment: Deployment;
  #models: { at: number; value: Promise<CatalogueModel[]> } | undefined;
  readonly #offers = new Map<Hex, { at: number; value: Promise<Offer> }>();

  constructor(chain: ChainConnection, deployment: Deployment) {
    this.#chain = chain;
    this.#deployment = deployment;
  }

  /** In the order of their index. */
  models(): Promise<CatalogueModel[]> {
    if (this.#models === undefined || Date.now() - this.#models.at > FRESH_MS) {
      const value = this.#readModels();
      this.#models = { at: Date.now(), value };
      value.catch(() => {
        this.#models = undefined;
      });
    }
    return this.#models.value;
  }

  async find(name: string): Promise<CatalogueModel | undefined> {
    return (await this.models()).find((model) => model.name === name);
  }

  async byIndex(index: number): Promise<CatalogueModel | undefined> {
    return (await this.models())[index];
  }

  offer(name: string): Promise<Offer> {
    const id = modelId(name);
    const known = this.#offers.get(id);
    if (known && Date.now() - known.at <= FRESH_MS) return known.value;
    const value = this.#chain.client
      .readContract({ address: this.#deployment.addresses.router, abi: routerAbi, functionName: "offerOf", args: [id] })
      .then(unpackOffer);
    this.#offers.set(id, { at: Date.now(), value });
    value.catch(() => this.#offers.delete(id));
    return value;
  }

  async #readModels(): Promise<CatalogueModel[]> {
    const models = await this.#chain.client.readContract({
      address: this.#deployment.addresses.models,
      abi: modelsAbi,
      functionName: "models",
    });
    return models.map((model) => ({
      id: modelId(model.name),
      name: model.name,
      fileHash: model.fileHash,
      multiplierBps: model.multiplierBps,
      maxTokens: model.maxTokens,
      maxInputTokens: model.maxInputTokens,
      active: model.active,
    }));
  }
}

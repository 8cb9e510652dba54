import type { Logger } from "pino";
import type { Address, Hex } from "viem";
import type { ChainConnection } from "../chain/clients.ts";
import type { Deployment } from "../chain/contracts.ts";
import type { Sender } from "../chain/sender.ts";
import type { Settings } from "../config.ts";
import type { Database } from "../database/database.ts";
import type { Engine } from "../inference/engine.ts";
import type { BlockStore } from "../storage/blocks.ts";
import type { BlockTimes } from "./block-times.ts";
import type { Catalogue } from "./catalogue.ts";
import type { Hub } from "./hub.ts";
import type { Rotated } from "./rotation.ts";

/** The moments between which a crash must do no harm; tests stop the process at them. */
export type ProbePoint = "accepted" | "answered" | "stored" | "paid" | "written" | "sent" | "mined";
export type Probe = (point: ProbePoint, key?: Hex) => void | Promise<void>;

/** The newest block, as the keeper last saw it. */
export interface Head {
  block: bigint;
  /** Unix seconds. */
  timestamp: number;
  seenAt: number;
}

/** What the parts of the core share. */
export interface Context {
  readonly settings: Settings;
  readonly log: Logger;
  readonly chain: ChainConnection;
  readonly deployment: Deployment;
  readonly database: Database;
  readonly sender: Sender;
  readonly engine: Engine;
  readonly blocks: BlockStore;
  readonly hub: Hub;
  readonly catalogue: Catalogue;
  readonly times: BlockTimes;
  readonly operator: Address;
  /** Name in the catalogue of the model that runs here. */
  readonly model: string;
  /** Id of the validator that the operator key works for, 0 for none. */
  readonly validator: { id: number; rotated?: Rotated };
  readonly head: Head;
  readonly probe: Probe;
  /** Aborted when the keeper stops. */
  readonly signal: AbortSignal;
  /** Reads the contracts' logs up to the newest block. */
  readonly catchUp: () => Promise<void>;
  /** The newest block whose logs were read. */
  readonly readUpTo: () => bigint;
  /** Asks for a look at the chain now, rather than at the next turn. */
  readonly wake: () => void;
}

/** Unix seconds; a development chain's clock may be ahead of this machine's. */
export const chainNow = (context: Pick<Context, "head">): number =>
  Math.max(Math.floor(Date.now() / 1000), context.head.timestamp);

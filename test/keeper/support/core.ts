/** What most tests of the core begin with: a chain with the contracts on it, and a keeper that works there. */
import { type Address, type Hex, type LocalAccount, parseEther, parseEventLogs, zeroAddress, zeroHash } from "viem";
import { afterAll, beforeAll } from "vitest";
import { routerAbi } from "../../../keeper/chain/contracts.ts";
import { modelId } from "../../../keeper/chain/intents.ts";
import type { Overrides } from "../../../keeper/config.ts";
import type { Keeper, KeeperOptions } from "../../../keeper/main.ts";
import { MODEL, startChain, type TestChain } from "./chain.ts";
import { dataFolder, keeperOn } from "./keeper.ts";

export interface Core {
  readonly chain: TestChain;
  readonly keeper: Keeper;
  /** The keeper's data folder. */
  readonly path: string;
  /** Another keeper on the same chain, with a folder of its own. */
  another(more: Overrides, options?: KeeperOptions): Promise<Keeper>;
  /** Stops the keeper, and starts one in its folder in its place. */
  restart(): Promise<Keeper>;
  accountOf(user: Address): Promise<{ credits: bigint; nonce: bigint; accruedChats: bigint }>;
  creditsOf(user: Address): Promise<bigint>;
  /** Lets time pass on the chain, and a few blocks, since windows need both. */
  pass(seconds: number): Promise<void>;
  readonly router: Address;
  requestOf(id: Hex): ReturnType<typeof requestOf>;
  /** Submits from a wallet, past every keeper, with its prompt on chain; resolves to the request's id. */
  submitOnChain(user: LocalAccount, prompt: Hex, more?: Partial<typeof ASKED>): Promise<Hex>;
}

const requestOf = (chain: TestChain, id: Hex) =>
  chain.client.readContract({
    address: chain.book.contracts.router,
    abi: routerAbi,
    functionName: "requestOf",
    args: [id],
  });

const ASKED = {
  model: modelId(MODEL),
  promptHash: zeroHash,
  maxTokens: 16,
  temperature: 70,
  payment: parseEther("20"),
  priority: false,
  isPrivate: false,
  callback: zeroAddress,
  callbackGas: 0,
};

export async function submitOnChain(
  chain: TestChain,
  user: LocalAccount,
  prompt: Hex,
  more: Partial<typeof ASKED> = {},
): Promise<Hex> {
  const args = [{ ...ASKED, ...more }, prompt];
  const { logs } = await chain.write(user, chain.book.contracts.router, routerAbi, "submit", args);
  const [submitted] = parseEventLogs({ abi: routerAbi, eventName: "RequestSubmitted", logs });
  if (submitted === undefined) throw new Error("no request was submitted");
  return submitted.args.id;
}

/** Starts everything before the file's tests, and ends it behind them. */
export function coreFixture(more: Overrides = {}, options: KeeperOptions = {}): Core {
  const keepers: Keeper[] = [];
  const folders: Awaited<ReturnType<typeof dataFolder>>[] = [];
  let chain: TestChain | undefined;
  const required = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error("the fixture is not up");
    return part;
  };
  const start = async (overrides: Overrides, given: KeeperOptions): Promise<Keeper> => {
    const folder = await dataFolder();
    folders.push(folder);
    const keeper = await keeperOn(required(chain), folder.path, overrides, given);
    keepers.push(keeper);
    return keeper;
  };
  beforeAll(async () => {
    chain = await startChain();
    await start(more, options);
  });
  afterAll(async () => {
    await Promise.all(keepers.map((keeper) => keeper.stop()));
    await chain?.stop();
    await Promise.all(folders.map((folder) => folder.remove()));
  });
  const accountOf: Core["accountOf"] = (user) =>
    required(chain).client.readContract({
      address: required(chain).book.contracts.router,
      abi: routerAbi,
      functionName: "accountOf",
      args: [user],
    });
  return {
    get chain() {
      return required(chain);
    },
    get keeper() {
      return required(keepers[0]);
    },
    get path() {
      return required(folders[0]).path;
    },
    get router() {
      return required(chain).book.contracts.router;
    },
    restart: async () => {
      await required(keepers[0]).stop();
      const again = await keeperOn(required(chain), required(folders[0]).path, more, options);
      keepers[0] = again;
      return again;
    },
    another: (overrides, given = {}) => start(overrides, given),
    accountOf,
    creditsOf: async (user) => (await accountOf(user)).credits,
    pass: async (seconds) => {
      await required(chain).client.increaseTime({ seconds });
      await required(chain).client.mine({ blocks: 3 });
    },
    requestOf: (id) => requestOf(required(chain), id),
    submitOnChain: (user, prompt, asked) => submitOnChain(required(chain), user, prompt, asked),
  };
}

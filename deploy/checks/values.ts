import { type Abi, type Address, keccak256, stringToHex } from "viem";
import { ARTIFACTS, type ContractName, LINKS, type LinkName } from "../addresses.ts";
import { compiled } from "../artifacts.ts";
import { FEE_NAMES, GENESIS_NSD, GENESIS_NST } from "../parameters.ts";
import type { CheckContext } from "./context.ts";

/** Who knows whom: every address that a contract carries in its code. */
const WIRES: readonly (readonly [ContractName, string, ContractName])[] = [
  ["nsd", "LEDGER", "credits"],
  ["lcai", "MINTER", "router"],
  ["lcai", "SECOND_MINTER", "reward"],
  ["choir", "MINTER", "choirRewards"],
  ["choir", "SECOND_MINTER", "choirRewards"],
  ["router", "CREDITS", "credits"],
  ["router", "VALIDATORS", "validators"],
  ["router", "MODELS", "models"],
  ["router", "REWARD", "reward"],
  ["router", "COURT", "court"],
  ["router", "LCAI", "lcai"],
  ["credits", "ROUTER", "router"],
  ["credits", "TOKEN", "nsd"],
  ["credits", "VALIDATORS", "validators"],
  ["credits", "FEES", "fees"],
  ["validators", "ROUTER", "router"],
  ["validators", "TOKEN", "nst"],
  ["validators", "MODELS", "models"],
  ["validators", "FEES", "fees"],
  ["models", "ROUTER", "router"],
  ["locator", "NSD", "nsd"],
  ["locator", "NST", "nst"],
  ["locator", "LCAI", "lcai"],
  ["locator", "CHOIR", "choir"],
  ["locator", "ROUTER", "router"],
  ["locator", "CREDITS", "credits"],
  ["locator", "VALIDATORS", "validators"],
  ["locator", "FEES", "fees"],
  ["models", "FEES", "fees"],
  ["reward", "ROUTER", "router"],
  ["reward", "TOKEN", "lcai"],
  ["fees", "MODELS", "models"],
];
const PEERS = ["CREDITS", "VALIDATORS", "MODELS", "REWARD", "COURT", "LCAI"];

export async function checkWires(context: CheckContext): Promise<void> {
  const { book, parameters } = context;
  for (const [contract, getter, peer] of WIRES) {
    context.expect(`${contract}.${getter}()`, await context.read(contract, getter), book.contracts[peer]);
  }
  const { stakeVault } = book.implementations;
  let hand: Address = book.implementations.router;
  let handAbi: Abi = compiled(ARTIFACTS.router).abi;
  for (const link of LINKS) {
    const [address, abi] = [book.implementations[link], compiled(ARTIFACTS[link]).abi];
    context.expect(`${link} is the next link`, await context.readAt(hand, handAbi, "EXTENSION"), address);
    await checkLink(context, link);
    [hand, handAbi] = [address, abi];
  }
  context.expect("router.WINDOW_BLOCKS()", await context.read("router", "WINDOW_BLOCKS"), parameters.windowBlocks);
  context.expect("validators.ALLOW_HTTP()", await context.read("validators", "ALLOW_HTTP"), parameters.development);
  context.expect("validators.VAULT()", await context.read("validators", "VAULT"), stakeVault);
  const vault = compiled(ARTIFACTS.stakeVault).abi;
  context.expect("stakeVault.TOKEN()", await context.readAt(stakeVault, vault, "TOKEN"), book.contracts.nst);
  const registry = await context.readAt(stakeVault, vault, "REGISTRY");
  context.expect("stakeVault.REGISTRY()", registry, book.contracts.validators);
}

/** A link of the router works on the router's storage: what is fixed in its code must be what is fixed there. */
async function checkLink(context: CheckContext, part: LinkName): Promise<void> {
  const { abi } = compiled(ARTIFACTS[part]);
  const read = (getter: string) => context.readAt(context.book.implementations[part], abi, getter);
  for (const getter of PEERS) {
    context.expect(`${part}.${getter}()`, await read(getter), await context.read("router", getter));
  }
  context.expect(`${part}.WINDOW_BLOCKS()`, await read("WINDOW_BLOCKS"), context.parameters.windowBlocks);
}

/** Every number of the parameters file, as the contracts have it. */
export async function checkValues(context: CheckContext): Promise<void> {
  const { parameters } = context;
  context.expect("credits.treasury()", await context.read("credits", "treasury"), parameters.treasury);
  for (const [i, name] of FEE_NAMES.entries()) {
    context.expect(`fees.get(${i}), ${name}`, await context.read("fees", "get", [i]), parameters.fees[i]);
  }
  const views = compiled(ARTIFACTS.routerSeats).abi;
  await checkCatalogue(context, views);
  await checkGenesis(context);
}

/** The catalogue holds at least the models of the file, in its order: governance adds behind them. */
async function checkCatalogue(context: CheckContext, views: Abi): Promise<void> {
  const models = (await context.read("models", "models")) as unknown[] | string;
  for (const [i, model] of context.parameters.models.entries()) {
    context.expect(`models.models()[${i}]`, Array.isArray(models) ? models[i] : models, model);
    const id = keccak256(stringToHex(model.name));
    const part = (await context.read("fees", "pricePart", [model.multiplierBps, model.window, model.pace])) as bigint;
    const offer = (await context.readAt(context.book.contracts.router, views, "offerOf", [id])) as bigint;
    const priced = typeof part === "bigint" && typeof offer === "bigint";
    context.expect(`offer of ${model.name}, price`, priced ? (offer >> 62n) << 62n : offer, part);
    const terms = (BigInt(model.maxTokens) << 9n) | (BigInt(i) << 1n) | (model.active ? 1n : 0n);
    context.expect(`offer of ${model.name}, terms`, priced ? offer & (2n ** 29n - 1n) : offer, terms);
  }
}

/** The first transfer from the deployer to somebody is its share: that stays readable for ever. */
async function checkGenesis(context: CheckContext): Promise<void> {
  const { book, parameters } = context;
  for (const [name, supply] of [
    ["nsd", GENESIS_NSD],
    ["nst", GENESIS_NST],
  ] as const) {
    context.expect(`${name}.GENESIS()`, await context.read(name, "GENESIS"), supply);
    const sent = new Map<Address, bigint>();
    for (const { to, value } of await context.logs(name, "Transfer", { from: book.deployer })) {
      if (!sent.has(to as Address)) sent.set(to as Address, value as bigint);
    }
    for (const { to, amount } of parameters.genesis[name]) {
      if (to !== book.deployer) context.expect(`${name} of genesis for ${to}`, sent.get(to), amount);
    }
  }
  for (const name of ["lcai", "choir"] as const) {
    const abi = compiled(ARTIFACTS[name]).abi;
    context.expect(`${name}.MAX_SUPPLY()`, await context.readAt(book.contracts[name], abi, "MAX_SUPPLY"), 10n ** 27n);
    context.expect(`${name}.EPOCH_CAP()`, await context.readAt(book.contracts[name], abi, "EPOCH_CAP"), 10n ** 24n);
  }
}

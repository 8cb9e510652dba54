import { createPublicClient, http } from "viem";
import {
  type AddressBook,
  localBookPath,
  missingFromChain,
  networkBookPath,
  readAddressBook,
  writeAddressBook,
} from "../../../deploy/addresses.ts";
import { compileContracts, sourcesHash } from "../../../deploy/artifacts.ts";
import { checkDeployment } from "../../../deploy/check.ts";
import { deployTo } from "../../../deploy/deploy.ts";
import { loadParameters, networks } from "../../../deploy/parameters.ts";
import type { Settings } from "../../config.ts";
import { CliError, dim, type Step, warn } from "../console.ts";
import { type DataFolder, hasDatabase } from "../data-folder.ts";
import { LOCAL_CHAIN_ID, type LocalChain, startLocalChain } from "../local-chain/local.ts";
import { findState, stateFiles } from "../local-chain/state.ts";
import { isLoopback } from "../ports.ts";

type Outcome<T> = Promise<{ said: string; value: T }>;

export async function compile(step: Step, signal: AbortSignal): Outcome<void> {
  step.update(dim("compiling (half a minute, once)"));
  const compiled = await compileContracts(signal);
  return { said: compiled ? "compiled" : "unchanged", value: undefined };
}

/** A page that cannot be built is no reason not to serve: everything it does the API does too. */
export async function page(step: Step, built: Promise<boolean>, signal: AbortSignal): Outcome<void> {
  step.update(dim("building"));
  try {
    return { said: (await built) ? "built" : "unchanged", value: undefined };
  } catch (error) {
    if (signal.aborted || !(error instanceof CliError)) throw error;
    warn(`${error.message} The API is served without it.\n${error.advice ?? ""}`);
    return { said: "not built", value: undefined };
  }
}

/** The chain has to go on from where the database left it, or both have to begin anew. */
export async function localChain(settings: Settings, folder: DataFolder, portIsFixed: boolean): Outcome<LocalChain> {
  const found = await findState(stateFiles(folder.chain));
  const book = readAddressBook(localBookPath(settings.dataDir, LOCAL_CHAIN_ID));
  if (found.state === undefined && !found.broken && (book !== undefined || hasDatabase(folder))) {
    throw new CliError(
      `The local chain's state is gone from ${folder.chain}, while what was built on it is still there.`,
      "Put the state back, or begin anew with --fresh: what is there is set aside, not deleted.",
    );
  }
  const chain = await startLocalChain({ folder: folder.chain, port: settings.localChainPort, portIsFixed });
  if (settings.localChainPort !== 0 && chain.port !== settings.localChainPort) {
    warn(`Port ${settings.localChainPort} is in use: the local chain takes ${chain.port}.`);
  }
  if (chain.passedOver) warn("The newest state of the chain was torn: it goes on from the one saved before it.");
  if (book !== undefined && settings.databaseUrl === undefined && !hasDatabase(folder)) {
    warn(
      "The database is gone, the chain is not: it is built again from the chain. What was answered and not yet settled is lost.",
    );
  }
  return { said: `${chain.resumed ? `goes on at block ${chain.block}` : "new"} ${dim(chain.rpcUrl)}`, value: chain };
}

/** Deploys on a development chain where nothing is yet: the one started here, or another that knows the same accounts. */
export async function localDeployment(
  step: Step,
  settings: Settings,
  chain: Pick<LocalChain, "rpcUrl" | "save">,
): Outcome<AddressBook> {
  const path = localBookPath(settings.dataDir, LOCAL_CHAIN_ID);
  const known = readAddressBook(path);
  if (known !== undefined) {
    const missing = await missingFromChain(
      createPublicClient({ transport: http(chain.rpcUrl, { batch: true }) }),
      known,
    );
    if (missing.length > 0) {
      throw new CliError(
        `The local chain is not the one that this data folder's contracts are on (${missing[0]}).`,
        "Begin anew with --fresh: what is there is set aside, not deleted.",
      );
    }
    if (known.sources !== sourcesHash()) {
      warn(
        "The contracts' sources have changed since this chain got them. It goes on with the old ones; --fresh deploys the new ones.",
      );
    }
    return { said: `there already ${dim(`router ${known.contracts.router}`)}`, value: known };
  }
  const parameters = loadParameters("local");
  const book = await deployTo({
    rpcUrl: chain.rpcUrl,
    parameters,
    onProgress: ({ done, step: last }) => step.update(dim(`${done} transactions, ${last}`)),
  });
  step.update(dim("reading everything back"));
  const compared = await checkDeployment(chain.rpcUrl, book, parameters);
  // A book promises that its chain is there: so the chain is saved first.
  await chain.save();
  writeAddressBook(path, book);
  return { said: `deployed, ${compared} facts read back ${dim(`router ${book.contracts.router}`)}`, value: book };
}

/** Whether a chain is for development: then its accounts are everybody's, and contracts may be put there unasked. */
export async function identify(settings: Settings): Outcome<{ rpcUrl: string; chainId: number; development: boolean }> {
  const [rpcUrl = ""] = settings.rpcUrls;
  const client = createPublicClient({ transport: http(rpcUrl, { timeout: 10_000 }) });
  const chainId = await client.getChainId().catch((error: unknown) => {
    throw new CliError(
      `The chain at ${rpcUrl} does not answer.`,
      error instanceof Error ? error.message.split("\n")[0] : undefined,
    );
  });
  const development = chainId === LOCAL_CHAIN_ID && isLoopback(rpcUrl);
  return { said: `chain ${chainId} ${dim(rpcUrl)}`, value: { rpcUrl, chainId, development } };
}

/** Contracts that somebody else deployed, on a chain that somebody else runs. */
export async function foreignDeployment(settings: Settings, rpcUrl: string, chainId: number): Outcome<AddressBook> {
  const client = createPublicClient({ transport: http(rpcUrl, { batch: true, timeout: 10_000 }) });
  const named = settings.deploymentFile === undefined ? [] : [settings.deploymentFile];
  for (const path of [...named, localBookPath(settings.dataDir, chainId), ...networks().map(networkBookPath)]) {
    const book = readAddressBook(path);
    if (book?.chainId !== chainId) continue;
    const missing = await missingFromChain(client, book);
    if (missing.length > 0) throw new CliError(`${path} does not fit the chain at ${rpcUrl}: ${missing[0]}.`);
    // The keeper looks for the book in its data folder, where none is named.
    if (settings.deploymentFile === undefined) writeAddressBook(localBookPath(settings.dataDir, chainId), book);
    return { said: `found in ${path}`, value: book };
  }
  throw new CliError(
    `No contracts are known on chain ${chainId} (${rpcUrl}).`,
    "Deploy them with `npm run deploy -- --network <name>`, or name their address book with DEPLOYMENT.",
  );
}

import type { AddressBook } from "../../../deploy/addresses.ts";
import type { Settings } from "../../config.ts";
import type { Steps } from "../console.ts";
import type { DataFolder } from "../data-folder.ts";
import type { Running } from "./running.ts";
import { foreignDeployment, identify, localChain, localDeployment } from "./steps.ts";

/** A chain with the contracts on it: what a keeper works on. */
export interface Ground {
  readonly rpcUrl: string;
  /** A chain whose accounts are everybody's. */
  readonly development: boolean;
  readonly book: AddressBook;
  /** Resolves with the reason, should a chain that was started here end by itself. */
  readonly lost: Promise<string>;
}

/** Starts the local chain, or finds the one that was named, and sees to it that the contracts are there. */
export async function prepareChain(
  steps: Steps,
  settings: Settings,
  folder: DataFolder,
  running: Running,
): Promise<Ground> {
  if (settings.rpcUrls.length === 0) {
    const portIsFixed = process.env["LOCAL_CHAIN_PORT"] !== undefined;
    const chain = await steps.run("Chain", () => localChain(settings, folder, portIsFixed));
    running.add(chain.stop);
    const book = await steps.run("Deployment", (step) => localDeployment(step, settings, chain));
    return { rpcUrl: chain.rpcUrl, development: true, book, lost: chain.lost };
  }
  const { rpcUrl, chainId, development } = await steps.run("Chain", () => identify(settings));
  const foreign = { rpcUrl, save: async () => undefined };
  const book = await steps.run("Deployment", (step) =>
    development && settings.deploymentFile === undefined
      ? localDeployment(step, settings, foreign)
      : foreignDeployment(settings, rpcUrl, chainId),
  );
  return { rpcUrl, development, book, lost: new Promise(() => undefined) };
}

import { createPublicClient, http } from "viem";
import { type AddressBook, missingFromChain } from "./addresses.ts";
import { checkCode } from "./checks/code.ts";
import { CheckContext, type Finding } from "./checks/context.ts";
import { checkRights } from "./checks/rights.ts";
import { checkValues, checkWires } from "./checks/values.ts";
import type { Parameters } from "./parameters.ts";

export type { Finding } from "./checks/context.ts";

export interface CheckReport {
  readonly findings: readonly Finding[];
  /** How many facts were read back and compared. */
  readonly compared: number;
}

/** The deployment is not what the parameters and the tables say. */
export class CheckFailedError extends Error {
  readonly findings: readonly Finding[];

  constructor(findings: readonly Finding[]) {
    const lines = findings.map(({ what, expected, found }) => `  ${what}: expected ${expected}, found ${found}`);
    super(
      `The deployment is not as it should be, in ${findings.length} ${findings.length === 1 ? "place" : "places"}:\n${lines.join("\n")}`,
    );
    this.name = "CheckFailedError";
    this.findings = findings;
  }
}

/** Reads everything back: code, wires, locks, rights, parameters, catalogue and genesis. */
export async function inspectDeployment(
  rpcUrl: string,
  book: AddressBook,
  parameters: Parameters,
): Promise<CheckReport> {
  const client = createPublicClient({ transport: http(rpcUrl, { batch: true, retryCount: 3 }) });
  const context = new CheckContext(client, book, parameters);
  context.expect("chain", await client.getChainId(), parameters.chainId);
  context.expect("address book against the chain", await missingFromChain(client, book), []);
  for (const check of [checkCode, checkWires, checkRights, checkValues]) await check(context);
  return { findings: context.findings, compared: context.compared };
}

/** The same, and throws where anything differs. Returns how many facts were compared. */
export async function checkDeployment(rpcUrl: string, book: AddressBook, parameters: Parameters): Promise<number> {
  const { findings, compared } = await inspectDeployment(rpcUrl, book, parameters);
  if (findings.length > 0) throw new CheckFailedError(findings);
  return compared;
}

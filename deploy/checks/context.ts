import { type Abi, type AbiEvent, type Address, getAbiItem, type PublicClient } from "viem";
import { type AddressBook, ARTIFACTS, type ContractName } from "../addresses.ts";
import { compiled } from "../artifacts.ts";
import type { Parameters } from "../parameters.ts";

/** Something that is not as the parameters and the tables say it should be. */
export interface Finding {
  readonly what: string;
  readonly expected: string;
  readonly found: string;
}

const SPAN = 5_000n;

/** What every check reads from, and where it writes down what is wrong. */
export class CheckContext {
  readonly client: PublicClient;
  readonly book: AddressBook;
  readonly parameters: Parameters;
  readonly findings: Finding[] = [];
  /** How many comparisons were made: none would prove nothing. */
  compared = 0;

  constructor(client: PublicClient, book: AddressBook, parameters: Parameters) {
    this.client = client;
    this.book = book;
    this.parameters = parameters;
  }

  expect(what: string, found: unknown, expected: unknown): void {
    this.compared += 1;
    const [right, left] = [show(expected), show(found)];
    if (right !== left) this.findings.push({ what, expected: right, found: left });
  }

  /** Reads a view; a revert becomes an answer that equals nothing expected. */
  async read(contract: ContractName, name: string, args: readonly unknown[] = []): Promise<unknown> {
    return this.readAt(this.book.contracts[contract], compiled(ARTIFACTS[contract]).abi, name, args);
  }

  async readAt(address: Address, abi: Abi, functionName: string, args: readonly unknown[] = []): Promise<unknown> {
    try {
      return await this.client.readContract({ address, abi, functionName, args });
    } catch (error) {
      return `no answer (${error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)})`;
    }
  }

  /** An event's logs since the deployment, in spans that every endpoint grants. */
  async logs(contract: ContractName, name: string, args?: Record<string, unknown>): Promise<Record<string, unknown>[]> {
    const event = getAbiItem({ abi: compiled(ARTIFACTS[contract]).abi, name }) as AbiEvent;
    const latest = await this.client.getBlockNumber();
    const found: Record<string, unknown>[] = [];
    for (let from = BigInt(this.book.block); from <= latest; from += SPAN) {
      const to = from + SPAN - 1n < latest ? from + SPAN - 1n : latest;
      const logs = await this.client.getLogs({
        address: this.book.contracts[contract],
        event,
        args,
        fromBlock: from,
        toBlock: to,
        strict: true,
      });
      for (const log of logs)
        found.push({
          ...(log.args as Record<string, unknown>),
          at: log.blockNumber * 1_000_000n + BigInt(log.logIndex ?? 0),
        });
    }
    return found;
  }
}

/** Addresses and hashes compare without regard to case; numbers by value, whatever type carries them. */
function show(value: unknown): string {
  if (typeof value === "string") return /^0x[0-9a-fA-F]*$/.test(value) ? value.toLowerCase() : value;
  if (typeof value === "bigint" || typeof value === "number" || typeof value === "boolean") return String(value);
  if (value === undefined) return "nothing";
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "bigint" || typeof inner === "number"
      ? String(inner)
      : typeof inner === "string"
        ? show(inner)
        : inner,
  );
}

import { type Address, getAddress, isAddress, parseEther, zeroAddress } from "viem";

/** Reads values out of a file that somebody wrote, and collects what is wrong with them. */
export class Reader {
  readonly problems: string[] = [];

  problem(field: string, expected: string, value: unknown): void {
    this.problems.push(`${field}: expected ${expected}, found ${JSON.stringify(value) ?? "nothing"}`);
  }

  address(field: string, value: unknown): Address {
    if (typeof value === "string" && isAddress(value) && !/^0x0{40}$/.test(value)) return getAddress(value);
    this.problem(field, "an address", value);
    return zeroAddress;
  }

  whole(field: string, value: unknown): number {
    if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
    this.problem(field, "a whole number", value);
    return 0;
  }

  decimal(field: string, value: unknown): bigint {
    if (typeof value === "string" && /^\d{1,12}(\.\d{1,18})?$/.test(value)) return parseEther(value);
    this.problem(field, 'a decimal in quotes, such as "0.1"', value);
    return 0n;
  }
}

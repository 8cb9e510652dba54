import { BaseError, decodeErrorResult, type Hex, isHex } from "viem";
import { ALL_ABIS } from "./contracts.ts";

/** A call that the contracts refuse, by the name they refuse it with. */
export class OnChainError extends Error {
  readonly errorName: string;
  readonly args: readonly unknown[];

  constructor(errorName: string, args: readonly unknown[], cause?: unknown) {
    super(`${errorName}(${args.map(String).join(", ")})`, { cause });
    this.name = "OnChainError";
    this.errorName = errorName;
    this.args = args;
  }
}

/** The revert behind a failed call; undefined where the call failed for another reason, such as a dead endpoint. */
export function onChainError(error: unknown): OnChainError | undefined {
  if (error instanceof OnChainError) return error;
  if (!(error instanceof BaseError)) return undefined;
  const data = revertData(error);
  if (data !== undefined && data !== "0x") {
    for (const abi of ALL_ABIS) {
      try {
        const { errorName, args } = decodeErrorResult({ abi, data });
        return new OnChainError(errorName, args ?? [], error);
      } catch {
        // Another contract's error, perhaps.
      }
    }
    return new OnChainError("UnknownError", [data.slice(0, 10)], error);
  }
  const reverted = error.walk(
    (inner) =>
      ["ExecutionRevertedError", "CallExecutionError"].includes((inner as Error).name) &&
      /revert/i.test((inner as Error).message),
  );
  return reverted ? new OnChainError("Reverted", [], error) : undefined;
}

/** Whether a simulation failed for want of gas alone: in less of it, as endpoints and the contracts' own floors put it. */
export function isOutOfGas(error: unknown): boolean {
  if (onChainError(error)?.errorName === "RouterGasTooLow") return true;
  const text = error instanceof BaseError ? `${error.message} ${error.details}` : String(error);
  return /out of gas|OutOfGas|gas required exceeds|exceeds block gas limit|gas limit reached|intrinsic gas too (high|low)/i.test(
    text,
  );
}

function revertData(error: BaseError): Hex | undefined {
  let found: Hex | undefined;
  error.walk((inner) => {
    const data = (inner as { data?: unknown }).data;
    const nested = typeof data === "object" && data !== null ? (data as { data?: unknown }).data : data;
    if (isHex(nested)) found = nested;
    return false;
  });
  return found;
}

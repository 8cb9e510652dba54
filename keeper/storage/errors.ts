import { CodedError } from "../services/coded-error.ts";

/** What can go wrong between a record and its stored block. `retryable` says whether the same call can succeed later. */
export class StorageError extends CodedError {}

export class InvalidRecordError extends StorageError {
  constructor(message: string, options?: ErrorOptions) {
    super("invalid_record", false, message, options);
  }
}

export class BlockTooLargeError extends StorageError {
  readonly bytes: number;
  readonly limit: number;

  constructor(bytes: number, limit: number) {
    super("block_too_large", false, `The block has ${bytes} bytes; at most ${limit} are stored as one.`);
    this.bytes = bytes;
    this.limit = limit;
  }
}

export class InvalidCidError extends StorageError {
  constructor(cid: string, reason: string) {
    super("invalid_cid", false, `${JSON.stringify(cid)} is not the CID of a raw SHA-256 block: ${reason}`);
  }
}

/** What came back does not hash to its CID: the disk or the other side is at fault, and nobody may be given the bytes. */
export class CorruptBlockError extends StorageError {
  readonly cid: string;

  constructor(cid: string) {
    super("corrupt_block", false, `The block stored as ${cid} has other contents than its CID says.`);
    this.cid = cid;
  }
}

export class StorageFullError extends StorageError {
  constructor(message: string, options?: ErrorOptions) {
    super("storage_full", true, message, options);
  }
}

export class StorageUnavailableError extends StorageError {
  constructor(message: string, options?: ErrorOptions) {
    super("storage_unavailable", true, message, options);
  }
}

import { hash } from "node:crypto";
import { CID } from "multiformats/cid";
import { create as createDigest } from "multiformats/hashes/digest";
import type { Hex } from "viem";
import { InvalidCidError } from "./errors.ts";

const RAW = 0x55;
const SHA2_256 = 0x12;

/** SHA-256 of a block, as the router keeps it. */
export function digestOfBytes(bytes: Uint8Array): Hex {
  return `0x${hash("sha256", bytes)}`;
}

/** CIDv1 of the raw block with this digest: 32 bytes on chain, and the name under which IPFS knows the block. */
export function cidOf(digest: Hex): string {
  if (!/^0x[0-9a-fA-F]{64}$/.test(digest)) throw new InvalidCidError(digest, "a digest is 32 bytes in hex");
  return CID.createV1(RAW, createDigest(SHA2_256, Buffer.from(digest.slice(2), "hex"))).toString();
}

export function digestOf(cid: string): Hex {
  const parsed = parse(cid);
  if (parsed.version !== 1 || parsed.code !== RAW) throw new InvalidCidError(cid, "expected CIDv1 with the raw codec");
  if (parsed.multihash.code !== SHA2_256 || parsed.multihash.digest.length !== 32)
    throw new InvalidCidError(cid, "expected SHA-256");
  return `0x${Buffer.from(parsed.multihash.digest).toString("hex")}`;
}

/** The one spelling of a CID (base32, lower case): the same block never gets two names in a folder or a table. */
export function normalizedCid(cid: string): string {
  return cidOf(digestOf(cid));
}

function parse(cid: string): CID {
  try {
    return CID.parse(cid);
  } catch (error) {
    throw new InvalidCidError(cid, error instanceof Error ? error.message : String(error));
  }
}

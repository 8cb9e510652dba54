import { concat, type Hex, keccak256, zeroHash } from "viem";

/**
 * The Merkle root over the digests of a session's records, in their order: two neighbours hash with keccak256, one without
 * a neighbour moves up as it is, and the root of one digest is that digest. A receipt's count tells how deep a leaf lies.
 */
export function recordsRoot(digests: readonly Hex[]): Hex {
  let level = digests;
  while (level.length > 1) {
    const pairs: Hex[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const [left, right] = [level[i] ?? zeroHash, level[i + 1]];
      pairs.push(right === undefined ? left : keccak256(concat([left, right])));
    }
    level = pairs;
  }
  return level[0] ?? zeroHash;
}

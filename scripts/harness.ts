// Writes harness/Recording.sol: a deployment, as the transactions that it consists of. deploy/ deploys to a chain of its
// own, what it sent is read back from the blocks, and harness/InferenceHarness.sol sends the same again, from the same
// account, in anybody's Foundry test. So the code that runs there is the deployed one, and the order and the numbers of a
// deployment are written down in deploy/ alone.
//
// Embedded in Solidity, since a test may read no file of node_modules without leave in its foundry.toml. Not committed: it is
// some 400 KB that change with every contract, and it follows from the sources. The first line says which.
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Address,
  createTestClient,
  getAddress,
  getContractAddress,
  type Hex,
  http,
  keccak256,
  publicActions,
  toHex,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { foundry } from "viem/chains";
import { type AddressBook, CONTRACTS } from "../deploy/addresses.ts";
import { compileContracts, sourcesHash } from "../deploy/artifacts.ts";
import { deployTo } from "../deploy/deploy.ts";
import { loadParameters, type Parameters } from "../deploy/parameters.ts";
import { startLocalChain } from "../keeper/cli/local-chain/local.ts";

interface Sent {
  /** Undefined where it makes a contract. */
  readonly to: Address | undefined;
  readonly data: Hex;
}

const target = fileURLToPath(new URL("../harness/Recording.sol", import.meta.url));
/** Bytes of a literal. */
const PIECE = 2_048;
/** Nobody's account on any chain: its addresses are free in a test on a fork, too. */
const deployer = privateKeyToAccount(keccak256(toHex("NeuroSwarm harness: deployer")));

/** The local network's numbers; the deployer holds all that genesis creates, and governs. */
function parameters(): Parameters {
  const local = loadParameters("local");
  const all = (shares: Parameters["genesis"]["nsd"]) => [
    { to: deployer.address, amount: shares.reduce((sum, { amount }) => sum + amount, 0n) },
  ];
  const genesis = { nsd: all(local.genesis.nsd), nst: all(local.genesis.nst) };
  return { ...local, guardian: deployer.address, treasury: deployer.address, genesis };
}

async function record(): Promise<{ book: AddressBook; sent: Sent[] }> {
  const folder = mkdtempSync(join(tmpdir(), "neuroswarm-harness-"));
  const chain = await startLocalChain({ folder, port: 0 });
  try {
    const options = { mode: "anvil", chain: foundry, transport: http(chain.rpcUrl) } as const;
    const client = createTestClient(options).extend(publicActions);
    await client.setBalance({ address: deployer.address, value: 10n ** 20n });
    const book = await deployTo({ rpcUrl: chain.rpcUrl, parameters: parameters(), account: deployer });
    const sent: Sent[] = [];
    for (let number = 1n; number <= (await client.getBlockNumber()); number++) {
      const { transactions } = await client.getBlock({ blockNumber: number, includeTransactions: true });
      for (const { from, to, input, nonce } of transactions.toSorted((a, b) => a.nonce - b.nonce)) {
        if (from.toLowerCase() !== deployer.address.toLowerCase() || nonce !== sent.length)
          throw new Error(`transaction ${nonce} of ${from} is not the deployer's ${sent.length}`);
        sent.push({ to: to ?? undefined, data: input });
      }
    }
    return { book, sent };
  } finally {
    await chain.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As Solidity writes constants. */
const constantOf = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

function solidity({ book, sent }: { book: AddressBook; sent: Sent[] }, sources: string): string {
  const made = new Set(sent.map((_, nonce) => getContractAddress({ from: deployer.address, nonce: BigInt(nonce) })));
  for (const name of CONTRACTS) {
    if (!made.has(book.contracts[name])) throw new Error(`${name} is not where its transaction puts it`);
  }
  const addresses = CONTRACTS.map(
    (name) => `    address internal constant ${constantOf(name)} = ${book.contracts[name]};\n`,
  );
  const pieces: string[] = [];
  const cases = sent.map(({ to, data }, nonce) => {
    const first = pieces.length;
    for (let i = 2; i < data.length; i += 2 * PIECE) pieces.push(data.slice(i, i + 2 * PIECE));
    const place = to === undefined ? "address(0)" : getAddress(to);
    return `        if (nonce == ${nonce}) return (${place}, _join(${first}, ${pieces.length}));\n`;
  });
  const choices = pieces.map((_, i) => `        if (i == ${i}) return _piece${i}();\n`);
  const functions = pieces.map(
    (piece, i) =>
      `    function _piece${i}() private pure returns (bytes memory) {\n        return hex"${piece}";\n    }\n`,
  );
  return `// Generated by \`npm run build:harness\` from ${sources}
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title What a recorded deployment of NeuroSwarm made
library Recorded {
    /// Sent all transactions. Holds what genesis created, and governs.
    address internal constant DEPLOYER = ${deployer.address};
    uint256 internal constant COUNT = ${sent.length};

${addresses.join("")}}

/// @title The deployment, transaction by transaction
/// @dev A contract of its own, which tests deploy by name: it is compiled once, however many tests there are. In pieces,
/// since compilers take long for one large function.
contract NeuroSwarmRecording {
    /// @return to Zero where it makes a contract.
    function transaction(uint256 nonce) external pure returns (address to, bytes memory data) {
${cases.join("")}        revert("no such transaction");
    }

    function _join(uint256 from, uint256 until) private pure returns (bytes memory data) {
        for (uint256 i = from; i < until; ++i) {
            data = bytes.concat(data, _piece(i));
        }
    }

    function _piece(uint256 i) private pure returns (bytes memory) {
${choices.join("")}        revert("no such piece");
    }

${functions.join("\n")}}
`;
}

/** The contracts, what deploys them, and how this file writes it down. */
function originHash(): string {
  const hash = createHash("sha256").update(sourcesHash());
  const root = fileURLToPath(new URL("..", import.meta.url));
  const files = readdirSync(join(root, "deploy"), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(ts|json)$/.test(file) && !file.startsWith("deployments"))
    .map((file) => join("deploy", file));
  for (const file of [...files, join("scripts", "harness.ts")].sort()) hash.update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

await compileContracts();
const sources = originHash();
if (existsSync(target) && readFileSync(target, "utf8").split("\n", 1)[0]?.endsWith(` from ${sources}`)) {
  console.info("harness/Recording.sol is of these sources");
} else {
  const recording = await record();
  const scratch = `${target}.${process.pid}.tmp`;
  writeFileSync(scratch, solidity(recording, sources));
  renameSync(scratch, target);
  console.info(`harness/Recording.sol: ${recording.sent.length} transactions`);
}

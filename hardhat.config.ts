import { createRequire } from "node:module";
import ignitionViem from "@nomicfoundation/hardhat-ignition-viem";
import verify from "@nomicfoundation/hardhat-verify";
import viem from "@nomicfoundation/hardhat-viem";
import { defineConfig } from "hardhat/config";

// Hardhat deploys (Ignition) and verifies; forge compiles for tests and types. Both use the compiler that the lockfile
// pins, with the settings of foundry.toml, and give the same bytecode.
const STEPS =
  "dhfoDgvulfnTUtnIf[xa[r]EscLMcCTUtTOntnfDIulLculVcul [j]Tpeulxa[rul]xa[r]cLgvifCTUca[r]LSsTFOtfDnca[r]Iulc]jmul[jul] VcTOcul jmul:fDnTOcmu";
const compiler = {
  version: "0.8.37",
  path: createRequire(import.meta.url).resolve("solc/soljson.js"),
  settings: {
    evmVersion: "prague",
    optimizer: {
      enabled: true,
      runs: 10_000,
      details: { yulDetails: { stackAllocation: true, optimizerSteps: STEPS } },
    },
    viaIR: true,
    metadata: { bytecodeHash: "none" },
  },
};

export default defineConfig({
  plugins: [ignitionViem, verify, viem],
  solidity: {
    profiles: { default: compiler, production: compiler },
    // The same as in deploy/Foundations.sol, which is forge's way to compile what others wrote.
    npmFilesToBuild: [
      "@openzeppelin/contracts/access/manager/AccessManager.sol",
      "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol",
    ],
  },
  paths: {
    sources: "./contracts",
    // forge runs the Solidity tests; without a folder of its own here Hardhat would compile them as well.
    tests: { solidity: "./deploy/tests" },
    artifacts: "./artifacts/hardhat",
    cache: "./cache/hardhat",
    ignition: "./deploy",
  },
  networks: {
    local: { type: "http", chainType: "l1", url: process.env.RPC_URL ?? "http://127.0.0.1:8545" },
  },
});

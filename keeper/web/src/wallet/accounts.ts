import type { Hex } from "../api/wire.ts";

/** Accounts that every local development chain knows. Their keys are public: they are worth nothing anywhere else. */
export const DEVELOPMENT_ACCOUNTS: readonly Hex[] = [
  "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
  "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
  "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
];

/**
 * Who may do what: every privileged function of every contract, in one table. The AccessManager enforces it, and
 * deploy/check.ts reads it back. What is not in here nobody may call but an administrator, after the longest delay.
 */
import { type Address, toFunctionSelector } from "viem";
import { type ContractName, PROXIES } from "./addresses.ts";
import type { Parameters } from "./parameters.ts";

/** Role numbers in the AccessManager. 0 is its administrator, who grants roles and changes this table. */
export const ROLES = { admin: 0n, parameters: 1n, upgrades: 2n, guardian: 3n } as const;
export type RoleName = keyof typeof ROLES;

export interface Privilege {
  readonly contract: ContractName;
  /** As the ABI has it. */
  readonly signature: string;
  readonly role: Exclude<RoleName, "admin">;
}

const MODEL = "(string,bytes32,uint32,uint32,uint32,uint16,uint16,bool)";

export const PRIVILEGES: readonly Privilege[] = [
  { contract: "fees", signature: "set(uint8,uint256)", role: "parameters" },
  { contract: "models", signature: `addModel(${MODEL})`, role: "parameters" },
  { contract: "models", signature: `setModel(${MODEL})`, role: "parameters" },
  { contract: "credits", signature: "setTreasury(address)", role: "parameters" },
  { contract: "router", signature: "setRateWindow(address,uint256)", role: "parameters" },
  { contract: "router", signature: "pauseSettlement(uint256)", role: "guardian" },
  { contract: "router", signature: "pauseIntake(uint256)", role: "guardian" },
  ...PROXIES.map((contract) => ({ contract, signature: "upgradeToAndCall(address,bytes)", role: "upgrades" }) as const),
];

export interface Membership {
  readonly role: RoleName;
  readonly account: Address;
  /** Seconds between announcing a call and making it. */
  readonly delay: number;
}

/** Who holds which role once the deployment is done. */
export function membershipsOf(parameters: Parameters, deployer: Address): Membership[] {
  const governance = parameters.governance ?? deployer;
  return [
    { role: "admin", account: governance, delay: parameters.delays.admin },
    { role: "parameters", account: governance, delay: parameters.delays.parameters },
    { role: "upgrades", account: governance, delay: parameters.delays.upgrades },
    { role: "guardian", account: parameters.guardian, delay: 0 },
  ];
}

/** The roles whose announced calls a guardian may cancel: it can stop, and start nothing. */
export const GUARDED: readonly RoleName[] = ["parameters", "upgrades"];

/** Selectors of a contract's functions that a role may call, in the order of the table. */
export function selectorsOf(contract: ContractName, role: Privilege["role"]): `0x${string}`[] {
  return PRIVILEGES.filter((row) => row.contract === contract && row.role === role).map((row) =>
    toFunctionSelector(row.signature),
  );
}

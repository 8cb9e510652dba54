import { type Address, getAddress, type Hex } from "viem";
import { ARTIFACTS, FIXED, IMPLEMENTATIONS, type ImplementationName, PROXIES, VACANT } from "../addresses.ts";
import { type Compiled, compiled } from "../artifacts.ts";
import type { CheckContext } from "./context.ts";

/** ERC-1967: where a proxy keeps its implementation. */
const IMPLEMENTATION_SLOT = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc";
/** ERC-7201 `openzeppelin.storage.Initializable`: the version that a contract was initialised to. */
const INITIALIZABLE_SLOT = "0xf0c57e16840df040f15088dc2f81fe391c3923bec73e23a9662efc9c229c6a00";
const LOCKED = 2n ** 64n - 1n;

/** Every contract runs the code that was compiled here, every implementation is locked, every proxy has moved in. */
export async function checkCode(context: CheckContext): Promise<void> {
  const { book } = context;
  for (const name of FIXED) await sameCode(context, name, book.contracts[name], compiled(ARTIFACTS[name]));
  for (const name of IMPLEMENTATIONS) {
    await sameCode(context, `implementation of ${name}`, book.implementations[name], compiled(ARTIFACTS[name]));
    if (hasNothingToLock(name)) continue;
    context.expect(
      `implementation of ${name}, initialised`,
      await version(context, book.implementations[name]),
      LOCKED,
    );
  }
  for (const name of PROXIES) {
    await sameCode(context, `proxy of ${name}`, book.contracts[name], compiled("ERC1967Proxy"));
    const slot = await context.client.getStorageAt({ address: book.contracts[name], slot: IMPLEMENTATION_SLOT });
    context.expect(
      `proxy of ${name}, implementation`,
      slot && getAddress(`0x${slot.slice(-40)}`),
      book.implementations[name],
    );
    context.expect(`proxy of ${name}, initialised`, await version(context, book.contracts[name]), versionOf(name));
    context.expect(`${name}.authority()`, await context.read(name, "authority"), book.contracts.accessManager);
  }
}

/** Who has no initialiser, and no role to ask for, has no lock either. */
function hasNothingToLock(name: ImplementationName): boolean {
  return !compiled(ARTIFACTS[name]).abi.some((item) => item.type === "function" && item.name === "authority");
}

/** The vacant proxy was initialised once; what moved in with something to set, a second time. */
function versionOf(name: (typeof PROXIES)[number]): bigint {
  if (VACANT.includes(name)) return 1n;
  return compiled(ARTIFACTS[name]).abi.some((item) => item.type === "function" && item.name === "initialize") ? 2n : 1n;
}

async function version(context: CheckContext, address: Address): Promise<bigint> {
  return BigInt((await context.client.getStorageAt({ address, slot: INITIALIZABLE_SLOT })) ?? "0x0") & LOCKED;
}

async function sameCode(context: CheckContext, what: string, address: Address, artifact: Compiled): Promise<void> {
  const code = (await context.client.getCode({ address })) ?? "0x";
  const compiledTo = artifact.deployedBytecode;
  const same = code.length === compiledTo.length && blank(code, artifact) === blank(compiledTo, artifact);
  context.expect(
    `${what}, code at ${address}`,
    same ? "as compiled" : code === "0x" ? "none" : "other code",
    "as compiled",
  );
}

/** Code with nothing in the places of immutables, which the constructor fills. */
function blank(code: Hex, { immutables }: Compiled): string {
  const bytes = Buffer.from(code.slice(2), "hex");
  for (const { start, length } of immutables) bytes.fill(0, start, start + length);
  return bytes.toString("hex");
}

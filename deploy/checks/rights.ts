import type { Address } from "viem";
import { CONTRACTS, PROXIES } from "../addresses.ts";
import { GUARDED, membershipsOf, PRIVILEGES, ROLES, type RoleName, selectorsOf } from "../roles.ts";
import type { CheckContext } from "./context.ts";

/** The table of roles holds, and nobody has a right beside it: what was ever granted is read from the events. */
export async function checkRights(context: CheckContext): Promise<void> {
  await checkMembers(context);
  await checkFunctions(context);
  for (const role of Object.keys(ROLES) as RoleName[]) {
    const guardian = GUARDED.includes(role) ? ROLES.guardian : ROLES.admin;
    context.expect(
      `guardian of role ${role}`,
      await context.read("accessManager", "getRoleGuardian", [ROLES[role]]),
      guardian,
    );
    context.expect(
      `administrator of role ${role}`,
      await context.read("accessManager", "getRoleAdmin", [ROLES[role]]),
      ROLES.admin,
    );
  }
  for (const name of PROXIES) {
    context.expect(
      `${name}, closed`,
      await context.read("accessManager", "isTargetClosed", [context.book.contracts[name]]),
      false,
    );
  }
}

async function checkMembers(context: CheckContext): Promise<void> {
  const { book, parameters } = context;
  const expected = membershipsOf(parameters, book.deployer);
  for (const { role, account, delay } of expected) {
    context.expect(`${account} as ${role}`, await context.read("accessManager", "hasRole", [ROLES[role], account]), [
      true,
      delay,
    ]);
  }
  const granted = (await context.logs("accessManager", "RoleGranted")) as { roleId: bigint; account: Address }[];
  const seen = new Set(granted.map(({ roleId, account }) => `${roleId} ${account}`));
  for (const { role, account } of expected) seen.delete(`${ROLES[role]} ${account}`);
  for (const entry of seen) {
    const [roleId = "", account = ""] = entry.split(" ");
    const [member] = (await context.read("accessManager", "hasRole", [BigInt(roleId), account])) as [boolean, number];
    context.expect(`${account} in role ${nameOf(BigInt(roleId))}, which the table does not give it`, member, false);
  }
}

async function checkFunctions(context: CheckContext): Promise<void> {
  const { book } = context;
  const roleOf = (target: Address, selector: string) =>
    context.read("accessManager", "getTargetFunctionRole", [target, selector]);
  const listed = new Set<string>();
  for (const contract of PROXIES) {
    const roles = new Set(PRIVILEGES.filter((row) => row.contract === contract).map((row) => row.role));
    for (const role of roles) {
      for (const selector of selectorsOf(contract, role)) {
        listed.add(`${book.contracts[contract]} ${selector}`);
        context.expect(
          `role for ${contract} ${selector}`,
          await roleOf(book.contracts[contract], selector),
          ROLES[role],
        );
      }
    }
  }
  const updated = (await context.logs("accessManager", "TargetFunctionRoleUpdated")) as {
    target: Address;
    selector: string;
  }[];
  for (const { target, selector } of updated) {
    if (listed.has(`${target} ${selector}`)) continue;
    const name = CONTRACTS.find((key) => book.contracts[key] === target) ?? target;
    context.expect(`role for ${name} ${selector}, which is in no table`, await roleOf(target, selector), ROLES.admin);
  }
}

function nameOf(role: bigint): string {
  return Object.entries(ROLES).find(([, id]) => id === role)?.[0] ?? String(role);
}

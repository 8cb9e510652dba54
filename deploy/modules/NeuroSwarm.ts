import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import type { Address } from "viem";
import { PROXIES } from "../addresses.ts";
import type { Parameters } from "../parameters.ts";
import { GUARDED, membershipsOf, PRIVILEGES, ROLES, selectorsOf } from "../roles.ts";
import { foundations } from "./Foundations.ts";
import { protocol } from "./Protocol.ts";
import { tokens } from "./Tokens.ts";

/**
 * The whole deployment. What is a list in the parameters file (shares, members of roles) becomes a transaction an
 * entry, so this module is made for its parameters. Until the rights are handed out the deployer alone has any.
 */
export function neuroSwarm(parameters: Parameters, deployer: Address) {
  return buildModule("NeuroSwarm", (m) => {
    const base = m.useModule(foundations);
    const money = m.useModule(tokens);
    const code = m.useModule(protocol);

    const shares = (["nsd", "nst"] as const).flatMap((name) =>
      parameters.genesis[name]
        .filter(({ to }) => to !== deployer)
        .map(({ to, amount }) => m.call(money[name], "transfer", [to, amount], { id: `${name}_to_${to}` })),
    );

    const manage = (
      id: string,
      name: string,
      args: (string | bigint | number | (typeof base)["router"] | string[])[],
    ) => m.call(base.accessManager, name, args, { id, after: [protocol] });
    const rights = [
      ...PROXIES.flatMap((contract) =>
        [...new Set(PRIVILEGES.filter((row) => row.contract === contract).map((row) => row.role))].map((role) =>
          manage(`${contract}_for_${role}`, "setTargetFunctionRole", [
            base[contract],
            selectorsOf(contract, role),
            ROLES[role],
          ]),
        ),
      ),
      ...GUARDED.map((role) => manage(`guardian_of_${role}`, "setRoleGuardian", [ROLES[role], ROLES.guardian])),
      ...membershipsOf(parameters, deployer)
        .filter(({ role, account }) => role !== "admin" || account !== deployer)
        .map(({ role, account, delay }) => manage(`${role}_to_${account}`, "grantRole", [ROLES[role], account, delay])),
    ];

    if (parameters.governance !== undefined && parameters.governance !== deployer) {
      m.call(base.accessManager, "renounceRole", [ROLES.admin, deployer], {
        id: "deployer_steps_down",
        after: [...shares, ...rights],
      });
    }
    return { ...base, ...money, ...code };
  });
}

import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

/**
 * The manager of all rights, and a proxy for each contract that is to be: vacant, with an address that others may
 * already depend on for ever.
 */
export const foundations = buildModule("Foundations", (m) => {
  const accessManager = m.contract("AccessManager", [m.getAccount(0)]);
  const vacant = m.contract("Vacant");
  const initialize = m.encodeFunctionCall(vacant, "initialize", [accessManager]);
  const proxy = (id: string) => m.contract("ERC1967Proxy", [vacant, initialize], { id });
  return {
    accessManager,
    vacant,
    router: proxy("Router"),
    credits: proxy("Credits"),
    validators: proxy("Validators"),
    models: proxy("Models"),
    reward: proxy("Reward"),
    fees: proxy("Fees"),
    choirRewards: proxy("ChoirRewards"),
    court: proxy("Court"),
  };
});

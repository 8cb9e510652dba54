import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import { foundations } from "./Foundations.ts";
import { tokens } from "./Tokens.ts";

/** The contracts themselves. Each moves in behind its proxy and is initialised in the same transaction. */
export const protocol = buildModule("Protocol", (m) => {
  const proxies = m.useModule(foundations);
  const { nsd, nst, lcai, choir } = m.useModule(tokens);
  const { router, credits, validators, models, reward, fees, court } = proxies;

  const peers = { credits, validators, models, reward, court, lcai };
  const windowBlocks = m.getParameter("windowBlocks");
  const routerSeats = m.contract("RouterSeats", [peers, windowBlocks]);
  const routerLanes = m.contract("RouterLanes", [peers, windowBlocks, routerSeats]);
  const routerExtension = m.contract("RouterExtension", [peers, windowBlocks, routerLanes]);
  const stakeVault = m.contract("StakeVault", [nst, validators]);
  const code = {
    router: m.contract("InferenceRouter", [peers, windowBlocks, routerExtension]),
    credits: m.contract("ModelAccessCredits", [router, nsd, validators, fees]),
    validators: m.contract("ValidatorRegistry", [router, nst, models, fees, stakeVault, m.getParameter("allowHttp")]),
    models: m.contract("ModelRegistry", [router, fees]),
    reward: m.contract("ModelReward", [router, lcai]),
    fees: m.contract("FeeController", [models]),
  };

  type Call = ReturnType<typeof m.call>;
  type Arguments = NonNullable<Parameters<typeof m.call>[2]>;
  const moveIn = (name: keyof typeof code, args: Arguments | undefined, after: Call[] = []): Call => {
    const id = `${name}MovesIn`;
    const place = m.contractAt("Vacant", proxies[name], { id: `${name}Place` });
    const initialize =
      args === undefined ? "0x" : m.encodeFunctionCall(code[name], "initialize", args, { id: `${id}With` });
    return m.call(place, "upgradeToAndCall", [code[name], initialize], { id, after });
  };

  // The catalogue asks the fees, and tells the router its offers.
  const routerIn = moveIn("router", []);
  const feesIn = moveIn("fees", [m.getParameter("fees")]);
  moveIn("models", [m.getParameter("models")], [routerIn, feesIn]);
  moveIn("credits", [m.getParameter("treasury")]);
  moveIn("validators", undefined);
  moveIn("reward", undefined);

  return {
    locator: m.contract("Locator", [{ nsd, nst, lcai, choir, router, credits, validators, fees }]),
    routerExtensionCode: routerExtension,
    routerLanesCode: routerLanes,
    routerSeatsCode: routerSeats,
    stakeVaultCode: stakeVault,
    routerCode: code.router,
    creditsCode: code.credits,
    validatorsCode: code.validators,
    modelsCode: code.models,
    rewardCode: code.reward,
    feesCode: code.fees,
  };
});

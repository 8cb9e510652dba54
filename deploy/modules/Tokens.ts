import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import { foundations } from "./Foundations.ts";

/** The tokens: their minters are proxies, and can never be others. The deployer holds what genesis creates. */
export const tokens = buildModule("Tokens", (m) => {
  const { credits, router, reward, choirRewards } = m.useModule(foundations);
  const holder = m.getAccount(0);
  return {
    nsd: m.contract("NSD", [credits, holder]),
    nst: m.contract("NST", [holder]),
    lcai: m.contract("ModelToken", [router, reward]),
    choir: m.contract("ChoirToken", [choirRewards]),
  };
});

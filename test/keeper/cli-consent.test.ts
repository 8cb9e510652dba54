import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { erc20Abi, type Hex, parseEther, recoverTypedDataAddress } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { validatorsAbi } from "../../keeper/chain/contracts.ts";
import { encryptKeystore } from "../../keeper/chain/keystore.ts";
import { account, MODEL, privateKey, startChain, type TestChain } from "./support/chain.ts";
import { runCli } from "./support/cli.ts";

const folder = mkdtempSync(join(tmpdir(), "neuroswarm-consent-"));
const [keystore, password] = [join(folder, "operator.json"), join(folder, "password")];
const owner = account(5);
const operator = account(6);
let chain: TestChain;

beforeAll(async () => {
  chain = await startChain();
  chain.introduce(folder);
  writeFileSync(keystore, await encryptKeystore(privateKey(6), "correct horse"));
  writeFileSync(password, "correct horse\n");
});
afterAll(async () => {
  await chain?.stop();
  rmSync(folder, { recursive: true });
});

const env = { KEYSTORE: "", OPERATOR_KEY: "", RPC_URL: "", KEYSTORE_PASSWORD: "" };
const run = (args: readonly string[], more: NodeJS.ProcessEnv = {}) =>
  runCli(folder, ["consent", ...args], { env: { ...env, ...more } });
const withKey = (address: string, ...more: string[]) =>
  run([address, "--keystore", keystore, "--password-file", password, ...more]);

interface Signed {
  readonly operator: Hex;
  readonly deadline: number;
  readonly signature: Hex;
}

describe("neuroswarm consent", () => {
  test("signs what the registry takes", async () => {
    const { code, stdout, stderr } = await withKey(owner.address, "--rpc", chain.rpcUrl, "--json");
    expect([code, stderr]).toEqual([0, ""]);
    const signed = JSON.parse(stdout) as Signed;
    const { nst, validators } = chain.book.contracts;
    expect(signed).toMatchObject({
      owner: owner.address,
      operator: operator.address,
      chain_id: 31_337,
      registry: validators,
    });
    const stake = parseEther("5000");
    await chain.write(account(0), nst, erc20Abi, "transfer", [owner.address, stake]);
    await chain.write(owner, nst, erc20Abi, "approve", [validators, stake]);
    const terms = [stake, [MODEL], "http://127.0.0.1:9777", signed.operator, BigInt(signed.deadline), signed.signature];
    await chain.write(owner, validators, validatorsAbi, "registerValidatorWithOperator", terms);
    const { operator: appointed } = await chain.client.readContract({
      address: validators,
      abi: validatorsAbi,
      functionName: "validatorOf",
      args: [owner.address],
    });
    expect(appointed).toBe(operator.address);
    // A key serves once.
    const again = await withKey(account(4).address, "--rpc", chain.rpcUrl, "--json");
    expect(again.code).toBe(1);
    expect(JSON.parse(again.stdout)).toMatchObject({ error: { code: "key_spent" } });
  });

  test("signs without a chain, for the hours that are said", async () => {
    const registry = account(3).address;
    const more = ["--registry", registry, "--chain-id", "8453", "--hours", "2"];
    const { code, stdout } = await withKey(owner.address.toLowerCase(), ...more, "--json");
    expect(code).toBe(0);
    const { deadline, signature } = JSON.parse(stdout) as Signed;
    expect(Math.abs(deadline - Date.now() / 1000 - 7_200)).toBeLessThan(120);
    const signer = await recoverTypedDataAddress({
      domain: { name: "NeuroSwarm", version: "1", chainId: 8453, verifyingContract: registry },
      types: {
        Operator: [
          { name: "owner", type: "address" },
          { name: "operator", type: "address" },
          { name: "deadline", type: "uint64" },
        ],
      },
      primaryType: "Operator",
      message: { owner: owner.address, operator: operator.address, deadline: BigInt(deadline) },
      signature,
    });
    expect(signer).toBe(operator.address);
    const text = await withKey(owner.address, ...more);
    for (const part of [operator.address, owner.address, "8453", "registerValidatorWithOperator"])
      expect(text.stdout).toContain(part);
  });

  test("says what is wrong, and what to do", async () => {
    const offline = ["--registry", account(3).address, "--chain-id", "1"];
    const cases: [Promise<{ code: number; stderr: string }>, number, RegExp][] = [
      [withKey("0x12"), 2, /owner must be an address/],
      [withKey(operator.address, ...offline), 2, /needs no consent/],
      [withKey(owner.address, ...offline, "--hours", "0"), 2, /--hours must be/],
      [withKey(owner.address, "--registry", account(3).address), 2, /--chain-id must be/],
      [withKey(owner.address, "--chain-id", "1"), 2, /--registry must be/],
      [run([owner.address, ...offline]), 2, /No operator key is named/],
      [run([owner.address, ...offline, "--keystore", keystore]), 2, /KEYSTORE_PASSWORD/],
      [
        run([owner.address, ...offline, "--keystore", keystore], { KEYSTORE_PASSWORD: "wrong" }),
        1,
        /password is wrong/,
      ],
      [
        run([owner.address, ...offline, "--keystore", join(folder, "none.json"), "--password-file", password]),
        1,
        /cannot be read \(ENOENT\)/,
      ],
      [withKey(owner.address, "--rpc", "http://127.0.0.1:9"), 3, /no chain answers/],
    ];
    for (const [outcome, code, why] of cases) {
      const ended = await outcome;
      expect([ended.code, ended.stderr]).toEqual([code, expect.stringMatching(why)]);
      expect(ended.stderr).not.toContain("    at ");
    }
  });
});

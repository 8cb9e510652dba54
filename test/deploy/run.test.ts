import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseEther } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { localBookPath, readAddressBook } from "../../deploy/addresses.ts";
import { callAs, openChain, scratchFolder, type TestChain } from "./support/chain.ts";

const RUN = join(import.meta.dirname, "../../deploy/run.ts");

let chain: TestChain;
let data: string;

beforeAll(async () => {
  chain = await openChain();
  data = scratchFolder();
});
afterAll(async () => {
  await chain.close();
  rmSync(data, { recursive: true, force: true });
});

function deploy(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<{ code: number | null; output: string }> {
  const env = { ...process.env, DATA_DIR: data, ...environment };
  const child = spawn(process.execPath, [RUN, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
  }
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, output })));
}

describe("npm run deploy", () => {
  const here = (): string[] => ["--network", "local", "--rpc", chain.rpcUrl];

  test("sends nothing before it was confirmed", async () => {
    const { code, output } = await deploy(here());
    expect(output).toContain("Deploying NeuroSwarm to local (chain 31337");
    expect(output).toContain("Nobody is there to confirm it.");
    expect(code).toBe(1);
    expect(await chain.client.getBlockNumber()).toBe(0n);
  });

  test.each([
    ["a key that is none", { DEPLOYER_KEY: "0x12" }, /DEPLOYER_KEY: expected 0x and 64 hex digits/],
    [
      "an account without funds",
      { DEPLOYER_KEY: `0x${"12".repeat(32)}` },
      /The deployer's balance does not cover that/,
    ],
  ])("refuses %s", async (_what, environment, said) => {
    const { code, output } = await deploy([...here(), "--yes"], environment as Record<string, string>);
    expect(output).toMatch(said);
    expect(code).toBe(1);
  });

  test("deploys, writes the address book, and reads everything back", async () => {
    const { code, output } = await deploy([...here(), "--yes"]);
    expect(output).toMatch(/As it should be: \d{3} facts read back/);
    expect(code).toBe(0);
    expect(readAddressBook(localBookPath(data, 31_337))?.chainId).toBe(31_337);
  });

  test("does not deploy over what is there", async () => {
    const { code, output } = await deploy([...here(), "--yes"]);
    expect(output).toContain("is deployed already");
    expect(code).toBe(1);
  });

  test("reads back on request, and fails where something differs", async () => {
    expect(await deploy([...here(), "--check"])).toMatchObject({ code: 0 });
    const book = readAddressBook(localBookPath(data, 31_337));
    if (book === undefined) throw new Error("no book");
    await callAs(chain, book, "fees", "set", [0, parseEther("6")]);
    const { code, output } = await deploy([...here(), "--check"]);
    expect(output).toMatch(
      /The deployment is not as it should be, in 1 place:\n {2}fees\.get\(0\), baseFeeNsd: expected 5000000000000000000, found 6/,
    );
    expect(code).toBe(1);
  });

  test("says what is missing where nothing was deployed", async () => {
    const { code, output } = await deploy([...here(), "--check"], { DATA_DIR: join(data, "other") });
    expect(output).toContain("Nothing says that local is deployed");
    expect(code).toBe(1);
    expect(existsSync(join(data, "other"))).toBe(false);
  });
});

/** The package as somebody installs it: packed, unpacked into an empty project elsewhere, and used there. No network. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { parseEther } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { localBookPath, writeAddressBook } from "../../deploy/addresses.ts";
import { deployTo } from "../../deploy/deploy.ts";
import { loadParameters } from "../../deploy/parameters.ts";
import type { Keeper } from "../../keeper/main.ts";
import { abi as askOnChainAbi } from "../../typechain-types/AskOnChain.ts";
import { abi as routerAbi } from "../../typechain-types/IInferenceRouter.ts";
import { openChain, type TestChain } from "../deploy/support/chain.ts";
import { type TestChain as KeeperChain, MODEL, startChain } from "../keeper/support/chain.ts";
import { keeperOn } from "../keeper/support/keeper.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const BIN = join(ROOT, "node_modules", ".bin");
const shell = process.platform === "win32";
const execute = promisify(execFile);

/** The one line of foundry.toml that the README has changed. */
const LIBS = 'libs = ["lib", "node_modules"]';

let folder: string;
let files: { path: string; size: number }[];
let size: number;

/** Runs a tool in the project; what it says comes back whole, also where it fails. */
async function run(command: string, args: string[], cwd: string): Promise<string> {
  const env = {
    ...process.env,
    PATH: `${BIN}${delimiter}${process.env["PATH"] ?? ""}`,
    NO_COLOR: "1",
    FORCE_COLOR: "0",
  };
  for (const name of Object.keys(env)) if (/^(FOUNDRY|DAPP)_/.test(name)) delete (env as Record<string, string>)[name];
  try {
    const { stdout, stderr } = await execute(command, args, { cwd, env, shell, maxBuffer: 2 ** 26 });
    return stdout + stderr;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed:\n${stdout}${stderr}`.slice(-8_000));
  }
}

const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "neuroswarm-package-"));
  await run("node", ["scripts/package.ts"], ROOT);
  const packed = await execute("npm", ["pack", "./dist/package", "--json", "--pack-destination", folder], {
    cwd: ROOT,
    shell,
  });
  const [report] = JSON.parse(packed.stdout) as [{ filename: string; size: number; files: typeof files }];
  ({ files, size } = report);
  const modules = join(folder, "node_modules");
  mkdirSync(modules);
  await run("tar", ["-xzf", report.filename, "-C", "node_modules"], folder);
  cpSync(join(modules, "package"), join(modules, "neuroswarm"), { recursive: true });
  rmSync(join(modules, "package"), { recursive: true });
  // What npm would install beside it.
  symlinkSync(join(ROOT, "node_modules", "viem"), join(modules, "viem"));
  cpSync(join(ROOT, "node_modules", "@openzeppelin", "contracts"), join(modules, "@openzeppelin", "contracts"), {
    recursive: true,
    filter: (path) => !path.endsWith(".json") || path.endsWith("package.json"),
  });
  write("package.json", JSON.stringify({ name: "integrator", private: true, type: "module" }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("what is shipped", () => {
  test("is what integrators import, and nothing else", () => {
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        "README.md",
        "package.json",
        "abi/IInferenceRouter.json",
        "contracts/consumer/InferenceConsumer.sol",
        "contracts/examples/AskOnChain.sol",
        "contracts/examples/TeamAccount.sol",
        "contracts/interfaces/IInferenceRouter.sol",
        "harness/InferenceHarness.sol",
        "harness/Recording.sol",
        "lib/client/index.d.ts",
        "lib/client/index.js",
      ]),
    );
    const expected =
      /^(README\.md|LICENSE|package\.json|abi\/\w+\.json|(contracts|harness)\/[\w/]+\.sol|lib\/(client|deploy|keeper|typechain-types)\/[\w/-]+(\.d\.ts|\.js))$/;
    expect(paths.filter((path) => !expected.test(path))).toEqual([]);
    expect(paths.filter((path) => /InferenceRouter\.sol$/.test(path))).toEqual([
      "contracts/interfaces/IInferenceRouter.sol",
    ]);
    expect(size).toBeLessThan(300_000);
  });

  test("installs no node: its only dependency is OpenZeppelin, its only peer viem", () => {
    const manifest = JSON.parse(readFileSync(join(folder, "node_modules/neuroswarm/package.json"), "utf8"));
    const repository = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(Object.keys(manifest.dependencies)).toEqual(["@openzeppelin/contracts"]);
    expect(Object.keys(manifest.peerDependencies)).toEqual(["viem"]);
    expect(manifest).toMatchObject({ name: "neuroswarm", version: repository.version, license: repository.license });
    expect(manifest).not.toHaveProperty("scripts");
    expect(manifest).not.toHaveProperty("bin");
  });
});

describe("a fresh Foundry project", () => {
  test("tests its consumer on the real contracts, with no setting but where npm installs", async () => {
    cpSync(join(ROOT, "node_modules/@layerzerolabs/toolbox-foundry/lib/forge-std"), join(folder, "lib/forge-std/src"), {
      recursive: true,
    });
    cpSync(join(ROOT, "contracts/examples/AskOnChain.sol"), join(folder, "src/AskOnChain.sol"), { recursive: true });
    cpSync(join(ROOT, "test/package/foundry"), join(folder, "test"), { recursive: true });
    // As `forge init` leaves it, node_modules added as the README says; and the compiler, which the network would bring.
    const compiler = `solc = "${join(ROOT, "scripts/solc.mjs")}"\noffline = true\n`;
    write("foundry.toml", `[profile.default]\nsrc = "src"\nout = "out"\n${LIBS}\n${compiler}`);
    expect(readFileSync(join(ROOT, "README.md"), "utf8")).toContain(`\`${LIBS}\``);
    const output = await run("forge", ["test"], folder);
    expect(output).toMatch(/AskOnChainTest\n(\[PASS\].*\n){3}/);
    const all = readdirSync(join(folder, "test")).map((file) => readFileSync(join(folder, "test", file), "utf8"));
    const tests = all.join("").match(/function test_/g) ?? [];
    expect(tests.length).toBeGreaterThan(20);
    expect(output).toContain(`: ${tests.length} tests passed, 0 failed, 0 skipped`);
  }, 240_000);
});

describe("a client", () => {
  let chain: TestChain;

  beforeAll(async () => {
    chain = await openChain();
    const book = await deployTo({ rpcUrl: chain.rpcUrl, parameters: loadParameters("local") });
    writeAddressBook(localBookPath(join(folder, "data"), 31_337), book);
  });
  afterAll(() => chain?.close());

  const source = readFileSync(join(ROOT, "test/package/client/client.ts"), "utf8");
  const expected = {
    digest: true,
    id: true,
    payer: true,
    maxTokens: 500,
    price: true,
    legs: [parseEther("25.69"), parseEther("7.34"), parseEther("3.67")].map(String),
    tokenLimit: 2_048,
    missing: expect.stringMatching(/^NeuroSwarm is not deployed on chain 11155111.*no public network yet/),
  };
  const result = (output: string): unknown => JSON.parse(output.trim().split("\n").at(-1) ?? "");

  test("in plain JavaScript signs an intent that the chain takes", async () => {
    const state = await chain.client.snapshot();
    write("client.mjs", stripTypeScriptTypes(source));
    expect(result(await run("node", ["client.mjs", chain.rpcUrl], folder))).toEqual(expected);
    await chain.client.revert({ id: state });
  });

  test("in TypeScript is checked against the package's types, and does the same", async () => {
    const state = await chain.client.snapshot();
    write("src/client.ts", source);
    const options = {
      target: "es2024",
      module: "nodenext",
      strict: true,
      types: [],
      lib: ["es2024", "dom"],
      outDir: "built",
    };
    write(
      "tsconfig.json",
      JSON.stringify({
        compilerOptions: { ...options, rootDir: "src", skipLibCheck: false },
        files: ["src/client.ts", "src/node.d.ts"],
      }),
    );
    write("src/node.d.ts", "declare const process: { argv: string[] };\n");
    await run("tsc", ["-p", "tsconfig.json"], folder);
    expect(result(await run("node", ["built/client.js", chain.rpcUrl], folder))).toEqual(expected);
    await chain.client.revert({ id: state });
  }, 120_000);

  test("in TypeScript is told what does not fit", async () => {
    write(
      "src/wrong.ts",
      `import { routerAbi } from "neuroswarm";\nimport { getContract, type Client } from "viem";\nexport const wrong = (client: Client) => getContract({ address: "0x00", abi: routerAbi, client }).read.quote(["0x00", "many", false]);\n`,
    );
    write(
      "tsconfig.wrong.json",
      JSON.stringify({
        compilerOptions: {
          target: "es2024",
          module: "nodenext",
          strict: true,
          types: [],
          noEmit: true,
          skipLibCheck: true,
        },
        files: ["src/wrong.ts"],
      }),
    );
    await expect(run("tsc", ["-p", "tsconfig.wrong.json"], folder)).rejects.toThrow(
      /wrong\.ts.*'string' is not assignable to type 'bigint'/,
    );
  }, 120_000);

  test("reads an ABI as JSON", async () => {
    write(
      "abi.mjs",
      `import abi from "neuroswarm/abi/IInferenceRouter.json" with { type: "json" };\nconsole.log(JSON.stringify(abi.some(({ name }) => name === "submitFor")));\n`,
    );
    expect(result(await run("node", ["--no-warnings", "abi.mjs"], folder))).toBe(true);
  });
});

describe("the README, on a local chain", () => {
  let chain: KeeperChain;
  let keeper: Keeper;
  const data = (): string => join(folder, "chain");

  beforeAll(async () => {
    chain = await startChain();
    mkdirSync(data());
    keeper = await keeperOn(chain, data());
  });
  afterAll(async () => {
    await keeper?.stop();
    await chain?.stop();
  });

  test("deploys the contract, asks, and finds the answer in it", async () => {
    const readme = readFileSync(join(ROOT, "README.md"), "utf8");
    const block =
      [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].find(([text]) => text.includes("forge create"))?.[1] ?? "";
    // Another port, another data folder, the tests' model; and no guess how long an answer takes.
    const read = /sleep 5; (cast call .*)\n$/.exec(block)?.[1] ?? "false";
    const script = block
      .replace("http://127.0.0.1:8545", chain.rpcUrl)
      .replace("../neuroswarm/.neuroswarm", data())
      .replace("demo-3m", MODEL)
      .replace(/sleep 5; .*\n$/, `until [ "$(${read})" != '""' ]; do sleep 0.3; done; ${read}\n`);
    // Behind pipes bash may take itself for a remote shell, and read a start-up file that the README knows nothing of.
    const output = await run("bash", ["--norc", "-euc", script], folder);
    // What the tests' model says is not for every terminal: that it is the answer, the contract tells.
    expect(output.trim().split("\n").at(-1)).toMatch(/^".+"$/s);
    const settled = {
      address: chain.book.contracts.router,
      abi: routerAbi,
      eventName: "RequestSettled",
      fromBlock: 0n,
    } as const;
    const [event] = await chain.client.getContractEvents({ ...settled, strict: true });
    const { response } = await keeper.services.requests.waitFor(event?.args.id ?? "0x", "settled", 10_000);
    const address = event?.args.user ?? "0x";
    const call = { address, abi: askOnChainAbi, functionName: "answers", args: [event?.args.id ?? "0x"] } as const;
    expect(JSON.parse(`"${await chain.client.readContract(call)}"`)).toBe(response);
  }, 120_000);
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Hex, parseEther } from "viem";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { painter, printable } from "../../keeper/cli/format.ts";
import { checkTypedData, type Network, type Question } from "../../keeper/cli/typed-data.ts";
import { forWallet } from "../../keeper/http/spending.ts";
import { type Ended, runCli } from "./support/cli.ts";
import { account, OPERATOR, ROUTER } from "./support/fake-reads.ts";
import { listening, type Outside, outside } from "./support/http.ts";

const folder = mkdtempSync(join(tmpdir(), "neuroswarm-cli-"));
let keeper: Outside;
let url: string;

beforeAll(async () => {
  keeper = await outside();
  ({ url } = await listening(keeper.app));
});
afterAll(async () => {
  await keeper.app.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  Object.assign(keeper.script, {
    fail: undefined,
    settleDelayMs: 5,
    credits: parseEther("100000"),
    tokens: ["Validators ", "agree."],
  });
});

const run = (args: readonly string[], options: Parameters<typeof runCli>[2] = {}) =>
  runCli(folder, ["chat", ...args], options);
const ask = (...args: string[]): Promise<Ended> => run([...args, "--url", url]);
const lastRequest = () => [...keeper.kept.values()].at(-1)?.state;

describe("neuroswarm chat", () => {
  it("answers, and shows where every NSD went", async () => {
    const { code, stdout, stderr } = await ask("What", "is", "consensus?");
    expect([code, stderr]).toEqual([0, ""]);
    const [answer] = stdout.split("\n");
    expect(answer).toBe("Validators agree.");
    const state = lastRequest();
    for (const text of [
      state?.requestId,
      state?.settleTx,
      state?.cid,
      "2 by llama-2-7b-q4",
      "5.4 NSD of at most 55 NSD",
      "3.78 NSD",
      "1.08 NSD",
      "0.54 NSD",
      "49.6 NSD",
      "1 LCAI",
    ]) {
      expect(stdout).toContain(text);
    }
    expect(stdout).not.toContain("\u001b");
    expect(state).toMatchObject({ prompt: "What is consensus?", user: account(0).address });
  });

  it("prints one JSON object with --json", async () => {
    const { code, stdout, stderr } = await ask("hello", "--json");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.endsWith("}\n")).toBe(true);
    expect(JSON.parse(stdout)).toMatchObject({
      status: "success",
      response: "Validators agree.",
      user_address: account(0).address,
      receipt: { consumed: 5.4 },
    });
  });

  it("asks as whom it is told, for what it is told", async () => {
    await ask(
      "hello",
      "--account",
      "3",
      "--max-tokens",
      "20",
      "--temperature",
      "0",
      "--payment",
      "7.25",
      "--model",
      "llama-2-7b-q4",
    );
    expect(lastRequest()).toMatchObject({ user: account(3).address, payment: parseEther("7.25") });
    const key = generatePrivateKey();
    writeFileSync(join(folder, "key"), `${key}\n`);
    for (const given of [key, join(folder, "key")]) {
      expect((await ask("hello", "--key", given)).code).toBe(0);
      expect(lastRequest()?.user).toBe(privateKeyToAddress(key));
    }
  });

  it("reads the question from the standard input", async () => {
    expect((await run(["--url", url, "--json"], { input: "Why?\n" })).code).toBe(0);
    expect(lastRequest()?.prompt).toBe("Why?");
  });

  it("keeps a model's words from commanding the terminal", async () => {
    keeper.script.tokens = ["\u001b[2J", "clean\u0007", "\u009b31m"];
    const { stdout } = await ask("hello");
    expect(stdout.split("\n")[0]).toBe("[2Jclean31m");
  });

  it("says pending where the settlement takes long", async () => {
    const slow = await outside({ streamTimeoutMs: 200 });
    slow.script.settleDelayMs = 3_000;
    const at = await listening(slow.app);
    const { code, stdout } = await run(["hello", "--url", at.url]);
    expect(code).toBe(0);
    expect(stdout).toContain("on its way");
    await slow.app.close();
  });
});

describe("what goes wrong has a sentence and a code", () => {
  it("no keeper", async () => {
    const { code, stdout, stderr } = await run(["hello", "--url", "http://127.0.0.1:9"]);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toContain("No keeper answers at http://127.0.0.1:9");
    expect(stderr).toContain("npm start");
    const json = await run(["hello", "--url", "http://127.0.0.1:9", "--json"]);
    expect([json.code, json.stderr]).toEqual([3, ""]);
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: "keeper_unreachable" } });
  });

  it("something that is no keeper", async () => {
    const server = createServer((_request, response) => response.end("<html>"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address() as { port: number };
    const { code, stderr } = await run(["hello", "--url", `http://127.0.0.1:${address.port}`]);
    server.close();
    expect(code).toBe(3);
    expect(stderr).toContain("is no keeper");
  });

  it("no credits", async () => {
    keeper.script.credits = 0n;
    const { code, stderr } = await ask("hello");
    expect(code).toBe(4);
    expect(stderr).toContain("Deposit");
    const json = await ask("hello", "--json");
    expect(JSON.parse(json.stdout)).toMatchObject({
      error: { code: "insufficient_credits", required_wei: "55000000000000000000" },
    });
  });

  it("a request that fails", async () => {
    keeper.script.fail = { code: "node_trouble", message: "The model stopped. Nothing was charged." };
    const { code, stderr } = await ask("hello");
    expect([code, stderr]).toEqual([1, "Error: The model stopped. Nothing was charged.\n"]);
    const json = await ask("hello", "--json");
    expect([json.code, JSON.parse(json.stdout)]).toMatchObject([
      1,
      { status: "failed", error: { code: "node_trouble" } },
    ]);
  });

  it.each([
    [["--account", "12"], "--account"],
    [["--max-tokens", "0"], "--max-tokens"],
    [["--max-tokens", "2049"], "--max-tokens"],
    [["--temperature", "3"], "--temperature"],
    [["--temperature", "0.705"], "--temperature"],
    [["--payment", "much"], "--payment"],
    [["--payment", "4.99"], "4.99"],
    [["--key", "0x12"], "--key"],
    [["--model", "gpt-9"], "gpt-9"],
    [["--url", "127.0.0.1"], "--url"],
  ])("%j", async (args, named) => {
    const { code, stderr } = await run(["hello", "--url", url, ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(named);
  });

  it("no question", async () => {
    const { code, stderr } = await ask();
    expect(code).toBe(2);
    expect(stderr).toContain("no question");
  });
});

describe("nothing is signed but what was asked for", () => {
  const salt = `0x${"11".repeat(32)}` as Hex;
  const question: Question = {
    message: "hello",
    maxTokens: 10,
    temperature: 70,
    payment: parseEther("6"),
    model: "llama-2-7b-q4",
    priority: false,
  };
  const network: Network = {
    chain_id: 31337,
    local: true,
    contracts: { router: ROUTER },
    operator: OPERATOR,
    model: "llama-2-7b-q4",
  };
  const user = account(0).address;
  const typed = async () => {
    const ask = {
      user,
      model: question.model,
      prompt: "hello",
      salt,
      maxTokens: 10,
      temperature: 0.7,
      payment: question.payment,
      priority: false,
    };
    return forWallet(await keeper.services.requests.prepare("direct", ask)) as {
      domain: Record<string, unknown>;
      message: Record<string, unknown>;
    };
  };

  it("accepts what the keeper prepares", async () => {
    const data = await typed();
    expect(() => checkTypedData(data as never, question, network, user, salt)).not.toThrow();
  });

  it.each([
    ["user", OPERATOR],
    ["model", "llama-2-70b-q4"],
    ["promptHash", salt],
    ["maxTokens", 11],
    ["temperature", 71],
    ["payment", "6000000000000000001"],
    ["priority", true],
    ["private", true],
    ["validator", ROUTER],
    ["relayer", ROUTER],
    ["relayFee", "1"],
    ["callback", ROUTER],
    ["callbackGas", 1],
  ])("refuses another %s", async (field, value) => {
    const data = await typed();
    const changed = { ...data, message: { ...data.message, [field]: value } };
    expect(() => checkTypedData(changed as never, question, network, user, salt)).toThrow(field);
  });

  it.each([
    ["chainId", 1],
    ["verifyingContract", OPERATOR],
    ["name", "Other"],
    ["version", "2"],
  ])("refuses another %s", async (field, value) => {
    const data = await typed();
    expect(() =>
      checkTypedData({ ...data, domain: { ...data.domain, [field]: value } } as never, question, network, user, salt),
    ).toThrow("Nothing was signed");
  });

  it("refuses a deadline far off, where the chain's clock is everybody's", async () => {
    const data = await typed();
    const late = { ...data, message: { ...data.message, deadline: "99999999999" } };
    expect(() => checkTypedData(late as never, question, { ...network, local: false }, user, salt)).toThrow("deadline");
  });
});

describe("colour", () => {
  it("is for terminals, and for who has not asked for none", () => {
    expect(painter({ isTTY: true }, {}).bold("a")).toBe("\u001b[1ma\u001b[22m");
    expect(painter({ isTTY: true }, { NO_COLOR: "1" }).bold("a")).toBe("a");
    expect(painter({ isTTY: true }, { TERM: "dumb" }).bold("a")).toBe("a");
    expect(painter({}, {}).bold("a")).toBe("a");
    expect(printable("a\tb\nc\r\u001b[0m é 漢")).toBe("a\tb\nc[0m é 漢");
  });
});

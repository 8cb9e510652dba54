import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Hex, parseEther } from "viem";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { checkCancelData, type Network } from "../../keeper/cli/typed-data.ts";
import { type Ended, runCli } from "./support/cli.ts";
import { account, CHAIN_ID, OPERATOR, ROUTER } from "./support/fake-reads.ts";
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
  Object.assign(keeper.script, { tokens: ["Validators ", "agree."], tokenDelayMs: 1, fail: undefined });
});

const run = (...args: string[]): Promise<Ended> => runCli(folder, [...args, "--url", url]);
const stateOf = (id: string) => keeper.kept.get(id as Hex)?.state;

async function opened(index: number, tokenDelayMs: number): Promise<Hex> {
  keeper.script.tokenDelayMs = tokenDelayMs;
  const response = await fetch(`${url}/api/llm/generate`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model: "llama-2-7b-q4",
      prompt: "hi",
      user_address: account(index).address,
      nsd_payment: 50,
    }),
  });
  return ((await response.json()) as { request_id: Hex }).request_id;
}

describe("neuroswarm chat --priority", () => {
  it("pays and ranks half again as much", async () => {
    expect((await run("chat", "hello", "--priority")).code).toBe(0);
    expect([...keeper.kept.values()].at(-1)?.state).toMatchObject({ priority: true, payment: parseEther("82.5") });
  });
});

describe("neuroswarm status <request_id>", () => {
  it("tells where a request stands, in lines or in JSON", async () => {
    const id = await opened(0, 1);
    await keeper.services.requests.waitFor(id, "settled", 2_000);
    const text = await run("status", id);
    expect([text.code, text.stderr]).toEqual([0, ""]);
    for (const part of [id, "completed", "llama-2-7b-q4, assigned lane", "5.4 NSD", "Validators agree."])
      expect(text.stdout).toContain(part);
    const json = await run("status", id, "--json");
    expect(JSON.parse(json.stdout)).toMatchObject({ request_id: id, status: "completed", nsd_consumed: 5.4 });
  });

  it("tells what a prompt of a session cost, which has no legs of its own", async () => {
    const id = await opened(0, 1);
    await keeper.services.requests.waitFor(id, "settled", 2_000);
    const session = `0x${"5e".repeat(32)}`;
    const parts = { lane: "session", sessionId: session, sessionNumber: 1, consumed: parseEther("6.2") };
    Object.assign(stateOf(id) ?? {}, parts, { validatorEarned: undefined, treasuryEarned: undefined });
    const { code, stdout } = await run("status", id);
    expect(code).toBe(0);
    for (const part of ["session lane", "6.2 NSD", session]) expect(stdout).toContain(part);
  });

  it("tells why the ones before did not answer, and what came back", async () => {
    const id = await opened(0, 60_000);
    Object.assign(stateOf(id) ?? {}, {
      status: "failed",
      error: { code: "timeout", message: "The validator did not answer in time; 95 % of the payment are back." },
      returned: parseEther("47.5"),
      penalty: parseEther("2.5"),
      attempts: [
        { validatorId: 5, at: new Date(0), failure: "offline" },
        { validatorId: 4, at: new Date(1), failure: "timeout" },
      ],
    });
    const { code, stdout } = await run("status", id);
    expect(code).toBe(1);
    for (const part of [
      "node_validator_5: The validator did not show up.",
      "node_validator_4: The validator did not answer in time.",
      "47.5 NSD (95 %)",
      "2.5 NSD",
    ])
      expect(stdout).toContain(part);
  });

  it("still asks the keeper how it is where no request is named", async () => {
    expect(await run("status")).toMatchObject({ code: 0, stdout: expect.stringContaining("chain") });
  });
});

describe("neuroswarm cancel <request_id>", () => {
  it("signs, and says what came back", async () => {
    const id = await opened(2, 60_000);
    const { code, stdout, stderr } = await run("cancel", id, "--account", "2", "--yes");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toBe("Cancelled. You cancelled the request; the whole payment is back in your credits.\n");
    expect(stateOf(id)?.status).toBe("cancelled");
    const again = await run("cancel", id, "--account", "2", "--json");
    expect(JSON.parse(again.stdout)).toMatchObject({ request_id: id, status: "cancelled", nsd_refunded: 50 });
  });

  it("does nothing that nobody agreed to, and says what it would cost", async () => {
    const id = await opened(1, 60_000);
    const { code, stderr } = await run("cancel", id, "--account", "1");
    expect([code, stateOf(id)?.status]).toEqual([2, "processing"]);
    expect(stderr).toContain("gives back 50 of 50 NSD (100 %)");
    expect(stderr).toContain("--yes");
  });

  it.each([
    ["somebody else's request", ["--account", "3", "--yes"], 1, "not_yours"],
    ["an account that is none", ["--account", "12", "--yes"], 2, "usage"],
  ])("refuses %s", async (_name, options, code, expected) => {
    const id = await opened(1, 60_000);
    const ended = await run("cancel", id, ...options, "--json");
    expect([ended.code, JSON.parse(ended.stdout)]).toMatchObject([code, { error: { code: expected } }]);
  });

  it.each(["abc", `0x${"ab".repeat(31)}`])("refuses %s for an id", async (id) => {
    expect(await run("cancel", id, "--yes")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("64 hex digits"),
    });
  });

  it("signs nothing but the cancellation that it asked for", () => {
    const network: Network = {
      chain_id: CHAIN_ID,
      local: false,
      contracts: { router: ROUTER },
      operator: OPERATOR,
      model: "m",
    };
    const id: Hex = `0x${"ab".repeat(32)}`;
    const domain = { name: "NeuroSwarm", version: "1", chainId: CHAIN_ID, verifyingContract: ROUTER };
    const soon = String(Math.floor(Date.now() / 1000) + 600);
    const data = (more: object, message: object = {}) => ({
      domain: { ...domain, ...more },
      message: { request: id, deadline: soon, ...message },
    });
    expect(() => checkCancelData(data({}), network, id)).not.toThrow();
    for (const wrong of [
      data({ chainId: 1 }),
      data({ verifyingContract: OPERATOR }),
      data({}, { request: `0x${"cd".repeat(32)}` }),
      data({}, { deadline: "99999999999" }),
    ])
      expect(() => checkCancelData(wrong, network, id)).toThrow("Nothing was signed");
  });
});

describe("neuroswarm locate [address]", () => {
  it("shows every unit, where it is, and how it is had", async () => {
    for (const name of ["locate", "balance"]) {
      const { code, stdout } = await run(name, account(1).address);
      expect(code).toBe(0);
      for (const part of [
        `${account(1).address} at block 12: 50.000000000000000001 NSD, 5000 NST`,
        "50 NSD request",
        "1970-01-01T00:01:00.000Z, by router.expire(Ticket), called by anyone",
        "5000 NST stake",
      ])
        expect(stdout).toContain(part);
    }
  });

  it("is that of an account where no address is named, and prints JSON", async () => {
    const { stdout } = await run("locate", "--account", "4", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ address: account(4).address, totals: { nst: 5000 } });
    expect(await run("locate", "vitalik.eth")).toMatchObject({ code: 2 });
  });
});

describe("--help", () => {
  it.each([
    ["status", "request_id"],
    ["cancel", "--yes"],
    ["locate", "--json"],
    ["chat", "--priority"],
  ])("of %s tells of it all", async (command, part) => {
    const { code, stdout } = await runCli(folder, [command, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain(part);
    expect(stdout).toContain("Ends with 0");
  });
});

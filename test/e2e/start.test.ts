import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { userAddress } from "../../keeper/cli/accounts.ts";
import { firstFreePort } from "../../keeper/cli/ports.ts";
import { writeTinyModel } from "../keeper/support/tiny-gguf.ts";

const ROOT = join(import.meta.dirname, "../..");
const MAIN = join(ROOT, "keeper/cli/main.ts");
const USER = userAddress(0);
const START_WITHIN = 120_000;

let scratch: string;
let data: string;
let model: string;
let port: number;
const children: ChildProcess[] = [];

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "neuroswarm-start-"));
  data = join(scratch, "data");
  model = join(scratch, "tiny.gguf");
  await writeTinyModel(model);
  port = await firstFreePort("127.0.0.1", 18_080);
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  for (let i = 0; i < 150 && processesOf(scratch).length > 0; i++) await sleep(100);
  rmSync(scratch, { recursive: true, force: true });
});

interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | string>;
}

function run(...args: string[]): Run {
  const environment = { ...process.env, LOCAL_CHAIN_PORT: "0", POLL_MS: "100" };
  const child = spawn(process.execPath, [MAIN, ...args], { env: environment, stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
  }
  const ended = new Promise<number | string>((resolve) =>
    child.once("close", (code, signal) => resolve(code ?? signal ?? "?")),
  );
  return { child, output: () => output, ended };
}

async function start(...args: string[]): Promise<Run & { url: string }> {
  const started = run("start", "--data", data, "--model", model, "--port", String(port), ...args);
  const url = `http://127.0.0.1:${port}`;
  const up = async (): Promise<void> => {
    while (!started.output().includes("NeuroSwarm is running")) await sleep(50);
  };
  const early = started.ended.then((code) => Promise.reject(new Error(`ended with ${code}:\n${started.output()}`)));
  const late = sleep(START_WITHIN).then(() => Promise.reject(new Error(`not up in time:\n${started.output()}`)));
  await Promise.race([up(), early, late]);
  early.catch(() => undefined);
  late.catch(() => undefined);
  return { ...started, url };
}

const stats = async (url: string): Promise<{ interaction_count: number }> =>
  (await (await fetch(`${url}/api/user-stats?address=${USER}`)).json()) as { interaction_count: number };

/** Every process whose command line names the folder of this test, and what it started. */
function processesOf(folder: string): string[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        return line.includes(folder) ? [line] : [];
      } catch {
        return [];
      }
    });
}

describe("npm start", { timeout: 2 * START_WITHIN }, () => {
  let first: Awaited<ReturnType<typeof start>>;

  test("brings everything up, says what it does, and what to try works", async () => {
    first = await start();
    expect((await fetch(`${first.url}/api/health`)).status).toBe(200);
    const said = first.output();
    for (const step of ["Contracts", "Page", "Chain", "Deployment", "Model", "Validator", "Keeper"])
      expect(said).toMatch(new RegExp(`\\[\\d/7\\] ${step} `));
    expect(said).not.toContain("\u001b");
    const [, body] = /-d '(\{.*\})'/.exec(said) ?? [];
    expect(body).toBeDefined();
    const response = await fetch(`${first.url}/api/chat`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      status: "success",
      response: expect.any(String),
      cid: expect.any(String),
    });
    await expect.poll(() => stats(first.url), { timeout: 10_000 }).toMatchObject({ interaction_count: 1 });
  });

  test("is the only one in its folder, and on its port", async () => {
    const second = run("start", "--data", data, "--model", model);
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain(`NeuroSwarm runs at ${first.url} with this data folder already`);
    const third = run("start", "--data", join(scratch, "other"), "--model", model, "--port", String(port));
    expect(await third.ended).toBe(1);
    expect(third.output()).toContain(`Port ${port} on 127.0.0.1 is in use.`);
    const status = run("status", "--data", data);
    expect(await status.ended).toBe(0);
    expect(status.output()).toContain(`${first.url} ok`);
  });

  test("stops in order on Ctrl-C and leaves no process", async () => {
    first.child.kill("SIGINT");
    expect(await first.ended).toBe(0);
    expect(processesOf(data)).toEqual([]);
    expect(existsSync(join(data, "start.json"))).toBe(false);
  });

  test("goes on, survives kill -9, and goes on again", async () => {
    const second = await start();
    expect(await stats(second.url)).toMatchObject({ interaction_count: 1 });
    second.child.kill("SIGKILL");
    await second.ended;
    const third = await start();
    expect(third.output()).toMatch(/Chain goes on at block \d+/);
    expect(await stats(third.url)).toMatchObject({ interaction_count: 1 });
    third.child.kill("SIGHUP");
    expect(await third.ended).toBe(0);
    expect(processesOf(data)).toEqual([]);
  });

  test("says how to go on where the chain is gone, and begins anew when asked to", async () => {
    rmSync(join(data, "chain"), { recursive: true });
    const lost = run("start", "--data", data, "--model", model, "--port", "0");
    expect(await lost.ended).toBe(1);
    expect(lost.output()).toMatch(/state is gone from .*chain.*\n.*--fresh/);
    const fresh = await start("--fresh");
    expect(await stats(fresh.url)).toMatchObject({ interaction_count: 0 });
    expect(existsSync(join(data, "previous", "database"))).toBe(true);
    fresh.child.kill("SIGTERM");
    expect(await fresh.ended).toBe(0);
  });
});

describe("the command line", () => {
  test.each([
    [["--help"], 0, /Usage: neuroswarm/],
    [["--version"], 0, /^\d+\.\d+\.\d+/],
    [["start", "--help"], 0, /--fresh/],
    [["frobnicate"], 1, /unknown command 'frobnicate'/],
    [["start", "--frobnicate"], 1, /unknown option '--frobnicate'/],
    [["start", "--port", "http"], 1, /PORT "http": expected a port/],
    [["start", "--host", "192.0.2.1"], 1, /192\.0\.2\.1 is not an address of this machine/],
    [["start", "--model", "no-such.gguf", "--data", "@/none"], 1, /no such file/],
    [
      ["start", "--rpc", "http://127.0.0.1:9", "--data", "@/none"],
      1,
      /The chain at http:\/\/127\.0\.0\.1:9 does not answer/,
    ],
    [["deploy"], 1, /required option '--network <name>' not specified/],
    [["deploy", "--network", "sepolia"], 1, /governance: expected an address, found "FILL IN/],
    [["status", "--url", "http://127.0.0.1:9"], 1, /Nothing answers at http:\/\/127\.0\.0\.1:9/],
  ] as const)("%j ends with %i", async (args, code, said) => {
    const { ended, output } = run(...args.map((arg) => arg.replace("@", scratch)));
    expect(await ended).toBe(code);
    expect(output()).toMatch(said);
  });
});

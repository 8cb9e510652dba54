import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { claim, type DataFolder, dataFolder, hasDatabase, setAside } from "../../keeper/cli/data-folder.ts";
import { firstFreePort, isFree, isLoopback } from "../../keeper/cli/ports.ts";
import { readRecord, recordOf, startTimeOf } from "../../keeper/cli/processes.ts";
import { nameOf } from "../../keeper/cli/start/model.ts";
import { choosePort, settingsOf } from "../../keeper/cli/start/plan.ts";
import { scratchFolder } from "./support/chain.ts";

let folder: DataFolder;
let server: Server;
let taken: number;

beforeEach(async () => {
  folder = dataFolder(scratchFolder());
  server = createServer();
  server.listen(0, "127.0.0.1");
  while (!server.listening) await sleep(5);
  taken = (server.address() as { port: number }).port;
});
afterEach(() => {
  server.close();
  rmSync(folder.path, { recursive: true, force: true });
});

describe("ports", () => {
  test("a given one that is in use is an error, a default one moves on", async () => {
    expect(await isFree("127.0.0.1", taken)).toBe(false);
    expect(await firstFreePort("127.0.0.1", taken)).toBeGreaterThan(taken);
    const given = { port: String(taken) };
    await expect(choosePort(settingsOf(given), given)).rejects.toThrow(`Port ${taken} on 127.0.0.1 is in use.`);
    const settings = { ...settingsOf({}), port: taken };
    expect(await choosePort(settings, {})).toMatchObject({ moved: true });
  });

  test("0 is any free one", async () => {
    const { port, moved } = await choosePort(settingsOf({ port: "0" }), { port: "0" });
    expect(moved).toBe(false);
    expect(await isFree("127.0.0.1", port)).toBe(true);
  });

  test.each([
    ["http://127.0.0.1:8545", true],
    ["http://localhost", true],
    ["http://[::1]:1", true],
    ["https://127.0.0.1.example", false],
    ["https://rpc.example", false],
  ])("%s is on this machine: %s", (url, expected) => {
    expect(isLoopback(url)).toBe(expected);
  });
});

describe("a data folder", () => {
  test("belongs to one start at a time, and a killed one does not keep it", async () => {
    const parent = process.ppid;
    writeFileSync(
      folder.record,
      JSON.stringify({ pid: parent, startedAt: await startTimeOf(parent), url: "http://there" }),
    );
    await expect(claim(folder)).rejects.toThrow(
      `NeuroSwarm runs at http://there with this data folder already (process ${parent}).`,
    );
    writeFileSync(folder.record, JSON.stringify({ pid: parent, startedAt: "1" }));
    const claimed = await claim(folder);
    await claimed.announce("http://here");
    expect(await readRecord(folder.record)).toEqual({ ...(await recordOf(process.pid)), url: "http://here" });
    await claimed.release();
    expect(existsSync(folder.record)).toBe(false);
  });

  test("is set aside but for downloads, and what was set aside before makes room", async () => {
    expect(await setAside(folder)).toBeUndefined();
    for (const name of ["database", "chain", "models", "blocks"]) {
      mkdirSync(join(folder.path, name));
      writeFileSync(join(folder.path, name, "file"), name);
    }
    expect(hasDatabase(folder)).toBe(true);
    const previous = await setAside(folder);
    expect(previous).toBe(join(folder.path, "previous"));
    expect(hasDatabase(folder)).toBe(false);
    expect(readFileSync(join(folder.path, "models", "file"), "utf8")).toBe("models");
    expect(readFileSync(join(folder.path, "previous", "chain", "file"), "utf8")).toBe("chain");
    mkdirSync(folder.database);
    await setAside(folder);
    expect(existsSync(join(folder.path, "previous", "chain"))).toBe(false);
    expect(existsSync(join(folder.path, "previous", "database"))).toBe(true);
  });
});

describe("a model's name in the catalogue", () => {
  test.each([
    ["models/Llama-2-7B-Q4.gguf", "llama-2-7b-q4"],
    [`https://host.example/a/My%20Model.Q8_0.gguf?download=true#sha256=${"ab".repeat(32)}`, "my-model.q8_0"],
    ["tiny", "tiny"],
  ])("%s is %s", (source, name) => {
    expect(nameOf(source)).toBe(name);
  });
});

/** A database as a keeper's first start leaves it. It takes seconds to make, so a run of the tests makes one, and each folder gets a copy. */
import { existsSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database } from "../../../keeper/database/database.ts";
import { openDatabase } from "../../../keeper/database/open.ts";

/** By this the forks that run the test files learn where it lies; without it each folder's first start makes its own. */
const TEMPLATE = "TEST_DATABASE_TEMPLATE";

let folder: string | undefined;

/** Vitest's global set-up. */
export async function setup(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), "neuroswarm-template-"));
  const database = await openDatabase({ databaseUrl: undefined, dataDir: folder }, () => {});
  await database.close();
  process.env[TEMPLATE] = join(folder, "database");
}

export async function teardown(): Promise<void> {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
}

/** A database for the tests of one file, in a folder that goes with it. */
export async function openCopy(): Promise<{ database: Database; remove: () => Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), "neuroswarm-copy-"));
  await copyTemplate(dataDir);
  const database = await openDatabase({ databaseUrl: undefined, dataDir }, () => {});
  const remove = async (): Promise<void> => {
    await database.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { database, remove };
}

/** Gives a data folder that has no database yet a copy. */
export async function copyTemplate(dataDir: string): Promise<void> {
  const template = process.env[TEMPLATE];
  const database = join(dataDir, "database");
  if (template === undefined || existsSync(database)) return;
  await cp(template, database, { recursive: true });
}

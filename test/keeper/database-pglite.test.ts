import fs from "node:fs";
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openPglite } from "../../keeper/database/pglite.ts";
import { copyTemplate } from "./support/database-template.ts";

const original = fs.fsyncSync;
const handle = await open(import.meta.filename);
const handles = Object.getPrototypeOf(handle) as FileHandle;
await handle.close();
const originalSync = handles.sync;
let folder: string;
let flushed: number[];
let broken: boolean;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "neuroswarm-pglite-"));
  flushed = [];
  broken = false;
  fs.fsyncSync = (handle) => {
    if (broken && !fs.fstatSync(handle).isDirectory())
      throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
    flushed.push(fs.fstatSync(handle).ino);
    original(handle);
  };
  handles.sync = async function (this: FileHandle) {
    flushed.push((await this.stat()).ino);
    await originalSync.call(this);
  };
  syncBuiltinESMExports();
});
afterEach(async () => {
  fs.fsyncSync = original;
  handles.sync = originalSync;
  syncBuiltinESMExports();
  await rm(folder, { recursive: true, force: true });
});

const inodesBelow = (path: string): number[] =>
  fs.readdirSync(path, { recursive: true, encoding: "utf8" }).map((name) => fs.statSync(join(path, name)).ino);

test("what the database has answered for is flushed, each time", async () => {
  await copyTemplate(folder);
  const database = await openPglite(folder);
  expect(await database.query("show fsync")).toEqual([{ fsync: "on" }]);
  const log = inodesBelow(join(folder, "database", "pg_wal"));
  const insert = (name: string) =>
    database.query("insert into cursors (name, block, hashes) values ($1, 1, '[]')", [name]);
  for (const name of ["a", "b", "c"]) {
    flushed.length = 0;
    await insert(name);
    expect(flushed.some((inode) => log.includes(inode))).toBe(true);
  }
  flushed.length = 0;
  await database.transaction((sql) => sql.query("delete from cursors"));
  expect(flushed.some((inode) => log.includes(inode))).toBe(true);
  flushed.length = 0;
  await database.query("checkpoint");
  const tables = inodesBelow(join(folder, "database", "base"));
  expect(flushed.some((inode) => tables.includes(inode))).toBe(true);
  await database.close();
});

test("a new database is flushed as a whole before it is used", async () => {
  const database = await openPglite(folder);
  const there = [...inodesBelow(folder), fs.statSync(folder).ino];
  there.splice(there.indexOf(fs.statSync(join(folder, "keeper.lock")).ino), 1);
  expect(there.length).toBeGreaterThan(500);
  expect(there.filter((inode) => !flushed.includes(inode))).toEqual([]);
  await database.close();
});

test("what was asked when a flush failed is not answered for, nor anything after it", async () => {
  await copyTemplate(folder);
  const database = await openPglite(folder);
  await database.query("insert into cursors (name, block, hashes) values ('told', 1, '[]')");
  broken = true;
  const insert = database.query("insert into cursors (name, block, hashes) values ('untold', 1, '[]')");
  await expect(insert).rejects.toThrow("could not be flushed");
  broken = false;
  await expect(database.query("select 1")).rejects.toThrow("could not be flushed");
  await expect(database.transaction(async () => "done")).rejects.toThrow("could not be flushed");
  await database.close();
  const again = await openPglite(folder);
  expect(await again.query("select name from cursors where name = 'told'")).toEqual([{ name: "told" }]);
  await again.close();
});

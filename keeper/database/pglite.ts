import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import type { Database, Parameter, Sql } from "./database.ts";
import { lockFolder } from "./lock.ts";
import { openFolder } from "./pglite-files.ts";

/** PostgreSQL inside the process, in the data folder; no folder means in memory. */
export async function openPglite(folder: string | undefined): Promise<Database> {
  const unlock = folder === undefined ? () => {} : lockFolder(folder);
  try {
    const { lite, files } = await (folder === undefined ? openMemory() : openFolder(join(folder, "database")));
    const kept = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      files?.require();
      const result = await work();
      files?.require();
      return result;
    };
    return {
      kind: "pglite",
      query: (text, parameters) => kept(() => over(lite).query(text, parameters)),
      transaction: (work) => kept(() => lite.transaction((inner) => work(over(inner)))),
      // The folder's lock does so for every name.
      claim: async () => {},
      close: async () => {
        if (!lite.closed) await lite.close();
        unlock();
      },
    };
  } catch (cause) {
    unlock();
    throw cause;
  }
}

const openMemory = async (): Promise<{ lite: PGlite; files?: undefined }> => ({ lite: await PGlite.create() });

interface Queryable {
  query<Row>(text: string, parameters?: unknown[]): Promise<{ rows: Row[] }>;
}

function over(lite: Queryable): Sql {
  return {
    query: async <Row extends object>(text: string, parameters: readonly Parameter[] = []) =>
      (await lite.query<Row>(text, [...parameters])).rows,
  };
}

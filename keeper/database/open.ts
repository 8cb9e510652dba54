import type { Settings } from "../config.ts";
import type { Database } from "./database.ts";
import { migrate } from "./migrations.ts";
import { openPglite } from "./pglite.ts";
import { openPostgres } from "./postgres.ts";

/** PostgreSQL where a URL is set, else PGlite in the data folder; up to date in either case. */
export async function openDatabase(
  settings: Pick<Settings, "databaseUrl" | "dataDir">,
  onError: (error: Error) => void,
): Promise<Database> {
  const database =
    settings.databaseUrl === undefined
      ? await openPglite(settings.dataDir)
      : await openPostgres(settings.databaseUrl, onError);
  try {
    await migrate(database);
    return database;
  } catch (cause) {
    await database.close();
    throw cause;
  }
}

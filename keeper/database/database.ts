/** What the keeper asks of a database: plain SQL, transactions, and an end. PGlite and PostgreSQL stand behind it. */

export type Parameter = string | number | boolean | null;

export interface Sql {
  query<Row extends object>(text: string, parameters?: readonly Parameter[]): Promise<Row[]>;
}

export interface Database extends Sql {
  readonly kind: "pglite" | "postgres";
  /** All or nothing; what `work` throws is thrown after the rollback. */
  transaction<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** The data folder belongs to another keeper that is running. */
export class DataFolderLockedError extends Error {
  constructor(folder: string, pid: number) {
    super(`${folder} is in use by another keeper (process ${pid}): stop it, or choose another DATA_DIR`);
    this.name = "DataFolderLockedError";
  }
}

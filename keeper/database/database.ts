/** What the keeper asks of a database: plain SQL, transactions, and an end. PGlite and PostgreSQL stand behind it. */

export type Parameter = string | number | boolean | null;

export interface Sql {
  query<Row extends object>(text: string, parameters?: readonly Parameter[]): Promise<Row[]>;
}

export interface Database extends Sql {
  readonly kind: "pglite" | "postgres";
  /** All or nothing; what `work` throws is thrown after the rollback. */
  transaction<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result>;
  /**
   * Keeps other processes from working under this name with the same journal, until `close`. Rejects where one does already.
   * `onLost` is called where one took it later nonetheless: by then nothing can be read or written any more.
   */
  claim(name: string, onLost: (error: Error) => void): Promise<void>;
  close(): Promise<void>;
}

/** The data folder belongs to another keeper that is running. */
export class DataFolderLockedError extends Error {
  constructor(folder: string, pid: number) {
    super(`${folder} is in use by another keeper (process ${pid}): stop it, or choose another DATA_DIR`);
    this.name = "DataFolderLockedError";
  }
}

/** The journal in a PostgreSQL database belongs to another keeper that is running. */
export class JournalInUseError extends Error {
  constructor(name: string, holder: string) {
    super(
      `the journal ${name} in this database is in use by another keeper (${holder || "which has just let go"}): stop it, or give this one another operator key or DATABASE_URL`,
    );
    this.name = "JournalInUseError";
  }
}

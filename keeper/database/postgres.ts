import pg from "pg";
import { Claim } from "./claim.ts";
import type { Database, Parameter, Sql } from "./database.ts";

export async function openPostgres(url: string, onError: (error: Error) => void): Promise<Database> {
  const pool = new pg.Pool({ connectionString: url, max: 8 });
  // An idle connection that breaks would otherwise end the process.
  pool.on("error", onError);
  try {
    await pool.query("select 1");
  } catch (cause) {
    await pool.end();
    throw cause;
  }
  let claim: Claim | undefined;
  const all = over(pool);
  return {
    kind: "postgres",
    query: async (text, parameters) => {
      claim?.require();
      return all.query(text, parameters);
    },
    transaction: async (work) => {
      claim?.require();
      const client = await pool.connect();
      let broken: Error | undefined;
      // The pool listens to connections that are idle; one that breaks in somebody's hands is theirs to hear of, and the next
      // query says so. It does not go back to the pool.
      const onBreak = (error: Error): void => {
        broken = error;
      };
      client.on("error", onBreak);
      try {
        await client.query("begin");
        const result = await work(over(client));
        claim?.require();
        await client.query("commit");
        return result;
      } catch (cause) {
        await client.query("rollback").catch((failure: Error) => {
          broken = failure;
        });
        throw cause;
      } finally {
        client.release(broken);
        client.off("error", onBreak);
      }
    },
    claim: async (name, onLost) => {
      claim = await Claim.take(url, name, { error: onError, lost: onLost });
    },
    close: async () => {
      // The next one may have the journal when nothing of this one's is under way.
      await pool.end();
      await claim?.release();
    },
  };
}

function over(client: Pick<pg.Pool | pg.PoolClient, "query">): Sql {
  return {
    query: async <Row extends object>(text: string, parameters: readonly Parameter[] = []) =>
      (await client.query(text, [...parameters])).rows as Row[],
  };
}

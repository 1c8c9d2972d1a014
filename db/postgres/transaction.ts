import type { SQL } from "drizzle-orm";
import type { Database } from "./connect.ts";

/** Statements of one transaction, one after the other. */
export type Transaction = Pick<Database, "execute">;

/**
 * Runs statements that take effect together or not at all; the connection may be lost at any moment, also while
 * the work waits for something else.
 *
 * postgres.js (3.4) would write to a connection that is gone: the next statement, or the COMMIT or ROLLBACK at the
 * end. That throws where nobody can catch it, which ends the process, and the connection never comes back. So when
 * it is lost the transaction fails at once, and what is left of its work is not answered any more.
 */
export async function inTransaction<T>(db: Database, work: (tx: Transaction) => Promise<T>): Promise<T> {
  let over = false;
  const transaction = db.transaction(async (tx) => {
    const execute = async (query: SQL) => (over ? await never() : await tx.execute(query));
    try {
      const result = await work({ execute } as Transaction);
      return over ? await never<T>() : result;
    } catch (error) {
      // Of a lost connection the statement hears first, and the transaction within the same tick.
      await new Promise(setImmediate);
      if (over) await never();
      throw error;
    }
  });
  void transaction.catch(() => {
    over = true;
  });
  return await transaction;
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}

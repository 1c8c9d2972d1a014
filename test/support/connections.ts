import { onServer } from "./on-server.ts";

/** Ends the connections to a database that are in this state; the server says so, and their clients will see. */
export async function disconnect(database: { url: string }, state: ConnectionState): Promise<void> {
  const { server, name } = placeOf(database);
  await onServer(
    server,
    (sql) => sql`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${name} AND state = ${state}`,
  );
}

/** Lets nobody connect to a database, or everybody again. Who is connected stays so. */
export async function allowConnections(database: { url: string }, allowed: boolean): Promise<void> {
  const { server, name } = placeOf(database);
  await onServer(server, (sql) => sql.unsafe(`ALTER DATABASE ${name} ALLOW_CONNECTIONS ${allowed}`));
}

/** Does a connection to a database wait for this: a `wait_event` or its type? */
export async function isWaiting(database: { url: string }, event: string): Promise<boolean> {
  const { server, name } = placeOf(database);
  let waiting = false;
  await onServer(server, async (sql) => {
    const found = await sql`
      SELECT 1 FROM pg_stat_activity
      WHERE datname = ${name} AND ${event} IN (wait_event, wait_event_type)`;
    waiting = found.length > 0;
  });
  return waiting;
}

/** The name of a database, and its server as seen from another one. */
function placeOf(database: { url: string }): { server: string; name: string } {
  const url = new URL(database.url);
  const name = url.pathname.slice(1);
  url.pathname = "postgres";
  return { server: url.href, name };
}

type ConnectionState = "active" | "idle" | "idle in transaction";

import { serve } from "@hono/node-server";
import { Hono } from "hono";

/** The least that Hono on Node costs for a POST: the body is parsed and sent back. A process of its own. */
const app = new Hono();
app.post("/echo", async (c) => c.json(await c.req.json()));

const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => {
  console.log(`listening on http://127.0.0.1:${port}`);
});
process.once("SIGTERM", () => {
  server.close();
  if ("closeAllConnections" in server) server.closeAllConnections();
});

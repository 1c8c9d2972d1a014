import { serveEdge } from "./serve.ts";

/**
 * The edge as a process of Deno, by the server that it has in common with Node.
 *
 * Deno.serve would do but for one thing: from 2.8.3 to 2.9.5 it may never read on once it has begun to answer
 * (denoland/deno#36624), and a stream of lines would get stuck there.
 */
serveEdge(process.env);

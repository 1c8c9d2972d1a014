import { serveEdge } from "./serve.ts";

/** The edge as a process of Node. */
serveEdge(process.env);

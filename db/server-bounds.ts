/** What a client may take of a server that listens by itself: ingest, and the edge on Deno and Node. */

/** A catalogue may be sent for as long as something moves; a connection where nothing does is given up after this. */
export const IDLE_TIMEOUT_MS = 300_000;

/** Of Node's HTTP server. How long a body may take is said where it is read, for a stream of lines may take long. */
export const SERVER_BOUNDS = {
  requestTimeout: 0,
  /** All headers of a request, from its first byte or from when the connection was made: 408. */
  headersTimeout: 10_000,
  /** Who is late is found this often. */
  connectionsCheckingInterval: 1_000,
  /** Bytes of all headers together, the first line included: 431. */
  maxHeaderSize: 16_384,
};

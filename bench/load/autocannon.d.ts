/** The little of autocannon that the bench uses; the package brings no types. */
declare module "autocannon" {
  function autocannon(options: autocannon.Options): Promise<autocannon.Result>;

  namespace autocannon {
    type Request = { method: string; path: string; headers: Record<string, string>; body: string };
    type Client = { setRequests(requests: readonly Request[]): void };
    type Options = {
      url: string;
      connections: number;
      /** Seconds. */
      duration: number;
      setupClient(client: Client): void;
    };
    type Result = { "2xx": number; non2xx: number; errors: number; timeouts: number; duration: number };
  }

  export = autocannon;
}

import autocannon from "autocannon";
import type { Flood } from "./jobs.ts";
import { heartbeatRequests } from "./requests.ts";

/** @returns requests a second that were answered 2xx; anything else fails the figure. */
export async function flood({ path, url, connections, seconds, eventsEach }: Flood): Promise<number> {
  const requests = await heartbeatRequests({ path, connections, eventsEach });
  let connection = 0;
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    setupClient: (client) => client.setRequests(requests[connection++ % connections] ?? []),
  });
  const { non2xx, errors, timeouts, duration } = result;
  if (non2xx + errors + timeouts > 0)
    throw new Error(`${url}: ${non2xx} refused, ${errors} failed, ${timeouts} timed out`);
  return result["2xx"] / duration;
}

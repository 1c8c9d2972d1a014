/** How long one answer may take; whoever is slower is asked again. */
const ANSWER_TIMEOUT = 2_000;

/** Whether a request is answered with success, and with these words where some are expected. */
export async function answers(url: string, request: RequestInit = {}, words = ""): Promise<boolean> {
  try {
    const response = await fetch(url, { ...request, signal: AbortSignal.timeout(ANSWER_TIMEOUT) });
    return (await response.text()).includes(words) && response.ok;
  } catch {
    return false;
  }
}

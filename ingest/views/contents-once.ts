import type { ContentLookup } from "./contents.ts";

/**
 * Of the very same rows the catalogue is asked once: a turn projects them, and then tells of them. An answer that did
 * not come is asked for again.
 */
export function contentsOnce(lookUp: ContentLookup): ContentLookup {
  const answers = new WeakMap<object, ReturnType<ContentLookup>>();

  return async function lookUpOnce(of, via) {
    if (via) return await lookUp(of, via);
    const known = answers.get(of);
    if (known) return await known;
    const asked = lookUp(of);
    answers.set(of, asked);
    try {
      return await asked;
    } catch (error) {
      answers.delete(of);
      throw error;
    }
  };
}

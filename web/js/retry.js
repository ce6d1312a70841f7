/**
 * What fails is said and tried again, for as long as somebody wants it.
 */

/** Milliseconds until the second attempt, doubled from one to the next. */
const FIRST = 2000;
const LONGEST = 30000;

/**
 * @template T
 * @param {() => Promise<T>} attempt
 * @param {() => boolean} isWanted asked before each attempt
 * @param {(error: unknown) => void} onFailure
 * @returns {Promise<T | undefined>} undefined if it is not wanted any more
 */
export async function untilItWorks(attempt, isWanted, onFailure) {
  for (let wait = FIRST; isWanted(); wait = Math.min(LONGEST, wait * 2)) {
    try {
      return await attempt();
    } catch (error) {
      if (isWanted()) onFailure(error);
    }
    await new Promise((resolve) => setTimeout(resolve, wait * (0.75 + Math.random() / 2)));
  }
  return undefined;
}

/** @param {unknown} error @returns {string} for a person: a fetch that gets no answer has a message of the browser's own */
export const reason = (error) => {
  if (error instanceof DOMException && error.name === "TimeoutError") return "no answer in time";
  if (error instanceof TypeError && /fetch|load failed/i.test(error.message)) return "no connection";
  return error instanceof Error ? error.message : String(error);
};

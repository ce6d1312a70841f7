/**
 * Polls the consumer's status and the newest alerts, and reports the pipeline's health.
 */
import { realTime } from "./clock.js";
import { JsonObject, trouble } from "./objects.js";

/** Milliseconds between two polls, while the page is looked at and while it is not. */
const EVERY = 5000;
const HIDDEN = 60000;

/** @param {import("./live.js").Live} live @param {(message: any) => void} post */
export function watch(live, post) {
  const objects = { status: new JsonObject(new URL("live/status.json", live.base).href), alerts: new JsonObject(new URL("live/alerts.json", live.base).href) };
  /** @type {any} */
  let status = null;
  let timer = 0;
  let turn = 0;
  let isListed = false;
  let isPolling = true; // nothing is asked before the first poll

  async function poll() {
    isPolling = true;
    const isStatusDue = turn++ % 2 === 0; // it is written half as often
    for (const [name, object] of Object.entries(objects))
      try {
        if (name === "status" && !isStatusDue && !live.troubles.has(name)) continue;
        const content = await object.poll();
        if (name === "status" && content) status = content;
        // There is no list before the first alert of a stack, and all of a list that comes after that is new.
        if (name === "alerts" && (content || (content === null && !isListed))) {
          isListed = true;
          post({ type: "alerts", alerts: Array.isArray(content?.alerts) ? content.alerts.slice(0, 100) : [] });
        }
        live.troubles.delete(name);
      } catch (error) {
        live.troubles.set(name, trouble(error));
      }
    report();
    timer = setTimeout(poll, live.isHidden ? HIDDEN : EVERY);
    isPolling = false;
  }

  /** Polls both at once, unless they are on their way: that is news enough. */
  function ask() {
    if (isPolling) return;
    clearTimeout(timer);
    turn = 0;
    poll();
  }

  /** Sends the page the health of the pipeline. */
  function report() {
    // While the past is shown, nothing newer is asked for.
    const shards = live.isPaused ? [] : live.current;
    const newest = (/** @type {"writtenAt" | "windowEnd"} */ name) => (shards.length ? Math.max(...shards.map((shard) => shard[name])) : NaN);
    const real = realTime();
    const now = real + live.clock.skew;
    post({
      type: "health",
      now,
      status,
      shards: live.current.length,
      aircraft: live.total,
      windowEnd: newest("windowEnd"),
      behind: (now - newest("writtenAt")) / 1000,
      isRecording: live.clock.isOwn,
      feed: live.clock.reading(real),
      since: live.since,
      until: live.closedUntil,
      step: live.windowSeconds * 1000,
      troubles: [...live.troubles].map(([name, trouble]) => ({ name, ...trouble })),
    });
  }

  return { poll, ask, report };
}

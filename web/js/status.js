/**
 * Polls the consumer's status and the newest alerts, and reports the pipeline's health.
 * @module
 */
import { trouble } from "./live.js";
import { counts, JsonObject } from "./objects.js";

/** Milliseconds between two polls, while the page is looked at and while it is not. */
const ASIDE_EVERY = 5000;
const MINUTE = 60000;
const MOST_ALERTS = 100;

export class Status {
  /** @param {import("./live.js").Live} live @param {(message: any) => void} post */
  constructor(live, post) {
    this.live = live;
    this.post = post;
    this.objects = { status: new JsonObject(new URL("live/status.json", live.base).href), alerts: new JsonObject(new URL("live/alerts.json", live.base).href) };
    /** @type {any} */
    this.content = null;
    this.timer = 0;
    this.turn = 0;
    this.isAsking = true; // nothing is asked before the first poll
  }

  async poll() {
    const { live } = this;
    this.isAsking = true;
    const isStatusDue = this.turn++ % 2 === 0; // it is written half as often
    for (const [name, object] of Object.entries(this.objects))
      try {
        if (name === "status" && !isStatusDue && !live.troubles.has(name)) continue;
        const content = await object.poll();
        if (name === "status" && content) this.content = content;
        if (name === "alerts" && content) this.post({ type: "alerts", alerts: Array.isArray(content.alerts) ? content.alerts.slice(0, MOST_ALERTS) : [] });
        live.troubles.delete(name);
      } catch (error) {
        live.troubles.set(name, trouble(error));
      }
    this.report();
    this.timer = setTimeout(() => this.poll(), live.isHidden ? MINUTE : ASIDE_EVERY);
    this.isAsking = false;
  }

  /** Polls both at once, unless they are on their way: that is news enough. */
  ask() {
    if (this.isAsking) return;
    clearTimeout(this.timer);
    this.turn = 0;
    this.poll();
  }

  /** Sends the page the health of the pipeline. */
  report() {
    const { live } = this;
    const shards = [...live.shards.values()];
    const written = shards.length ? Math.max(...shards.map((shard) => shard.writtenAt)) : NaN;
    this.post({
      type: "health",
      status: this.content,
      shards: shards.length,
      aircraft: live.total,
      windowEnd: shards.length ? Math.max(...shards.map((shard) => shard.windowEnd)) : NaN,
      behind: written > 0 ? (Date.now() + live.clock.skew - written) / 1000 : NaN,
      isRecording: live.clock.isOwn,
      feed: live.clock.reading(Date.now()),
      since: live.since,
      windowSeconds: live.windowSeconds,
      counts: { ...counts },
      troubles: [...live.troubles].map(([name, trouble]) => ({ name, ...trouble })),
    });
  }
}

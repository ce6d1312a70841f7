/**
 * The feed's clock: what time it is where the aircraft are, which in a replayed recording is not the present.
 */

/** Milliseconds by which the newest ingestion may differ from the present in a live feed. */
export const LIVE = 120000;
/** And in one that was late by more than that: about there it does not change to and fro. */
const LIVE_AGAIN = 90000;
/** For how long an answer counts, and by how much this machine's clock may be off. */
const REMEMBERED = 60000;
const NEAR = 2000;

/** @returns {number} milliseconds since the epoch by this machine's clock, which nobody sets while the page is open */
export const realTime = () => performance.timeOrigin + performance.now();

/** @typedef {{feed: number, real: number, rate: number, until?: number}} Reading at `real` (realTime()) the feed's clock showed `feed`; it stops at `until` */

/** How far the servers' clock is ahead of this machine's. */
export class Skew {
  constructor() {
    /** Each that is further ahead than all that came after it. @type {{ahead: number, real: number}[]} */
    this.heard = [];
    this.value = 0;
  }

  /**
   * An answer has been on its way for some time: the one that is furthest ahead is the best.
   * @param {number} time what the servers' clock showed, or shows more than by now
   * @param {number} real realTime()
   */
  see(time, real) {
    const ahead = time - real;
    this.heard = this.heard.filter((one) => one.ahead > ahead && real - one.real < REMEMBERED);
    this.heard.push({ ahead, real });
    const best = this.heard[0].ahead;
    if (Math.abs(best - this.value) > NEAR) this.value = Math.abs(best) > NEAR ? best : 0;
  }
}

export class FeedClock {
  /** @param {Skew} servers */
  constructor(servers = new Skew()) {
    this.servers = servers;
    /** @type {Reading | null} */
    this.last = null;
    this.rate = 1;
    this.isOwn = false;
  }

  /** @returns {number} milliseconds by which this machine's clock is slow */
  get skew() {
    return this.servers.value;
  }

  /**
   * @param {number} newest the newest ingestion time, milliseconds since the epoch; -Infinity is none
   * @param {number} writtenAt when the snapshot was written, by the writer's clock
   * @param {number} real realTime()
   */
  see(newest, writtenAt, real) {
    // A snapshot from the future: this machine's clock is slow.
    if (writtenAt - real > this.skew) this.servers.see(writtenAt, real);
    if (newest === -Infinity) return;
    this.isOwn = Math.abs(newest - (real + this.skew)) > (this.isOwn ? LIVE_AGAIN : LIVE);
    if (this.last && newest < this.last.feed - LIVE) this.last = null;
    if (this.last && newest > this.last.feed && real > this.last.real) {
      const rate = (newest - this.last.feed) / (real - this.last.real);
      this.rate += (Math.max(0.2, Math.min(500, rate)) - this.rate) / 3;
    }
    if (!this.last || newest > this.last.feed) this.last = { feed: newest, real, rate: 1 };
  }

  /** @param {number} real realTime() @returns {Reading} */
  reading(real) {
    if (!this.isOwn || !this.last) return { feed: real + this.skew, real, rate: 1 };
    const rate = this.rate > 0.75 && this.rate < 1.33 ? 1 : this.rate;
    return { feed: this.last.feed + (real - this.last.real) * rate, real, rate };
  }
}

/** @param {Reading} reading @param {number} real @returns {number} milliseconds of the feed's clock */
export const at = ({ feed, real: then, rate, until = Infinity }, real) => Math.min(until, feed + (real - then) * rate);

/**
 * Which time is shown: the present, or a past one that is played at a speed.
 * @module
 */

/** Milliseconds: how long a window of the past is shown at least. */
const SHORTEST = 50;

export class Playback {
  /**
   * @param {import("./live.js").Live} live
   * @param {import("./replay.js").Replay} replay
   * @param {() => void} onChange
   * @param {(attempt: () => Promise<void>, isWanted: () => boolean) => Promise<void>} insist tries until it works
   */
  constructor(live, replay, onChange, insist) {
    this.live = live;
    this.replay = replay;
    this.onChange = onChange;
    this.insist = insist;
    /** @type {{fleet: import("./fleet.js").Fleet, clock: import("./clock.js").Reading, until: number, from: number, speed: number, since: number} | null} */
    this.past = null;
    this.ticket = 0;
  }

  /** Whether a past time is shown. */
  get isPast() {
    return this.past !== null;
  }

  /** The aircraft as they are, or were. */
  get fleet() {
    return this.past?.fleet ?? this.live.fleet;
  }

  /** The time that is shown, milliseconds since the epoch. */
  get time() {
    const { past } = this;
    return past ? past.from + (Date.now() - past.since) * past.speed : Date.now();
  }

  /** @returns {import("./clock.js").Reading} the feed's clock, by Date.now() */
  clock() {
    const { past } = this;
    if (!past) return this.live.clock.reading(Date.now());
    const real = Date.now();
    return { feed: past.clock.feed + (this.time - past.from) * past.clock.rate, real, rate: past.clock.rate * past.speed };
  }

  /** @param {number} time milliseconds since the epoch @param {number} speed 0 stands still */
  async showPast(time, speed) {
    const { live } = this;
    const ticket = ++this.ticket;
    const isWanted = () => ticket === this.ticket;
    live.isPaused = true;
    await this.insist(async () => {
      const found = await this.replay.at(time);
      if (isWanted()) this.past = { ...found, clock: found.clock, from: time, speed, since: Date.now() };
    }, isWanted);
    if (!isWanted()) return;
    if (this.past && speed > 0) {
      const wait = Math.max(SHORTEST, (this.past.until - time) / speed);
      setTimeout(() => {
        if (!isWanted()) return;
        const next = this.time;
        if (next > Date.now() - live.windowSeconds * 1000) return this.showPresent();
        this.showPast(next, speed);
      }, wait);
    }
    this.onChange();
  }

  showPresent() {
    this.ticket++;
    this.past = null;
    this.live.isPaused = false;
    this.live.troubles.delete("replay");
    this.live.wake();
    this.onChange();
  }
}

/**
 * The past: closed windows, and between two of them each aircraft on its way; and which time is shown.
 */
import { realTime } from "./clock.js";
import { Fleet } from "./fleet.js";
import { toX, toY, velocity } from "./geo.js";
import { identitiesAt, partsAt, widened, windowName } from "./objects.js";

const KEPT = 8;

/** Aircraft as of one window, which come from where they were in the one before. */
class Between extends Fleet {
  /** @param {Fleet} before */
  constructor(before) {
    super();
    this.before = before;
  }

  /**
   * @param {number} place
   * @param {number} now milliseconds of the feed's clock
   * @returns {[number, number, number, number, number]} where it is by then, at most where it was last
   */
  anchor(place, now) {
    const { before } = this;
    const from = before.places.get(this.address[place]) ?? -1;
    const to = this.positionTime[place];
    let start = before.positionTime[from];
    let [x, y] = [toX(this.longitude[place]), toY(this.latitude[place])];
    let [vx, vy] = [0, 0];
    if (to > start) {
      const [x0, y0] = [toX(before.longitude[from]), toY(before.latitude[from])];
      const seconds = (to - start) / 1000;
      [vx, vy] = [(((x - x0 + 1.5) % 1) - 0.5) / seconds, (y - y0) / seconds];
      [x, y] = [x0, y0];
    } else {
      // It was not there before: it comes from where its speed and heading say.
      const speed = this.speed[place];
      const heading = this.lastHeading[place];
      if (speed >= 0 && heading === heading) [vx, vy] = velocity(this.latitude[place], speed, heading);
      start = to - 10000;
      [x, y] = [x - vx * 10, y - vy * 10];
    }
    const at = Math.max(start, Math.min(to, now));
    const gone = (at - start) / 1000;
    return [x + vx * gone, y + vy * gone, vx, vy, at];
  }
}

/**
 * @typedef {object} Window
 * @property {number} end
 * @property {Fleet} fleet
 */

export class Replay {
  /** @param {import("./live.js").Live} live */
  constructor(live) {
    this.live = live;
    /** @type {Map<number, Promise<Fleet>>} by the window's end */
    this.windows = new Map();
  }

  /**
   * @param {number} time milliseconds since the epoch, real time
   * @returns {Promise<{fleet: Fleet, clock: import("./clock.js").Reading, until: number}>}
   *   the aircraft between the two windows around that time, the feed's clock at it, and until when both hold
   */
  async at(time) {
    const step = this.live.windowSeconds * 1000;
    const end = Math.floor(time / step) * step + step;
    const [before, after] = await Promise.all([this.#window(end - step), this.#window(end)]);
    if (end + step <= this.live.closedUntil) this.#window(end + step).catch(() => {});
    const fleet = new Between(before);
    Object.assign(fleet, after, { before });
    const last = after.newest > -Infinity ? after.newest : this.live.clock.reading(end).feed;
    const first = before.newest > -Infinity ? before.newest : last - step;
    const rate = last > first ? (last - first) / step : 1;
    return { fleet, clock: { feed: first + (time - (end - step)) * rate, real: 0, rate }, until: end };
  }

  /** @param {number} end @returns {Promise<Fleet>} */
  #window(end) {
    const known = this.windows.get(end);
    if (known) return known;
    const reading = this.#read(end);
    // What is not there yet may come: it is asked for again.
    const drop = () => this.windows.get(end) === reading && this.windows.delete(end);
    reading.then((fleet) => fleet.size || drop(), drop);
    this.windows.set(end, reading);
    for (const key of this.windows.keys()) {
      if (this.windows.size <= KEPT) break;
      this.windows.delete(key);
    }
    return reading;
  }

  /** @param {number} end */
  async #read(end) {
    const fleet = new Fleet();
    const { base, shards } = this.live;
    const box = this.live.box ?? null;
    await Promise.all([...shards.keys()].map(async (shard) => {
      const url = new URL(`live/${shard}/closed/${windowName(end)}`, base).href;
      const parts = await partsAt(url, box);
      for (const { header, blocks } of parts) for (const block of blocks) fleet.add(block, header.writtenAt);
      // Another flight of the same aircraft has another callsign: each window has its own.
      for (const part of parts) {
        const got = await identitiesAt(`${part.url}-identity`).poll(box);
        if (got) for (const columns of got.blocks) fleet.identify(got.header, columns);
      }
    }));
    return fleet;
  }

  /**
   * An aircraft's track over the closed windows, read by its own region.
   * @param {string} address
   * @param {number} until milliseconds since the epoch, real time
   * @param {number} count windows back
   * @param {[number, number]} from latitude and longitude where it is
   * @param {(points: [number, number, number, number][], end: number) => boolean | void} found
   *   x, y, feed milliseconds, altitude; called as they come, with the end of the window that the first is of; false ends it
   * @returns {Promise<void>}
   */
  async track(address, until, count, from, found) {
    const step = this.live.windowSeconds * 1000;
    let [latitude, longitude] = from;
    /** @type {[number, number, number, number][]} */
    const points = [];
    let missing = 0;
    const last = Math.floor(until / step) * step;
    for (let end = last; end > last - count * step && missing < 5; end -= step) {
      const box = widened([latitude, longitude, latitude, longitude], 1 + 2 * missing);
      missing++;
      for (const shard of this.live.shards.keys()) {
        const parts = await partsAt(new URL(`live/${shard}/closed/${windowName(end)}`, this.live.base).href, box);
        for (const block of parts.reverse().flatMap(({ blocks }) => blocks)) {
          const row = block.address.indexOf(address);
          if (row < 0 || !(block.age[row] >= 0)) continue;
          latitude = block.latitude[row];
          longitude = block.longitude[row];
          points.unshift([toX(longitude), toY(latitude), block.measured[row] - block.age[row], block.altitude[row]]);
          missing = 0;
        }
      }
      if (missing === 0 && found(points, end) === false) return;
    }
  }
}

export class Playback {
  /**
   * @param {Replay} replay
   * @param {() => void} onChange
   * @param {(attempt: () => Promise<void>, isWanted: () => boolean) => Promise<void>} insist tries until it works
   */
  constructor(replay, onChange, insist) {
    this.live = replay.live;
    this.replay = replay;
    this.onChange = onChange;
    this.insist = insist;
    /** The time that was asked for, and how fast it goes on. @type {{time: number, speed: number} | null} */
    this.asked = null;
    /** @type {{fleet: Fleet, clock: import("./clock.js").Reading, until: number, of: {time: number, speed: number}, since: number} | null} */
    this.past = null;
  }

  /** The aircraft as they are, or were. */
  get fleet() {
    return this.past?.fleet ?? this.live.fleet;
  }

  /** The time that is shown, milliseconds since the epoch: at most until when the aircraft are known. */
  get time() {
    const { past } = this;
    const now = realTime();
    return past ? Math.min(past.until, past.of.time + (now - past.since) * past.of.speed) : now + this.live.clock.skew;
  }

  /** @returns {import("./clock.js").Reading} the feed's clock, by realTime() */
  clock() {
    const { past } = this;
    const real = realTime();
    if (!past) return this.live.clock.reading(real);
    const { clock, of, until } = past;
    const feed = (/** @type {number} */ time) => clock.feed + (time - of.time) * clock.rate;
    return { feed: feed(this.time), real, rate: clock.rate * of.speed, until: feed(until) };
  }

  /** @param {number} time milliseconds since the epoch @param {number} speed 0 stands still */
  async showPast(time, speed) {
    const asked = (this.asked = { time, speed });
    const isWanted = () => asked === this.asked;
    this.live.isPaused = true;
    await this.insist(async () => {
      const found = await this.replay.at(time);
      if (isWanted()) this.past = { ...found, of: asked, since: realTime() };
    }, isWanted);
    if (!isWanted()) return;
    if (this.past && speed > 0) {
      const wait = Math.max(50, (this.past.until - time) / speed);
      setTimeout(() => {
        if (!isWanted()) return;
        const next = this.time;
        if (next >= this.live.closedUntil) return this.showPresent();
        this.showPast(next, speed);
      }, wait);
    }
    this.onChange();
  }

  /** Another region is looked at: what was read of the past is not all of it. */
  lookElsewhere() {
    const { asked, past } = this;
    this.replay.windows.clear();
    if (asked) this.showPast(past?.of === asked ? this.time : asked.time, asked.speed);
  }

  showPresent() {
    this.asked = this.past = null;
    this.live.isPaused = false;
    this.live.troubles.delete("replay");
    this.live.wake();
    this.onChange();
  }
}

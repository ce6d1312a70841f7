/**
 * The past: closed windows, and between two of them each aircraft on its way; and which time is shown.
 */
import { Fleet } from "./fleet.js";
import { toX, toY, velocity } from "./geo.js";
import { windowName } from "./live.js";
import { identitiesAt, positionsAt, widened } from "./objects.js";

const KEPT = 8;

/** Aircraft as of one window, which come from where they were in the one before. */
class Between extends Fleet {
  /** @param {Fleet | null} before */
  constructor(before) {
    super();
    this.before = before;
  }

  /**
   * @param {number} place
   * @returns {[number, number, number, number, number]}
   */
  anchor(place) {
    const from = this.before?.places.get(this.address[place]) ?? -1;
    const to = this.positionTime[place];
    const x = toX(this.longitude[place]);
    const y = toY(this.latitude[place]);
    const start = from >= 0 ? /** @type {Fleet} */ (this.before).positionTime[from] : NaN;
    if (!(to > start)) {
      // It was not there before: it comes from where its speed and heading say.
      const speed = this.speed[place];
      const heading = this.lastHeading[place];
      const [vx, vy] = speed >= 0 && heading === heading ? velocity(this.latitude[place], speed, heading) : [0, 0];
      return [x - vx * 10, y - vy * 10, vx, vy, to - 10000];
    }
    const before = /** @type {Fleet} */ (this.before);
    const x0 = toX(before.longitude[from]);
    const y0 = toY(before.latitude[from]);
    const seconds = (to - start) / 1000;
    return [x0, y0, (((x - x0 + 1.5) % 1) - 0.5) / seconds, (y - y0) / seconds, start];
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
    /** @type {Map<string, import("./fleet.js").Identity>} */
    this.identity = new Map();
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
    const first = before.newest > -Infinity ? before.newest : after.newest - step;
    const rate = after.newest > first ? (after.newest - first) / step : 1;
    return { fleet, clock: { feed: first + (time - (end - step)) * rate, real: 0, rate }, until: end };
  }

  /** @param {number} end @returns {Promise<Fleet>} */
  #window(end) {
    const known = this.windows.get(end);
    if (known) return known;
    const reading = this.#read(end);
    // What is not there yet may come: it is asked for again.
    reading.then((fleet) => fleet.size || this.windows.delete(end), () => this.windows.delete(end));
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
      const last = await positionsAt(url).poll(box);
      if (!last) return;
      const names = Array.from({ length: last.header.part }, (_, part) => `${url}.${part}`);
      const parts = await Promise.all(names.map((name) => positionsAt(name).poll(box)));
      for (const got of [last, ...parts]) for (const block of got?.blocks ?? []) fleet.add(block);
      if (fleet.address.every((address) => this.identity.has(address))) return;
      for (const name of [url, ...names]) {
        const got = await identitiesAt(`${name}-identity`).poll(box);
        for (const columns of got?.blocks ?? [])
          columns[0].forEach((address, row) => {
            const fields = Object.fromEntries(/** @type {any} */ (got).header.fields.map((/** @type {string} */ f, /** @type {number} */ i) => [f, columns[i][row]]));
            this.identity.set(/** @type {string} */ (address), fields);
          });
      }
    }));
    fleet.address.forEach((address, place) => {
      fleet.identity[place] = this.identity.get(address) ?? null;
    });
    return fleet;
  }

  /** Another region is looked at: what was read is not all of it. */
  forget() {
    this.windows.clear();
  }

  /**
   * An aircraft's track over the closed windows, read by its own region.
   * @param {string} address
   * @param {number} until milliseconds since the epoch, real time
   * @param {number} count windows back
   * @param {[number, number]} from latitude and longitude where it is
   * @param {(points: [number, number, number, number][]) => void} found x, y, feed milliseconds, altitude; called as they come
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
        const got = await positionsAt(new URL(`live/${shard}/closed/${windowName(end)}`, this.live.base).href).poll(box);
        for (const block of got?.blocks ?? []) {
          const row = block.address.indexOf(address);
          if (row < 0 || !(block.age[row] >= 0)) continue;
          latitude = block.latitude[row];
          longitude = block.longitude[row];
          points.unshift([toX(longitude), toY(latitude), block.measured[row] - block.age[row], block.altitude[row]]);
          missing = 0;
        }
      }
      if (missing === 0) found(points);
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
    /** @type {{fleet: Fleet, clock: import("./clock.js").Reading, until: number, from: number, speed: number, since: number} | null} */
    this.past = null;
    this.ticket = 0;
  }

  /** The aircraft as they are, or were. */
  get fleet() {
    return this.past?.fleet ?? this.live.fleet;
  }

  /** The time that is shown, milliseconds since the epoch. */
  get time() {
    const { past } = this;
    const now = Date.now();
    return past ? past.from + (now - past.since) * past.speed : now;
  }

  /** @returns {import("./clock.js").Reading} the feed's clock, by Date.now() */
  clock() {
    const { past } = this;
    const real = Date.now();
    if (!past) return this.live.clock.reading(real);
    return { feed: past.clock.feed + (this.time - past.from) * past.clock.rate, real, rate: past.clock.rate * past.speed };
  }

  /** @param {number} time milliseconds since the epoch @param {number} speed 0 stands still */
  async showPast(time, speed) {
    const ticket = ++this.ticket;
    const isWanted = () => ticket === this.ticket;
    this.live.isPaused = true;
    await this.insist(async () => {
      const found = await this.replay.at(time);
      if (isWanted()) this.past = { ...found, from: time, speed, since: Date.now() };
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

  showPresent() {
    this.ticket++;
    this.past = null;
    this.live.isPaused = false;
    this.live.troubles.delete("replay");
    this.live.wake();
    this.onChange();
  }
}

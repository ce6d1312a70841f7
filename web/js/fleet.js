/**
 * What is known of every aircraft: the newest state of each, by the rule of what is newer, and where it has been.
 */
import { LIVE } from "./clock.js";
import { toX, toY, velocity } from "./geo.js";

/** Seconds for which a position is carried forward, from when it fades, and after which an aircraft is forgotten. */
export const LONGEST_CARRIED = 60;
export const FORGOTTEN = 300;
/** Places of each aircraft's track that are kept without being asked for. */
const TRACK = 16;
/** Milliseconds between two of them. */
const TRACK_EVERY = 4000;

export const EMERGENCIES = ["", "7500", "7600", "7700"];
export const EMERGENCY_NAMES = ["", "Unlawful interference", "Radio failure", "Emergency"];

/** @typedef {Record<string, string | null>} Identity fields as in a target update */
/** @typedef {import("./snapshot.js").Positions} Positions */

const COLUMNS = /** @type {const} */ (["measured", "timestamp", "ingestion", "positionTime", "latitude", "longitude",
  "altitude", "speed", "verticalRate", "heading", "flags", "lastAltitude", "lastHeading", "identified"]);

/** Columns over all aircraft; an aircraft keeps its place until it is forgotten. NaN is no value. */
export class Fleet {
  constructor() {
    this.capacity = 0;
    this.size = 0;
    /** @type {Map<string, number>} */
    this.places = new Map();
    /** @type {string[]} */
    this.address = [];
    /** @type {(Identity | null)[]} */
    this.identity = [];
    this.measured = this.timestamp = this.ingestion = this.positionTime = new Float64Array(0);
    this.latitude = this.longitude = this.altitude = this.speed = this.verticalRate = new Float64Array(0);
    this.heading = this.flags = new Float64Array(0);
    /** One update in seven has no altitude, one in twenty no heading: the last known one is drawn. */
    this.lastAltitude = this.lastHeading = new Float64Array(0);
    /** Which window its identity is of, the newest one, and which part of that. */
    this.identified = new Float64Array(0);
    /** A ring of x, y, milliseconds after `trackOrigin`, and altitude for each aircraft. */
    this.track = new Float32Array(0);
    this.trackCount = new Uint16Array(0);
    this.trackOrigin = 0;
    /** The newest ingestion time of all, milliseconds since the epoch: what the feed's own clock shows. */
    this.newest = -Infinity;
    /** @type {Map<string, string>} texts that many aircraft have in common */
    this.texts = new Map();
  }

  /**
   * @param {Positions} block
   * @param {number} writtenAt milliseconds since the epoch: what is said to have been ingested long after that was not
   * @param {number} [latest] what was ingested after that is left out
   * @returns {number} the newest ingestion time of the block; -Infinity is none
   */
  add(block, writtenAt, latest = Infinity) {
    let newest = -Infinity;
    for (let row = 0; row < block.count; row++) {
      const measured = block.measured[row];
      const timestamp = measured + block.ahead[row];
      const ingestion = measured + block.delay[row];
      if (ingestion > latest) continue;
      const place = this.#place(block.address[row]);
      if (ingestion > newest && ingestion <= writtenAt + LIVE) newest = ingestion;
      const isNew = isNewer(measured, timestamp, ingestion, this.measured[place], this.timestamp[place], this.ingestion[place]);
      if (isNew) {
        this.measured[place] = measured;
        this.timestamp[place] = timestamp;
        this.ingestion[place] = ingestion;
        this.altitude[place] = block.altitude[row];
        this.speed[place] = block.speed[row];
        this.verticalRate[place] = block.verticalRate[row];
        this.heading[place] = block.heading[row];
        this.flags[place] = block.flags[row];
      }
      // An earlier window says what the newest update does not.
      const altitude = block.altitude[row];
      const heading = block.heading[row];
      if (altitude === altitude && (isNew || Number.isNaN(this.lastAltitude[place]))) this.lastAltitude[place] = altitude;
      if (heading === heading && (isNew || Number.isNaN(this.lastHeading[place]))) this.lastHeading[place] = heading;
      const positionTime = measured - block.age[row];
      if (positionTime > this.positionTime[place] || (positionTime === positionTime && !(this.positionTime[place] > 0))) {
        this.positionTime[place] = positionTime;
        this.latitude[place] = block.latitude[row];
        this.longitude[place] = block.longitude[row];
        this.#remember(place, positionTime, block.latitude[row], block.longitude[row], this.lastAltitude[place]);
      }
    }
    this.newest = Math.max(this.newest, newest);
    return newest;
  }

  /** @param {Positions} block of the past: only tracks are made of it */
  addPast(block) {
    for (let row = 0; row < block.count; row++) {
      const place = this.places.get(block.address[row]);
      const time = block.measured[row] - block.age[row];
      if (place !== undefined && time < this.positionTime[place])
        this.#remember(place, time, block.latitude[row], block.longitude[row], block.altitude[row]);
    }
  }

  /**
   * @param {{fields: string[], windowStart: number, part: number}} header
   * @param {(string | null)[][]} columns the first are addresses
   */
  identify({ fields, windowStart, part }, columns) {
    const order = windowStart + part; // a window has fewer parts than milliseconds
    columns[0].forEach((address, row) => {
      const place = this.places.get(/** @type {string} */ (address));
      if (place === undefined) return;
      const isOlder = order < this.identified[place];
      /** @type {Identity} */
      const identity = this.identity[place] ?? {};
      for (let i = 1; i < fields.length; i++) {
        const text = columns[i][row];
        // An update without a callsign does not take it away, and one before it only says what is not known.
        if (text !== null && !(isOlder && fields[i] in identity)) identity[fields[i]] = this.#shared(text);
      }
      this.identity[place] = identity;
      if (!isOlder) this.identified[place] = order;
    });
  }

  /** @param {number} now milliseconds of the feed's clock: aircraft not heard of for long are forgotten */
  forget(now) {
    for (let place = this.size - 1; place >= 0; place--)
      if (now - this.measured[place] > FORGOTTEN * 1000) this.#remove(place);
  }

  /** @param {number} newest the newest ingestion time of a recording that has begun again: what was long after it is gone */
  goBack(newest) {
    this.newest = newest;
    for (let place = this.size - 1; place >= 0; place--)
      if (this.ingestion[place] > newest + LIVE) this.#remove(place);
  }

  /**
   * @param {number} place
   * @param {number} now milliseconds of the feed's clock
   * @returns {[number, number]} where it is on the map by then, carried forward for a minute at most
   */
  position(place, now) {
    const [x, y, vx, vy, at] = this.anchor(place, now);
    const seconds = Math.max(0, Math.min(LONGEST_CARRIED, (now - at) / 1000));
    return [x + vx * seconds, y + vy * seconds];
  }

  /**
   * @param {number} place
   * @param {number} _now milliseconds of the feed's clock
   * @returns {[number, number, number, number, number]} x, y, what they change by in a second, and when it was there
   */
  anchor(place, _now) {
    const latitude = this.latitude[place];
    const speed = this.speed[place];
    const heading = this.lastHeading[place];
    const [vx, vy] = speed >= 0 && heading === heading ? velocity(latitude, speed, heading) : [0, 0];
    return [toX(this.longitude[place]), toY(latitude), vx, vy, this.positionTime[place]];
  }

  /** @param {number} place */
  emergency(place) {
    return (this.flags[place] >> 4) & 3;
  }

  /** @param {number} place @returns {boolean | null} */
  onGround(place) {
    const ground = this.flags[place] & 3;
    return ground === 0 ? null : ground === 2;
  }

  /** @param {number} place */
  source(place) {
    return ["", "terrestrial", "satellite", "other"][(this.flags[place] >> 2) & 3];
  }

  /**
   * @param {number} place
   * @returns {[number, number, number, number][]} x, y, milliseconds since the epoch, altitude; the oldest first
   */
  trackOf(place) {
    const count = this.trackCount[place];
    /** @type {[number, number, number, number][]} */
    const found = [];
    for (let i = Math.max(0, count - TRACK); i < count; i++) {
      const at = (place * TRACK + (i % TRACK)) * 4;
      const [x, y, t, altitude] = this.track.subarray(at, at + 4);
      found.push([x, y, t + this.trackOrigin, altitude]);
    }
    return found.sort((a, b) => a[2] - b[2]);
  }

  /**
   * @param {number} place
   * @param {number} time
   * @param {number} latitude
   * @param {number} longitude
   * @param {number} altitude
   */
  #remember(place, time, latitude, longitude, altitude) {
    this.trackOrigin ||= time;
    const count = this.trackCount[place];
    if (count) {
      const last = (place * TRACK + ((count - 1) % TRACK)) * 4;
      if (Math.abs(time - this.trackOrigin - this.track[last + 2]) < TRACK_EVERY) return;
    }
    this.track.set([toX(longitude), toY(latitude), time - this.trackOrigin, altitude], (place * TRACK + (count % TRACK)) * 4);
    // Past the ring's length only its remainder counts.
    this.trackCount[place] = count + 1 < 60000 ? count + 1 : count + 1 - TRACK * 2000;
  }

  /** @param {string} text */
  #shared(text) {
    const known = this.texts.get(text);
    if (known !== undefined) return known;
    if (this.texts.size < 20000) this.texts.set(text, text);
    return text;
  }

  /** @param {string} address */
  #place(address) {
    const known = this.places.get(address);
    if (known !== undefined) return known;
    if (this.size === this.capacity) this.#grow();
    const place = this.size++;
    this.places.set(address, place);
    this.address[place] = address;
    this.identity[place] = null;
    this.trackCount[place] = 0;
    for (const name of COLUMNS) this[name][place] = NaN;
    return place;
  }

  #grow() {
    this.capacity = Math.max(1024, this.capacity * 2);
    const grown = (/** @type {any} */ column, /** @type {number} */ width) => {
      const larger = new column.constructor(this.capacity * width);
      larger.set(column.subarray(0, this.size * width));
      return larger;
    };
    for (const name of COLUMNS) this[name] = grown(this[name], 1);
    this.trackCount = grown(this.trackCount, 1);
    this.track = grown(this.track, TRACK * 4);
  }

  /** @param {number} place the last aircraft takes it */
  #remove(place) {
    const last = --this.size;
    this.places.delete(this.address[place]);
    if (place !== last) {
      for (const name of COLUMNS) this[name][place] = this[name][last];
      this.trackCount[place] = this.trackCount[last];
      this.track.copyWithin(place * TRACK * 4, last * TRACK * 4, (last + 1) * TRACK * 4);
      this.address[place] = this.address[last];
      this.identity[place] = this.identity[last];
      this.places.set(this.address[place], place);
    }
    this.address.length = this.identity.length = last;
  }
}

/**
 * The rule of docs/design.md: what was measured later is newer, then the later timestamp, then the later ingestion.
 * @param {number} measured
 * @param {number} timestamp
 * @param {number} ingestion NaN comes before every other
 * @param {number} measured2
 * @param {number} timestamp2
 * @param {number} ingestion2
 */
export function isNewer(measured, timestamp, ingestion, measured2, timestamp2, ingestion2) {
  if (measured2 !== measured2 || measured !== measured2) return measured2 !== measured2 || measured > measured2;
  if (timestamp !== timestamp2) return timestamp > timestamp2;
  return ingestion2 !== ingestion2 ? ingestion === ingestion : ingestion > ingestion2;
}

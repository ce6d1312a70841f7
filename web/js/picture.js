/**
 * What is drawn of the aircraft, as numbers for the graphics processor: aircraft, labels, tracks, and the rows of the list.
 */
import { MOST_LATITUDE, toLatitude, toLongitude, toX, toY } from "./geo.js";

/** Numbers of an aircraft: x, y, their change in a second, seconds after the origin, heading (radians), altitude (feet), look. */
export const STRIDE = 8;
/** Numbers of a character: as the first five, then pixels right and down, character, look. */
export const GLYPH_STRIDE = 9;
/** Numbers of a piece of track: x, y, x, y, altitude, opacity. */
export const TRACK_STRIDE = 6;

/** What `look` is made of: a shape, and added to it how it is coloured. */
export const SHAPES = { jet: 0, heavy: 1, light: 2, helicopter: 3, dot: 4, ring: 5, airport: 6 };
export const COLOURS = { altitude: 0, ground: 8, emergency: 16, selected: 24, airport: 32, text: 40, quiet: 48 };

const GLYPH_WIDTH = 7;
const LABEL_HEIGHT = 12;
const MOST_LABELS = 400;
const MOST_TRACKED = 400;

/**
 * @typedef {object} View
 * @property {import("./objects.js").Box} box
 * @property {number} zoom log2 of how many times 256 pixels the world is wide
 * @property {number} x the centre
 * @property {number} y
 * @property {number} width CSS pixels
 * @property {number} height
 * @property {boolean} labels
 * @property {boolean} tracks
 */

const HEAVY = /^(A3[348]|A35|B74|B77|B78|MD11|A124|C17|C5M|IL96)/;
const LIGHT = /^(C1[1-9]|C20|C21|P28|PA|SR2|DA[2-4]|DV2|BE[1-3]|C42|PC12|DR4|RV)/;
const HELICOPTER = /^(EC|AS3|AS5|H1[2-6]|H60|A139|A169|B06|B407|B412|R22|R44|R66|S76|S92|UH)/;

/** @param {string | null | undefined} type @returns {number} */
export function shapeOf(type) {
  if (!type) return SHAPES.jet;
  if (HEAVY.test(type)) return SHAPES.heavy;
  if (HELICOPTER.test(type)) return SHAPES.helicopter;
  return LIGHT.test(type) ? SHAPES.light : SHAPES.jet;
}

/**
 * @typedef {import("./fleet.js").Fleet} Fleet
 * @param {Fleet} fleet
 * @param {((place: number) => boolean) | null} matches
 * @param {number} now the feed's clock
 * @param {number} origin milliseconds since the epoch
 * @param {string | null} selected
 * @returns {Float32Array<ArrayBuffer>}
 */
export function instances(fleet, matches, now, origin, selected) {
  const marks = [];
  const data = new Float32Array((fleet.size + 256) * STRIDE);
  let at = 0;
  for (let place = 0; place < fleet.size; place++) {
    if (!(fleet.positionTime[place] > 0)) continue;
    const isSelected = fleet.address[place] === selected;
    if (matches && !isSelected && !matches(place)) continue;
    const [x, y, vx, vy, time] = fleet.anchor(place, now);
    const seconds = (time - origin) / 1000;
    const emergency = fleet.emergency(place);
    const isGround = fleet.onGround(place) === true;
    let look = shapeOf(fleet.identity[place]?.aircraft_type_icao);
    const heading = fleet.lastHeading[place];
    const altitude = fleet.lastAltitude[place];
    if (heading !== heading) look = SHAPES.dot;
    look += emergency ? COLOURS.emergency : isGround || altitude !== altitude ? COLOURS.ground : COLOURS.altitude;
    data.set([x, y, vx, vy, seconds, ((heading || 0) * Math.PI) / 180, altitude || 0, look], at);
    at += STRIDE;
    if ((isSelected || emergency) && marks.length < 256)
      marks.push([x, y, vx, vy, seconds, 0, 0, SHAPES.ring + (emergency ? COLOURS.emergency : COLOURS.selected)]);
  }
  for (const mark of marks) {
    data.set(mark, at);
    at += STRIDE;
  }
  return data.slice(0, at);
}

/** Which pixels have a label already, in cells of a label's height. */
class Taken {
  constructor() {
    /** @type {Set<number>} */
    this.cells = new Set();
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} lines
   * @returns {boolean} whether it was free, and is taken now
   */
  take(x, y, width, lines) {
    const cells = [];
    for (let column = Math.floor(x / 24); column <= Math.floor((x + width) / 24); column++)
      for (let row = Math.floor(y / LABEL_HEIGHT); row <= Math.floor((y + lines * LABEL_HEIGHT - 1) / LABEL_HEIGHT); row++)
        cells.push(column * 100003 + row);
    if (cells.some((cell) => this.cells.has(cell))) return false;
    for (const cell of cells) this.cells.add(cell);
    return true;
  }
}

/**
 * @typedef {{icao: string[], iata: string[], city: string[], latitude: number[], longitude: number[]}} Airports
 * @param {Fleet} fleet
 * @param {number[]} places those in view, the most important first
 * @param {View} view
 * @param {number} now the feed's clock
 * @param {number} origin
 * @param {Airports | null} airports
 * @param {string | null} selected
 * @returns {{glyphs: Float32Array<ArrayBuffer>, airports: Float32Array<ArrayBuffer>}}
 */
export function labels(fleet, places, view, now, origin, airports, selected) {
  const scale = 256 * 2 ** view.zoom;
  /** @type {number[]} */
  const glyphs = [];
  const taken = new Taken();
  const write = (/** @type {string} */ text, /** @type {number[]} */ anchor, /** @type {number} */ right, /** @type {number} */ down, /** @type {number} */ look) => {
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 32 && code < 127) glyphs.push(...anchor, right + i * GLYPH_WIDTH, down, code - 32, look);
    }
  };
  const toPixels = (/** @type {number} */ x, /** @type {number} */ y) =>
    [(((x - view.x + 1.5) % 1) - 0.5) * scale + view.width / 2, (y - view.y) * scale + view.height / 2];
  let shown = 0;
  const lines = view.zoom >= 7.5 ? 2 : 1;
  if (view.labels)
    for (const place of places) {
      if (shown >= MOST_LABELS) break;
      const isImportant = fleet.address[place] === selected || fleet.emergency(place) > 0;
      if (view.zoom < 5 && !isImportant) continue;
      const identity = fleet.identity[place];
      const name = identity?.callsign || identity?.tail_number || fleet.address[place];
      const [x, y] = toPixels(...fleet.position(place, now));
      if (!taken.take(x + 10, y - 6, name.length * GLYPH_WIDTH, lines) && !isImportant) continue;
      const [ax, ay, vx, vy, time] = fleet.anchor(place, now);
      const anchor = [ax, ay, vx, vy, (time - origin) / 1000];
      write(name.slice(0, 10), anchor, 12, lines === 2 ? -6 : 0, fleet.emergency(place) ? COLOURS.emergency : COLOURS.text);
      if (lines === 2) write(second(fleet, place, now), anchor, 12, 6, COLOURS.quiet);
      shown++;
    }
  const symbols = [];
  if (airports && view.zoom >= 3.6) {
    const [south, west, north, east] = view.box;
    for (let i = 0; i < airports.icao.length; i++) {
      const latitude = airports.latitude[i] / 1000;
      const longitude = airports.longitude[i] / 1000;
      const isIn = west <= east ? longitude >= west && longitude <= east : longitude >= west || longitude <= east;
      if (!isIn || latitude < south || latitude > north) continue;
      const anchor = [toX(longitude), toY(latitude), 0, 0, 0];
      symbols.push(...anchor, 0, 0, SHAPES.airport + COLOURS.airport);
      const [x, y] = toPixels(anchor[0], anchor[1]);
      const text = view.zoom >= 6 ? airports.icao[i] : airports.iata[i];
      if (view.zoom >= 4.6 && taken.take(x - (text.length * GLYPH_WIDTH) / 2, y + 6, text.length * GLYPH_WIDTH, 1))
        write(text, anchor, (-text.length * GLYPH_WIDTH) / 2 + GLYPH_WIDTH / 2, 13, COLOURS.airport);
    }
  }
  return { glyphs: Float32Array.from(glyphs), airports: Float32Array.from(symbols) };
}

/**
 * @param {Fleet} fleet
 * @param {number} place
 * @param {number} now
 * @returns {string} a label's second line: level and speed, or how old the position is
 */
function second(fleet, place, now) {
  const age = Math.round((now - fleet.positionTime[place]) / 1000);
  const altitude = fleet.lastAltitude[place];
  const rate = fleet.verticalRate[place];
  const way = rate > 250 ? "^" : rate < -250 ? "_" : " ";
  if (age >= 25) return age < 6000 ? `${age}s ago` : "old";
  const level = fleet.onGround(place) ? "GND" : altitude === altitude ? String(Math.round(altitude / 100)).padStart(3, "0") : "---";
  return fleet.speed[place] >= 0 ? `${level}${way}${Math.round(fleet.speed[place])}` : level;
}

/**
 * @param {Fleet} fleet
 * @param {number[]} places
 * @param {View} view
 * @param {[number, number, number, number][]} whole the selected aircraft's whole track
 * @param {string | null} selected
 * @param {number} now
 * @returns {Float32Array<ArrayBuffer>}
 */
export function tracks(fleet, places, view, whole, selected, now) {
  /** @type {number[]} */
  const pieces = [];
  const add = (/** @type {[number, number, number, number][]} */ points, /** @type {number} */ opacity) => {
    for (let i = 1; i < points.length; i++) {
      const [x0, y0, t0] = points[i - 1];
      const [x1, y1, t1, altitude] = points[i];
      // Across 180 degrees, or over a time in which nobody saw it, nothing is drawn.
      if (Math.abs(x1 - x0) > 0.5 || t1 - t0 > 600000) continue;
      pieces.push(x0, y0, x1, y1, altitude || 0, opacity);
    }
  };
  const place = selected === null ? undefined : fleet.places.get(selected);
  if (place !== undefined) {
    // The fleet has the last places, with holes where nobody looked, and a window has none before it has closed.
    const points = [...whole, ...fleet.trackOf(place)].filter((point) => point[2] < now).sort((a, b) => a[2] - b[2]);
    const [x, y] = fleet.position(place, now);
    points.push([x, y, now, fleet.lastAltitude[place]]);
    add(points, 1);
  }
  if (view.tracks && places.length <= MOST_TRACKED)
    for (const other of places) if (other !== place) add(fleet.trackOf(other), 0.45);
  return Float32Array.from(pieces);
}

/**
 * @param {Fleet} fleet
 * @param {View} view
 * @param {((place: number) => boolean) | null} matches
 * @param {number} now
 * @returns {number[]} the aircraft in view that match
 */
export function inView(fleet, view, matches, now) {
  const scale = 256 * 2 ** view.zoom;
  const halfWidth = view.width / 2 / scale;
  const halfHeight = view.height / 2 / scale;
  const found = [];
  for (let place = 0; place < fleet.size; place++) {
    if (!(fleet.positionTime[place] > 0) || (matches && !matches(place))) continue;
    const [x, y] = fleet.position(place, now);
    const dx = ((((x - view.x) % 1) + 1.5) % 1) - 0.5;
    if (Math.abs(dx) <= halfWidth && Math.abs(y - view.y) <= halfHeight) found.push(place);
  }
  return found;
}

/**
 * @param {Fleet} fleet
 * @param {number} place
 * @param {number} now
 */
export function row(fleet, place, now) {
  const identity = fleet.identity[place];
  const value = (/** @type {number} */ number) => (number === number ? number : null);
  return {
    address: fleet.address[place],
    name: identity?.callsign || identity?.tail_number || fleet.address[place],
    type: identity?.aircraft_type_icao ?? "",
    altitude: value(fleet.altitude[place]),
    speed: value(fleet.speed[place]),
    verticalRate: value(fleet.verticalRate[place]),
    onGround: fleet.onGround(place),
    route: identity?.departure_airport_icao || identity?.arrival_airport_icao
      ? `${identity.departure_airport_icao ?? "?"}–${identity.arrival_airport_icao ?? "?"}` : "",
    emergency: fleet.emergency(place),
    age: Math.max(0, (now - fleet.positionTime[place]) / 1000),
  };
}
/** @typedef {ReturnType<typeof row>} Row */

/**
 * @param {Fleet} fleet
 * @param {number} place
 * @param {number} now
 */
export function details(fleet, place, now) {
  const [x, y] = fleet.position(place, now);
  const reported = fleet.latitude[place];
  const value = (/** @type {number} */ number) => (number === number ? number : null);
  return {
    ...row(fleet, place, now),
    identity: { ...fleet.identity[place] },
    heading: value(fleet.heading[place]),
    source: fleet.source(place),
    latitude: Math.abs(reported) > MOST_LATITUDE ? reported : toLatitude(y), // beyond it there is no map
    longitude: toLongitude(x),
    positionTime: value(fleet.positionTime[place]),
    measured: value(fleet.measured[place]),
    ingestion: value(fleet.ingestion[place]),
  };
}
/** @typedef {ReturnType<typeof details>} Details */

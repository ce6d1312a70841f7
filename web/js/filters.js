/**
 * Which aircraft are shown, and the page's address, which shows the same again.
 */
import { EMERGENCIES } from "./fleet.js";
import { toLatitude, toLongitude, toX, toY } from "./geo.js";

/**
 * @typedef {object} Filters a filter that is absent lets everything pass
 * @property {number} [minAltitude] feet
 * @property {number} [maxAltitude]
 * @property {string} [callsign] its beginning, a registration's or an address's; several with commas
 * @property {string} [airline] IATA codes, or the beginnings of ICAO callsigns
 * @property {string} [type] the beginning of an ICAO type
 * @property {string} [squawk]
 * @property {string} [source] terrestrial or satellite
 * @property {string} [ground] yes or no
 * @property {import("./objects.js").Box} [area] south, west, north, east
 */

const TEXTS = /** @type {const} */ (["callsign", "airline", "type", "squawk", "source", "ground"]);
const NUMBERS = /** @type {const} */ ({ min: "minAltitude", max: "maxAltitude" });

/**
 * @param {URLSearchParams} parameters
 * @returns {Filters}
 */
export function fromParameters(parameters) {
  /** @type {Filters} */
  const filters = {};
  for (const name of TEXTS) {
    const text = parameters.get(name)?.trim().toUpperCase().slice(0, 100);
    if (text) filters[name] = name === "source" || name === "ground" ? text.toLowerCase() : text;
  }
  for (const [name, field] of /** @type {["min" | "max", "minAltitude" | "maxAltitude"][]} */ (Object.entries(NUMBERS))) {
    const text = parameters.get(name);
    if (text && Number.isFinite(Number(text))) filters[field] = Number(text);
  }
  const area = parameters.get("area")?.split(",").map(Number);
  if (area?.length === 4 && area.every(Number.isFinite)) filters.area = /** @type {import("./objects.js").Box} */ (area);
  return filters;
}

/**
 * @param {Filters} filters
 * @param {URLSearchParams} parameters
 */
export function toParameters(filters, parameters) {
  for (const name of TEXTS) if (filters[name]) parameters.set(name, /** @type {string} */ (filters[name]));
  if (filters.minAltitude !== undefined) parameters.set("min", String(filters.minAltitude));
  if (filters.maxAltitude !== undefined) parameters.set("max", String(filters.maxAltitude));
  if (filters.area) parameters.set("area", filters.area.map((edge) => edge.toFixed(2)).join(","));
}

/**
 * @param {string | null | undefined} text
 * @param {string[]} beginnings
 */
const begins = (text, beginnings) => !!text && beginnings.some((one) => text.toUpperCase().startsWith(one));

/**
 * @param {Filters} filters
 * @param {import("./fleet.js").Fleet} fleet
 * @returns {((place: number) => boolean) | null} null if everything passes
 */
export function matcher(filters, fleet) {
  /** @type {((place: number) => boolean)[]} */
  const tests = [];
  const list = (/** @type {string | undefined} */ text) =>
    (text ?? "").split(",").map((one) => one.trim()).filter(Boolean);
  const { minAltitude, maxAltitude, area } = filters;
  if (minAltitude !== undefined) tests.push((place) => fleet.lastAltitude[place] >= minAltitude);
  if (maxAltitude !== undefined) tests.push((place) => fleet.lastAltitude[place] <= maxAltitude);
  const names = list(filters.callsign);
  if (names.length)
    tests.push((place) => {
      const identity = fleet.identity[place];
      return begins(fleet.address[place], names) || begins(identity?.callsign, names)
        || begins(identity?.tail_number, names) || begins(identity?.flight_number, names);
    });
  const airlines = list(filters.airline);
  if (airlines.length)
    tests.push((place) => {
      const identity = fleet.identity[place];
      return airlines.some((one) => identity?.airline_iata === one || (one.length === 3 && begins(identity?.callsign, [one])));
    });
  const types = list(filters.type);
  if (types.length) tests.push((place) => begins(fleet.identity[place]?.aircraft_type_icao, types));
  const squawks = list(filters.squawk);
  if (squawks.length)
    tests.push((place) => {
      const emergency = EMERGENCIES[fleet.emergency(place)];
      return squawks.includes(emergency) || begins(fleet.identity[place]?.squawk, squawks);
    });
  if (filters.source) tests.push((place) => fleet.source(place) === filters.source);
  if (filters.ground) tests.push((place) => fleet.onGround(place) === (filters.ground === "yes"));
  if (area)
    tests.push((place) => {
      const latitude = fleet.latitude[place];
      const longitude = fleet.longitude[place];
      const isBetween = area[1] <= area[3]
        ? longitude >= area[1] && longitude <= area[3] : longitude >= area[1] || longitude <= area[3];
      return latitude >= area[0] && latitude <= area[2] && isBetween;
    });
  return tests.length ? (place) => tests.every((test) => test(place)) : null;
}

/** @typedef {ReturnType<typeof readLink>} Link with the selected aircraft and the background's address, if any */

/** @param {string} hash of the page's address, with its `#` */
export function readLink(hash) {
  const from = new URLSearchParams(hash.slice(1));
  const [latitude, longitude, zoom] = (from.get("at") ?? "").split(",").map(Number);
  const isPlace = from.has("at") && [latitude, longitude, zoom].every(Number.isFinite);
  return {
    at: isPlace ? { x: toX(longitude), y: toY(latitude), zoom } : null,
    filters: fromParameters(from),
    selected: from.get("aircraft"),
    hasTrails: from.get("trails") === "1",
    tiles: from.get("tiles") ?? "",
  };
}

/** @param {Link & {at: {}}} link @returns {string} with its `#` */
export function writeLink({ at, filters, selected, hasTrails, tiles }) {
  const written = new URLSearchParams();
  written.set("at", `${toLatitude(at.y).toFixed(3)},${toLongitude(at.x).toFixed(3)},${at.zoom.toFixed(2)}`);
  toParameters(filters, written);
  if (selected) written.set("aircraft", selected);
  if (hasTrails) written.set("trails", "1");
  if (tiles) written.set("tiles", tiles);
  return `#${written.toString().replaceAll("%2C", ",")}`;
}

/**
 * Searches the aircraft: by name, by place, and in the order of the list.
 */
import { toX, toY } from "./geo.js";
import { row } from "./picture.js";

/** @typedef {import("./fleet.js").Fleet} Fleet */

/**
 * @param {Fleet} all
 * @param {{key: string, descending: boolean}} sorting
 * @returns {(a: number, b: number) => number}
 */
export function sorter(all, sorting) {
  const sign = sorting.descending ? -1 : 1;
  const { altitude, speed, positionTime: age } = all;
  const column = /** @type {Record<string, Float64Array>} */ ({ altitude, speed, age })[sorting.key];
  if (column) {
    // The oldest position is the one with the greatest age.
    const way = sorting.key === "age" ? -sign : sign;
    return (a, b) => {
      const x = column[a];
      const y = column[b];
      if (x !== x || y !== y) return x === x ? -1 : y === y ? 1 : 0;
      return (x - y) * way || (all.address[a] < all.address[b] ? -1 : 1);
    };
  }
  const text = (/** @type {number} */ place) => {
    const identity = all.identity[place];
    if (sorting.key === "type") return identity?.aircraft_type_icao;
    if (sorting.key === "route") return identity?.departure_airport_icao;
    return identity?.callsign || identity?.tail_number || all.address[place];
  };
  return (a, b) => {
    const x = text(a);
    const y = text(b);
    if (!x || !y) return x ? -1 : y ? 1 : 0;
    return sign * (x < y ? -1 : x > y ? 1 : 0);
  };
}

/**
 * @param {number} count
 * @param {(place: number) => (string | null | undefined)[]} names of each
 * @param {string} wanted in capitals
 * @param {number} most
 * @returns {number[]} the first places with a name that begins so; those that have it as a whole name come before
 */
function begin(count, names, wanted, most) {
  /** @type {number[]} */
  const whole = [];
  /** @type {number[]} */
  const longer = [];
  for (let place = 0; place < count && whole.length < most; place++) {
    const all = names(place).map((name) => name?.toUpperCase());
    if (all.includes(wanted)) whole.push(place);
    else if (longer.length < most && all.some((name) => name?.startsWith(wanted))) longer.push(place);
  }
  return [...whole, ...longer].slice(0, most);
}

/**
 * @param {Fleet} all
 * @param {import("./picture.js").Airports | null} airports
 * @param {string} text the beginning of a name
 * @param {number} now
 */
export function search(all, airports, text, now) {
  const wanted = text.trim().toUpperCase();
  const known = (/** @type {number} */ place) => {
    if (!(all.positionTime[place] > 0)) return [];
    const identity = all.identity[place];
    return [all.address[place], identity?.callsign, identity?.tail_number, identity?.flight_number];
  };
  const found = begin(wanted ? all.size : 0, known, wanted, 8).map((place) => {
    const [x, y] = all.position(place, now);
    return { ...row(all, place, now), x, y };
  });
  const { icao, iata, city, latitude, longitude } = airports ?? { icao: [], iata: [], city: [], latitude: [], longitude: [] };
  const places = begin(wanted.length > 1 ? icao.length : 0, (i) => [icao[i], iata[i], city[i]], wanted, 4).map((i) => (
    { name: `${iata[i]} · ${icao[i]}`, city: city[i], x: toX(longitude[i] / 1000), y: toY(latitude[i] / 1000) }));
  return { aircraft: found, airports: places };
}

/**
 * @param {Fleet} all
 * @param {((place: number) => boolean) | null} matches
 * @param {{x: number, y: number, reach: number}} where on the map
 * @param {number} now
 * @returns {string | null} the address of the nearest aircraft within reach
 */
export function nearest(all, matches, { x, y, reach }, now) {
  let best = null;
  let least = reach;
  for (let place = 0; place < all.size; place++) {
    if (!(all.positionTime[place] > 0) || (matches && !matches(place))) continue;
    const [px, py] = all.position(place, now);
    const far = Math.hypot((((px - x + 1.5) % 1) - 0.5), py - y);
    if (far < least) {
      least = far;
      best = all.address[place];
    }
  }
  return best;
}

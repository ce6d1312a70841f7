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
    if (sorting.key === "type") return identity?.aircraft_type_icao ?? "~";
    if (sorting.key === "route") return identity?.departure_airport_icao ?? "~";
    return identity?.callsign || identity?.tail_number || all.address[place];
  };
  return (a, b) => sign * (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0);
}

/**
 * @param {Fleet} all
 * @param {import("./picture.js").Airports | null} airports
 * @param {string} text the beginning of a name
 * @param {number} now
 */
export function search(all, airports, text, now) {
  const wanted = text.trim().toUpperCase();
  const found = [];
  if (wanted)
    for (let place = 0; place < all.size && found.length < 8; place++) {
      const identity = all.identity[place];
      const names = [all.address[place], identity?.callsign, identity?.tail_number, identity?.flight_number];
      if (!names.some((name) => name?.toUpperCase().startsWith(wanted))) continue;
      if (!(all.positionTime[place] > 0)) continue;
      const [x, y] = all.position(place, now);
      found.push({ ...row(all, place, now), x, y });
    }
  /** @type {{name: string, city: string, x: number, y: number}[]} */
  const places = [];
  if (wanted.length > 1 && airports)
    for (let i = 0; i < airports.icao.length && places.length < 4; i++) {
      const names = [airports.icao[i], airports.iata[i], airports.city[i].toUpperCase()];
      if (names.some((name) => name.startsWith(wanted)))
        places.push({ name: `${airports.iata[i]} · ${airports.icao[i]}`, city: airports.city[i], x: toX(airports.longitude[i] / 1000), y: toY(airports.latitude[i] / 1000) });
    }
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

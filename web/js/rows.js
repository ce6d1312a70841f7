/**
 * One aircraft as the list and the panel show it.
 * @module
 */
import { toLatitude, toLongitude } from "./geo.js";

/** @typedef {import("./fleet.js").Fleet} Fleet */

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
  const value = (/** @type {number} */ number) => (number === number ? number : null);
  return {
    ...row(fleet, place, now),
    identity: { ...fleet.identity[place] },
    heading: value(fleet.heading[place]),
    source: fleet.source(place),
    latitude: toLatitude(y),
    longitude: toLongitude(x),
    reported: { latitude: value(fleet.latitude[place]), longitude: value(fleet.longitude[place]) },
    positionTime: value(fleet.positionTime[place]),
    measured: value(fleet.measured[place]),
    ingestion: value(fleet.ingestion[place]),
  };
}
/** @typedef {ReturnType<typeof details>} Details */

/**
 * What the page's address holds, so that a link shows the same again.
 * @module
 */
import { fromParameters, toParameters } from "./filters.js";
import { toLatitude, toLongitude, toX, toY } from "./geo.js";

/**
 * @typedef {object} Link
 * @property {{x: number, y: number, zoom: number} | null} at where the map is looked at
 * @property {import("./filters.js").Filters} filters
 * @property {string | null} selected the address of an aircraft
 * @property {boolean} hasTrails
 * @property {string} tiles the background's address; empty is none
 */

/** @param {string} hash of the page's address, with its `#` @returns {Link} */
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

/** @param {Link & {at: {x: number, y: number, zoom: number}}} link @returns {string} with its `#` */
export function writeLink({ at, filters, selected, hasTrails, tiles }) {
  const written = new URLSearchParams();
  written.set("at", `${toLatitude(at.y).toFixed(3)},${toLongitude(at.x).toFixed(3)},${at.zoom.toFixed(2)}`);
  toParameters(filters, written);
  if (selected) written.set("aircraft", selected);
  if (hasTrails) written.set("trails", "1");
  if (tiles) written.set("tiles", tiles);
  return `#${written.toString().replaceAll("%2C", ",")}`;
}

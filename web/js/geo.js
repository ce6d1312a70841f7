/**
 * Positions on the map: Web Mercator, of which the whole world is the square from 0 to 1.
 * @module
 */

/** Metres around the equator, and in a nautical mile. */
const EQUATOR = 40075016.7;
const NAUTICAL_MILE = 1852;
const MOST_LATITUDE = 85.0511;

/** @param {number} longitude degrees */
export const toX = (longitude) => longitude / 360 + 0.5;
/** @param {number} latitude degrees */
export const toY = (latitude) => {
  const sine = Math.sin((Math.max(-MOST_LATITUDE, Math.min(MOST_LATITUDE, latitude)) * Math.PI) / 180);
  return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
};
/** @param {number} x */
export const toLongitude = (x) => ((((x % 1) + 1) % 1) - 0.5) * 360;
/** @param {number} y */
export const toLatitude = (y) => (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI;

/**
 * @param {number} latitude degrees
 * @param {number} speed knots
 * @param {number} heading degrees from north
 * @returns {[number, number]} how far an aircraft gets on the map in a second
 */
export function velocity(latitude, speed, heading) {
  const perSecond = (speed * NAUTICAL_MILE) / 3600 / EQUATOR / Math.max(0.01, Math.cos((latitude * Math.PI) / 180));
  const angle = (heading * Math.PI) / 180;
  return [perSecond * Math.sin(angle), -perSecond * Math.cos(angle)];
}

/**
 * @param {number} latitude1
 * @param {number} longitude1
 * @param {number} latitude2
 * @param {number} longitude2
 * @returns {number} nautical miles along the great circle
 */
export function distance(latitude1, longitude1, latitude2, longitude2) {
  const r = Math.PI / 180;
  const a = Math.sin(((latitude2 - latitude1) * r) / 2) ** 2
    + Math.cos(latitude1 * r) * Math.cos(latitude2 * r) * Math.sin(((longitude2 - longitude1) * r) / 2) ** 2;
  return (2 * Math.asin(Math.min(1, Math.sqrt(a))) * EQUATOR) / (2 * Math.PI) / NAUTICAL_MILE;
}

/**
 * @param {Float32Array} points x and y first, and then what else a point has; eight numbers each
 * @returns {[number, number, number, number]} left, top, right, bottom
 */
export function bounds(points) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < points.length; i += 8) {
    left = Math.min(left, points[i]);
    right = Math.max(right, points[i]);
    top = Math.min(top, points[i + 1]);
    bottom = Math.max(bottom, points[i + 1]);
  }
  return [left, top, right, bottom];
}

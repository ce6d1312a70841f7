/**
 * Positions on the map: Web Mercator, of which the whole world is the square from 0 to 1, and the shapes of land.
 */

/** Metres around the equator, and in a nautical mile. */
const EQUATOR = 40075016.7;
const NAUTICAL_MILE = 1852;
/** Degrees at the map's edge. */
export const MOST_LATITUDE = 85.0511;
const CELL = 8;

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
 * @typedef {object} World what is drawn of land
 * @property {Float32Array} corners of the triangles: x, y
 * @property {Uint32Array} triangles places among the corners; what is in an odd number of them is land
 * @property {Float32Array} coasts pairs of points
 * @property {Float32Array} borders pairs of points
 */

/**
 * @param {Uint8Array} bytes of `data/world.bin`, inflated
 * @returns {World}
 */
export function readWorld(bytes) {
  let at = 0;
  const number = () => {
    let value = 0;
    let scale = 1;
    let byte;
    do {
      byte = bytes[at++];
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte & 128);
    return value % 2 ? -(value + 1) / 2 : value / 2;
  };
  const lines = () => {
    const sizes = Array.from({ length: number() }, number);
    const read = sizes.map((size) => new Float64Array(2 * size));
    for (const axis of [0, 1])
      for (const line of read) for (let i = axis, last = 0; i < line.length; i += 2) line[i] = (last += number()) / 100;
    return read;
  };
  const rings = lines();
  const borders = lines();
  /** @type {number[]} */
  const corners = [];
  /** @type {number[]} */
  const triangles = [];
  for (const ring of rings) fill(Array.from(ring), corners, triangles);
  return {
    corners: Float32Array.from(corners),
    triangles: Uint32Array.from(triangles),
    coasts: pairs(rings, true),
    borders: pairs(borders, false),
  };
}

/**
 * Cuts a ring into cells and adds each cell's fan of triangles: small ones, so that little is drawn twice.
 * @param {number[]} ring longitudes and latitudes
 * @param {number[]} corners
 * @param {number[]} triangles
 */
function fill(ring, corners, triangles) {
  if (ring.length < 6) return;
  const low = [Infinity, Infinity];
  const high = [-Infinity, -Infinity];
  for (let i = 0; i < ring.length; i++) {
    low[i & 1] = Math.min(low[i & 1], ring[i]);
    high[i & 1] = Math.max(high[i & 1], ring[i]);
  }
  const axis = high[0] - low[0] > high[1] - low[1] ? 0 : 1;
  if (high[axis] - low[axis] > CELL) {
    const middle = Math.round((low[axis] + high[axis]) / 2 / CELL) * CELL || 0;
    const edge = middle > low[axis] && middle < high[axis] ? middle : (low[axis] + high[axis]) / 2;
    fill(half(ring, axis, edge, 1), corners, triangles);
    fill(half(ring, axis, edge, -1), corners, triangles);
    return;
  }
  const first = corners.length / 2;
  for (let i = 0; i < ring.length; i += 2) {
    corners.push(toX(ring[i]), toY(ring[i + 1]));
    const corner = first + i / 2;
    if (i >= 4) triangles.push(first, corner - 1, corner);
  }
}

/**
 * @param {number[]} ring
 * @param {number} axis
 * @param {number} edge
 * @param {number} side 1 below the edge, -1 above it
 * @returns {number[]} the part of the ring on one side (Sutherland and Hodgman, 1974)
 */
function half(ring, axis, edge, side) {
  /** @type {number[]} */
  const kept = [];
  const other = 1 - axis;
  for (let i = 0; i < ring.length; i += 2) {
    const j = i + 2 < ring.length ? i + 2 : 0;
    const a = ring[i + axis];
    const b = ring[j + axis];
    const isIn = side * (edge - a) >= 0;
    if (isIn) kept.push(ring[i], ring[i + 1]);
    if (isIn !== side * (edge - b) >= 0) {
      const across = ring[i + other] + ((ring[j + other] - ring[i + other]) * (edge - a)) / (b - a);
      if (axis === 0) kept.push(edge, across);
      else kept.push(across, edge);
    }
  }
  return kept;
}

/**
 * @param {Float64Array[]} lines
 * @param {boolean} close
 * @returns {Float32Array} the ends of each piece; the map's own edge is left out
 */
function pairs(lines, close) {
  /** @type {number[]} */
  const points = [];
  for (const line of lines)
    for (let i = 0; i < line.length; i += 2) {
      const j = i + 2 < line.length ? i + 2 : 0;
      const isEdge = line[i + 1] < -84.9 && line[j + 1] < -84.9;
      if ((j || close) && !isEdge) points.push(toX(line[i]), toY(line[i + 1]), toX(line[j]), toY(line[j + 1]));
    }
  return Float32Array.from(points);
}

/**
 * @param {Float32Array} points x and y first, and then what else a point has; eight numbers each
 * @param {number} edge at which the world is cut open: left is not less, and right at most one more
 * @returns {[number, number, number, number]} left, top, right, bottom
 */
export function bounds(points, edge) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < points.length; i += 8) {
    const x = edge + ((points[i] - edge + 1) % 1);
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, points[i + 1]);
    bottom = Math.max(bottom, points[i + 1]);
  }
  return [left, top, right, bottom];
}

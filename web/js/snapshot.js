/**
 * Reads snapshots (docs/design.md, Live objects): the header, and the blocks one by one.
 */

/** What is thrown when an object is damaged, cut short, or not a snapshot. */
export class SnapshotError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "SnapshotError";
  }
}

export const POSITIONS = 1;
export const IDENTITIES = 2;
export const COLUMNS = /** @type {const} */ ([
  "address", "measured", "ahead", "delay", "age", "latitude", "longitude",
  "altitude", "speed", "verticalRate", "heading", "flags",
]);
const PREFIX = 20;
const TEXT_ADDRESS = 2 ** 24;
const MAX_HEADER = 2 ** 20;
const MAX_BLOCKS = 2 ** 12;
const MAX_IN_BLOCK = 2 ** 12;
const MAX_AIRCRAFT = 2 ** 17;
const MAX_IDENTITY_BLOCK = 2 ** 23;
const MAX_FIELDS = 64;

/**
 * @typedef {object} Block where a block lies (bytes from the object's start) and what it covers (degrees)
 * @property {number} aircraft
 * @property {number} start
 * @property {number} size
 * @property {number} crc32
 * @property {[number, number, number, number] | null} box south, west, north, east
 */
/**
 * @typedef {object} Header
 * @property {number} kind
 * @property {string} shard
 * @property {number} windowStart milliseconds since the epoch
 * @property {number} windowEnd
 * @property {number} writtenAt
 * @property {number} part
 * @property {string} sequence
 * @property {boolean} closed
 * @property {string | null} identity
 * @property {[number, number, number, number][]} columns base, step, bytes, how many of these are rough
 * @property {string[]} addresses
 * @property {string[]} fields
 * @property {Block[]} blocks
 * @property {number} end where the last block ends
 */
/**
 * @typedef {{count: number, address: string[]} & Record<Exclude<typeof COLUMNS[number], "address">, Float64Array>} Positions
 *   NaN is no value; units as in docs/design.md, but latitude, longitude and heading in degrees
 */

/** @type {Uint32Array | undefined} */
let crcTable;

/**
 * @param {Uint8Array} bytes
 * @returns {number} their CRC-32
 */
export function crc32(bytes) {
  crcTable ??= Uint32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c;
  });
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = crcTable[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return (crc ^ -1) >>> 0;
}

/**
 * @param {Uint8Array} bytes a raw deflate stream
 * @param {number} most bytes it may hold
 * @param {string} what for the error
 * @returns {Promise<Uint8Array>}
 */
async function inflate(bytes, most, what) {
  const stream = new DecompressionStream("deflate-raw");
  const writer = stream.writable.getWriter();
  // Failures reach the reader below, too: these promises only must not go unhandled.
  writer.write(/** @type {Uint8Array<ArrayBuffer>} */ (bytes)).catch(() => {});
  writer.close().catch(() => {});
  const reader = stream.readable.getReader();
  /** @type {Uint8Array[]} */
  const chunks = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
      if (size > most) {
        reader.cancel().catch(() => {});
        throw new SnapshotError(`${what}: more than ${most} bytes when inflated`);
      }
      chunks.push(value);
    }
  } catch (error) {
    if (error instanceof SnapshotError) throw error;
    throw new SnapshotError(`${what}: not a deflate stream (${error instanceof Error ? error.message : error})`);
  }
  if (chunks.length === 1) return chunks[0];
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/**
 * @param {Uint8Array} bytes
 * @param {string} what
 * @returns {any}
 */
function parse(bytes, what) {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new SnapshotError(`${what}: ${error instanceof Error ? error.message : error}`);
  }
}

/**
 * @param {unknown} condition
 * @param {() => string} message
 * @returns {asserts condition}
 */
function expect(condition, message) {
  if (!condition) throw new SnapshotError(message());
}

/** @param {unknown} value @returns {value is number} */
const isWhole = (value) => Number.isSafeInteger(value);
/** @param {unknown} value @returns {value is string[]} */
const areTexts = (value) => Array.isArray(value) && value.every((text) => typeof text === "string");

/**
 * @param {Uint8Array} bytes the object, or its beginning
 * @returns {number} how many bytes the header needs from the object's start
 */
export function headerSize(bytes) {
  expect(bytes.length >= PREFIX, () => `snapshot: ${bytes.length} bytes; expected at least ${PREFIX}`);
  expect(String.fromCharCode(...bytes.subarray(0, 4)) === "LIVE", () => "snapshot: does not begin with LIVE");
  expect(bytes[4] === 1, () => `snapshot: version ${bytes[4]}; this reader knows 1`);
  expect(bytes[6] + bytes[7] === 0, () => "snapshot: its reserved bytes are not 0");
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
  expect(size <= MAX_HEADER, () => `header: ${size} bytes; expected at most ${MAX_HEADER}`);
  return PREFIX + size;
}

/**
 * @param {Uint8Array} bytes the object, or its beginning up to the header's end at least
 * @param {number} kind POSITIONS or IDENTITIES
 * @returns {Promise<Header>}
 */
export async function readHeader(bytes, kind) {
  const start = headerSize(bytes);
  expect(bytes[5] === kind, () => `snapshot: kind ${bytes[5]}; expected ${kind}`);
  expect(bytes.length >= start, () => `header: ends at byte ${start} of ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const plain = view.getUint32(12, true);
  expect(crc32(bytes.subarray(PREFIX, start)) === view.getUint32(16, true), () => "header: damaged");
  expect(plain <= MAX_HEADER, () => `header: ${plain} bytes; expected at most ${MAX_HEADER}`);
  const text = await inflate(bytes.subarray(PREFIX, start), plain, "header");
  expect(text.length === plain, () => `header: ${text.length} bytes; expected ${plain}`);
  const h = parse(text, "header");
  expect(h !== null && typeof h === "object" && !Array.isArray(h), () => "header: not an object");
  const { shard, sequence, part = 0, closed = false, identity = null, columns = [], addresses = [], fields = [] } = h;
  for (const name of ["window_start", "window_end", "written_at"])
    expect(isWhole(h[name]), () => `header: ${name} is not a whole number`);
  expect(typeof shard === "string" && isWhole(part) && typeof closed === "boolean", () => "header: shard, part or closed");
  expect(typeof sequence === "string" && /^\d{1,128}$/.test(sequence), () => "header: sequence is not 1 to 128 digits");
  expect(identity === null || typeof identity === "string", () => "header: identity is not a text");
  expect(areTexts(addresses) && areTexts(fields), () => "header: addresses or fields are not texts");
  expect(Array.isArray(columns) && Array.isArray(h.blocks), () => "header: columns or blocks are not lists");
  expect(h.blocks.length <= MAX_BLOCKS, () => `header: ${h.blocks.length} blocks; expected at most ${MAX_BLOCKS}`);
  if (kind === POSITIONS) {
    expect(columns.length === COLUMNS.length, () => `header: ${columns.length} columns; expected ${COLUMNS.length}`);
    columns.forEach((c, i) => {
      const usable = Array.isArray(c) && c.length === 4 && c.every(isWhole)
        && c[1] > 0 && c[1] < 2 ** 32 && c[3] >= 0 && c[3] <= c[2] && c[2] <= 4;
      expect(usable, () => `header: column ${COLUMNS[i]} from ${c}`);
    });
  } else {
    expect(fields[0] === "icao_address" && fields.length <= MAX_FIELDS, () => "header: fields do not begin with icao_address");
  }
  let end = start;
  const blocks = h.blocks.map((/** @type {unknown} */ b, /** @type {number} */ i) => {
    expect(Array.isArray(b) && b.length >= 3 && b.slice(0, 3).every(isWhole), () => `block ${i}: not in the header`);
    const [aircraft, size, crc, ...box] = b;
    expect(aircraft > 0 && aircraft <= MAX_IN_BLOCK && size >= 0, () => `block ${i}: ${aircraft} aircraft in ${size} bytes`);
    end += size;
    const edges = box.length === 4 && box.every(isWhole) ? box.map((/** @type {number} */ edge) => edge / 100) : null;
    return { aircraft, start: end - size, size, crc32: crc, box: edges };
  });
  const all = blocks.reduce((/** @type {number} */ sum, /** @type {Block} */ block) => sum + block.aircraft, 0);
  expect(all <= MAX_AIRCRAFT, () => `header: ${all} aircraft; expected at most ${MAX_AIRCRAFT}`);
  return {
    kind, shard, windowStart: h.window_start, windowEnd: h.window_end, writtenAt: h.written_at,
    part, sequence, closed, identity, columns, addresses, fields, blocks, end,
  };
}

/**
 * @param {Header} header
 * @param {number} place
 * @param {Uint8Array} bytes
 */
function check(header, place, bytes) {
  const { size, crc32: expected } = header.blocks[place];
  expect(bytes.length === size && crc32(bytes) === expected, () => `block ${place}: damaged, or of another version`);
}

/**
 * @param {Header} header of positions
 * @param {number} place of the block
 * @param {Uint8Array} bytes its own
 * @returns {Promise<Positions>}
 */
export async function readPositions(header, place, bytes) {
  check(header, place, bytes);
  const rows = header.blocks[place].aircraft;
  const expected = rows * header.columns.reduce((sum, column) => sum + column[2], 0);
  const body = await inflate(bytes, expected, `block ${place}`);
  expect(body.length === expected, () => `block ${place}: ${body.length} bytes; expected ${expected}`);
  /** @type {Record<string, Float64Array>} */
  const found = {};
  let rough = 0;
  let other = rows * header.columns.reduce((sum, column) => sum + column[3], 0);
  header.columns.forEach(([base, step, planes, low], index) => {
    const numbers = new Float64Array(rows);
    const below = base - step;
    for (let row = 0; row < rows; row++) {
      let code = 0;
      for (let plane = planes - 1; plane >= low; plane--) code = code * 256 + body[other + (plane - low) * rows + row];
      for (let plane = low - 1; plane >= 0; plane--) code = code * 256 + body[rough + plane * rows + row];
      numbers[row] = code ? below + step * code : NaN;
    }
    rough += low * rows;
    other += (planes - low) * rows;
    found[COLUMNS[index]] = numbers;
  });
  const { address, measured, ahead, age, latitude, longitude, heading, flags } = found;
  const addresses = new Array(rows);
  for (let row = 0; row < rows; row++) {
    const number = address[row];
    const usable = number >= 0 && number < TEXT_ADDRESS + header.addresses.length;
    expect(usable && measured[row] + ahead[row] + flags[row] === measured[row] + ahead[row] + flags[row],
      () => `block ${place}: an aircraft without address, times or flags`);
    addresses[row] = number < TEXT_ADDRESS
      ? number.toString(16).toUpperCase().padStart(6, "0") : header.addresses[number - TEXT_ADDRESS];
    if (Number.isNaN(latitude[row] + longitude[row] + age[row])) latitude[row] = longitude[row] = age[row] = NaN;
    expect(!(Math.abs(latitude[row]) > 9e6 || Math.abs(longitude[row]) > 18e6), () => `block ${place}: a position off the globe`);
    latitude[row] /= 1e5;
    longitude[row] /= 1e5;
    heading[row] /= 10;
  }
  return /** @type {Positions} */ (/** @type {unknown} */ ({ ...found, count: rows, address: addresses }));
}

/**
 * @param {Header} header of identities
 * @param {number} place of the block
 * @param {Uint8Array} bytes its own
 * @returns {Promise<(string | null)[][]>} a list for each of the header's fields
 */
export async function readIdentities(header, place, bytes) {
  check(header, place, bytes);
  const rows = header.blocks[place].aircraft;
  const columns = parse(await inflate(bytes, MAX_IDENTITY_BLOCK, `block ${place}`), `block ${place}`);
  expect(Array.isArray(columns) && columns.length === header.fields.length, () => `block ${place}: not its columns`);
  columns.forEach((/** @type {unknown} */ column, /** @type {number} */ index) => {
    const usable = Array.isArray(column) && column.length === rows
      && column.every((text) => typeof text === "string" || (text === null && index > 0));
    expect(usable, () => `block ${place}: column ${header.fields[index]} is not ${rows} texts`);
  });
  return columns;
}

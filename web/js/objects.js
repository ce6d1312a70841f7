/**
 * Live objects over HTTP: asked for again only if they have changed, whole or by blocks.
 */
import { realTime, Skew } from "./clock.js";
import { toLongitude, toX } from "./geo.js";
import { reason } from "./retry.js";
import { headerSize, IDENTITIES, POSITIONS, readHeader, readIdentities, readPositions, SnapshotError } from "./snapshot.js";

/** Above this share of an object's bytes it is taken whole. */
const WHOLE = 0.6;
/** Bytes between two blocks below which one request for both is cheaper: what a request costs more at CloudFront. */
const GAP = 13000;
/** What is asked for of an object that is not known yet. */
const BEGINNING = 4096;
const TIMEOUT = 20000;
/** Of one window: the API asks for as many (src/api/snapshots.py). */
const MOST_PARTS = 64;

/** By what the answers say. */
export const servers = new Skew();

/** An answer that is neither an object nor "not there". */
export class FetchError extends Error {}

/**
 * @typedef {object} Trouble
 * @property {string} what
 * @property {boolean} isDamaged an object that cannot be read, rather than a server that does not answer
 */

/** @param {unknown} error @returns {Trouble} */
export const trouble = (error) => ({
  what: reason(error),
  isDamaged: error instanceof SnapshotError || error instanceof SyntaxError,
});

/** @typedef {[number, number, number, number]} Box south, west, north, east in degrees; west > east crosses 180 */

/**
 * @typedef {object} Got
 * @property {number} status 200, 206, 304, 404 or 416
 * @property {Uint8Array<ArrayBuffer>} bytes
 * @property {string} etag
 */

/**
 * @param {string} url
 * @param {Record<string, string>} headers
 * @returns {Promise<Got>}
 */
async function get(url, headers = {}) {
  const response = await fetch(url, { headers, cache: "no-store", signal: AbortSignal.timeout(TIMEOUT) });
  const { status } = response;
  // A cache says what time it was, and how long ago.
  const date = Date.parse(response.headers.get("Date") ?? "") + 1000 * Number(response.headers.get("Age"));
  if (date > 0) servers.see(date, realTime());
  // 403 is what S3 answers for what is not there to who may not list; a browser's cache may answer a 304 as a 200.
  // A range of an object that a smaller one has replaced gives a 416.
  if (![200, 206, 304, 403, 404, 416].includes(status)) throw new FetchError(`${new URL(url).pathname}: HTTP ${status}`);
  const found = status === 200 || status === 206;
  const bytes = new Uint8Array(found ? await response.arrayBuffer() : new ArrayBuffer(0));
  return { status: status === 403 ? 404 : status, bytes, etag: response.headers.get("ETag") ?? "" };
}

/** @param {string} url of a file of the page itself @returns {Promise<Response>} */
export async function file(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT) });
  if (!response.ok) throw new FetchError(`${new URL(url).pathname}: HTTP ${response.status}`);
  return response;
}

/** A JSON object that is asked for again and again. */
export class JsonObject {
  /** @param {string} url */
  constructor(url) {
    this.url = url;
    this.etag = "";
  }

  /**
   * @param {(content: any) => void} [use] what it throws at is asked for whole again
   * @returns {Promise<any>} its content if it is new, undefined if it is not, null if there is none
   */
  async poll(use) {
    const got = await get(this.url, this.etag ? { "If-None-Match": this.etag } : {});
    if (got.status === 304) return undefined;
    if (got.status === 404) return null;
    const content = JSON.parse(new TextDecoder().decode(got.bytes));
    use?.(content);
    this.etag = got.etag;
    return content;
  }
}

/** @typedef {import("./snapshot.js").Header} Header */
/** @typedef {import("./snapshot.js").Positions} Positions */

/**
 * @param {import("./snapshot.js").Block} block
 * @param {Box | null} box
 */
function touches(block, box) {
  if (!box) return true;
  if (!block.box) return false;
  const [south, west, north, east] = block.box;
  if (north < box[0] || south > box[2]) return false;
  return box[1] <= box[3] ? east >= box[1] && west <= box[3] : east >= box[1] || west <= box[3];
}

/** @param {number} from @param {number} to @returns {number} degrees from one longitude eastward to the other */
const eastward = (from, to) => (to - from + 360) % 360;

/** @param {Box} box @param {Box} other @returns {boolean} whether all of the first lies in the other */
export const isWithin = ([south, west, north, east], other) =>
  south >= other[0] && north <= other[2] && eastward(other[1], west) + eastward(west, east) <= eastward(other[1], other[3]);

/** @param {Box} box @param {number} by degrees of longitude @param {number} [up] of latitude @returns {Box} larger on each side */
export const widened = ([south, west, north, east], by, up = by / 2) =>
  [south - up, toLongitude(toX(west - by)), north + up, toLongitude(toX(east + by))];

/**
 * A snapshot under one name, positions or identities.
 * @template {Positions | (string | null)[][]} T
 */
export class Snapshot {
  /**
   * @param {string} url
   * @param {number} kind
   * @param {(header: Header, place: number, bytes: Uint8Array) => Promise<T>} readBlock
   */
  constructor(url, kind, readBlock) {
    this.url = url;
    this.kind = kind;
    this.readBlock = readBlock;
    this.etag = "";
    /** Bytes of the last header: how much of the beginning is asked for first. */
    this.beginning = BEGINNING;
  }

  /**
   * @param {Box | null} box what is wanted of it; null is everything
   * @param {boolean} [again] even if it has not changed
   * @returns {Promise<{header: Header, blocks: T[], isWhole: boolean} | null | undefined>}
   *   null if there is none, undefined if it has not changed
   */
  async poll(box, again = false) {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#read(box, again);
      } catch (error) {
        // It was replaced between two requests: its beginning tells of another object than its end.
        if (attempt === 2 || !(error instanceof Replaced)) throw error;
      }
    }
  }

  /**
   * @param {Box | null} box
   * @param {boolean} again
   */
  async #read(box, again) {
    /** @type {Record<string, string>} */
    const headers = this.etag && !again ? { "If-None-Match": this.etag } : {};
    if (box) headers.Range = `bytes=0-${this.beginning - 1}`;
    let got = await get(this.url, headers);
    if (got.status === 304) return undefined;
    if (got.status === 404) return null;
    if (got.status === 206 && headerSize(got.bytes) > got.bytes.length)
      got = await this.#range(0, headerSize(got.bytes), got.etag);
    const header = await readHeader(got.bytes, this.kind);
    const start = header.blocks[0]?.start ?? header.end;
    this.beginning = Math.max(BEGINNING, start);
    const wanted = header.blocks.map((block, place) => (touches(block, box) ? place : -1)).filter((place) => place >= 0);
    const size = wanted.reduce((sum, place) => sum + header.blocks[place].size, 0);
    const isWhole = got.status === 200 || !box || size > WHOLE * header.end;
    if (isWhole && got.bytes.length < header.end) got = await this.#range(0, header.end, got.etag);
    const blocks = [];
    if (isWhole) {
      for (let place = 0; place < header.blocks.length; place++)
        blocks.push(await this.readBlock(header, place, part(got.bytes, 0, header.blocks[place])));
    } else {
      for (const places of together(header, wanted)) {
        const from = header.blocks[places[0]].start;
        const last = header.blocks[places[places.length - 1]];
        const to = last.start + last.size;
        const range = to <= got.bytes.length ? null : await this.#range(from, to, got.etag);
        for (const place of places)
          blocks.push(await this.readBlock(header, place,
            part(range ? range.bytes : got.bytes, range && range.status === 206 ? from : 0, header.blocks[place])));
      }
    }
    this.etag = got.etag;
    return { header, blocks, isWhole };
  }

  /**
   * @param {number} from
   * @param {number} to
   * @param {string} etag of the object that it has to be of
   */
  async #range(from, to, etag) {
    const got = await get(this.url, { Range: `bytes=${from}-${to - 1}` });
    if (got.status === 404 || got.etag !== etag) throw new Replaced(`${this.url}: replaced while it was read`);
    return got;
  }
}

class Replaced extends FetchError {}

/**
 * @param {Uint8Array} bytes
 * @param {number} from where they begin in the object
 * @param {import("./snapshot.js").Block} block
 */
const part = (bytes, from, block) => bytes.subarray(block.start - from, block.start - from + block.size);

/**
 * @param {Header} header
 * @param {number[]} wanted
 * @returns {number[][]} places that are asked for together
 */
function together(header, wanted) {
  /** @type {number[][]} */
  const runs = [];
  let end = -Infinity;
  for (const place of wanted) {
    const { start, size } = header.blocks[place];
    if (start - end < GAP) runs[runs.length - 1].push(place);
    else runs.push([place]);
    end = start + size;
  }
  return runs;
}

/** @param {string} url */
export const positionsAt = (url) => new Snapshot(url, POSITIONS, readPositions);
/** @param {string} url */
export const identitiesAt = (url) => new Snapshot(url, IDENTITIES, readIdentities);

/** @param {number} end milliseconds since the epoch @returns {string} as in a closed window's key */
export const windowName = (end) => new Date(end).toISOString().replace(/[-:]|\.\d+/g, "");

/**
 * @param {string} name of a closed window
 * @param {number} part its last one
 * @returns {string[]} of the parts before that
 */
export const earlierParts = (name, part) => Array.from({ length: Math.min(part, MOST_PARTS) }, (_, before) => `${name}.${before}`);

/**
 * @param {string} url of a closed window
 * @param {Box | null} box
 * @returns {Promise<{url: string, header: Header, blocks: Positions[]}[]>} those of its parts that are there, the first one first
 */
export async function partsAt(url, box) {
  const last = await positionsAt(url).poll(box);
  if (!last) return [];
  const earlier = await Promise.all(earlierParts(url, last.header.part).map(async (one) => ({ url: one, got: await positionsAt(one).poll(box) })));
  return [...earlier, { url, got: last }].flatMap(({ url, got }) => (got ? { url, header: got.header, blocks: got.blocks } : []));
}

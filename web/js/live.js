/**
 * The live feed: polls each shard's open window, and takes the windows before it and its identities when they are needed.
 */
import { FeedClock, LIVE, realTime } from "./clock.js";
import { FORGOTTEN } from "./fleet.js";
import { earlierParts, identitiesAt, JsonObject, partsAt, positionsAt, servers, trouble, widened, windowName } from "./objects.js";
import { SnapshotError } from "./snapshot.js";

/** Milliseconds between polls. */
const SHARDS_EVERY = 15000;
const USUAL_PERIOD = 5000;
const SHORTEST = 1000;
const LONGEST = 6000;
const HIDDEN = 20000;
const ABSENT = 10000;
const LONGEST_BACKOFF = 30000;
/** Until the first shard is known: a stack that is being created soon has one. */
const FIRST_BACKOFF = 3000;
const IDENTITY_EVERY = 30000;
/** Windows that a shard may be behind the newest one at least: the API leaves out the same ones (src/live/current.py). */
const BEHIND = 3;

export class Live {
  /**
   * @param {string} base the page's address
   * @param {import("./fleet.js").Fleet} fleet
   * @param {() => void} onNews
   */
  constructor(base, fleet, onNews) {
    this.base = base;
    this.fleet = fleet;
    this.onNews = onNews;
    this.clock = new FeedClock(servers);
    this.list = new JsonObject(new URL("live/shards.json", base).href);
    /** @type {Map<string, Shard>} */
    this.shards = new Map();
    this.windowSeconds = 60;
    /** The start of the first window, milliseconds since the epoch. */
    this.since = NaN;
    /** @type {import("./objects.js").Box | null | undefined} what is looked at; null is the world, undefined not known yet */
    this.box = undefined;
    this.isHidden = false;
    this.isPaused = false;
    /** How often all were to be polled at once. */
    this.woken = 0;
    /** How many closed windows were read after they had closed. */
    this.windowsRead = 0;
    /** @type {Map<string, import("./objects.js").Trouble>} */
    this.troubles = new Map();
  }

  start() {
    repeat(this, "shards", async () => {
      const content = await this.list.poll((content) => this.#discover(content));
      return content === null ? 2000 : SHARDS_EVERY;
    });
  }

  /** @param {any} content of shards.json */
  #discover(content) {
    if (typeof content?.shards !== "object" || content.version !== 1)
      throw new SnapshotError(`shards.json: version ${content?.version}; this page knows 1`);
    if (content.window_seconds > 0) this.windowSeconds = content.window_seconds;
    for (const [name, { since }] of Object.entries(content.shards)) {
      if (!(Date.parse(since) >= this.since)) this.since = Date.parse(since);
      if (this.shards.has(name)) continue;
      const shard = new Shard(this, name);
      this.shards.set(name, shard);
      repeat(this, name, () => shard.poll());
    }
  }

  /** @param {import("./objects.js").Box | null} box what is looked at; null is the world */
  look(box) {
    this.box = box;
    this.wake();
  }

  /**
   * Takes the tracks of what is looked at from the last closed windows.
   * @param {number} count windows
   */
  async readPast(count) {
    const box = this.box ?? null;
    const step = this.windowSeconds * 1000;
    for (let back = 1; back <= count; back++)
      for (const { path, windowStart } of this.current) {
        if (box !== (this.box ?? null)) return;
        const parts = await partsAt(`${path}closed/${windowName(windowStart - back * step)}`, box);
        for (const { blocks } of parts) for (const block of blocks) this.fleet.addPast(block);
      }
    this.onNews();
  }

  /** Polls at once, and once more what is being polled: the page is looked at again, or looks elsewhere. */
  wake() {
    this.woken++;
    for (const shard of this.shards.values()) shard.wakes();
  }

  /** @returns {Shard[]} those that are still written: a reshard closes some, and their last snapshot stays */
  get current() {
    const found = [...this.shards.values()].filter(({ writtenAt }) => writtenAt);
    const longest = Math.max(FORGOTTEN, BEHIND * this.windowSeconds) * 1000;
    const newest = Math.max(...found.map(({ writtenAt }) => writtenAt));
    return found.filter(({ writtenAt }) => newest - writtenAt <= longest);
  }

  /** @returns {number} how many aircraft are known, or are in the open windows, looked at or not */
  get total() {
    return Math.max(this.fleet.size, this.current.reduce((sum, shard) => sum + shard.aircraft, 0));
  }

  /** @returns {number} until when all windows have closed, as far as is known: a shard may be one behind another */
  get closedUntil() {
    const starts = this.current.map(({ windowStart, writtenAt }) => windowStart - writtenAt);
    return Math.max(...starts) + realTime() + this.clock.skew - this.windowSeconds * 1000;
  }
}

/** One shard's open window, its identities, and what was closed before it. */
class Shard {
  /** @param {Live} live @param {string} name */
  constructor(live, name) {
    this.live = live;
    this.path = new URL(`live/${name}/`, live.base).href;
    this.open = positionsAt(`${this.path}open`);
    this.identities = identitiesAt(`${this.path}open-identity`);
    this.known = "";
    this.identifiedAt = -Infinity;
    this.windowStart = 0;
    this.windowEnd = 0;
    this.part = 0;
    this.aircraft = 0;
    /** The newest ingestion time, and the start of the window that it is of. */
    this.newest = -Infinity;
    this.newestOf = 0;
    this.writtenAt = 0;
    this.period = USUAL_PERIOD;
    /** @type {Set<string>} closed objects still to be read */
    this.wanted = new Set();
    /** @type {string} the box that was read, as text */
    this.seen = "";
    /** @type {() => void} */
    this.wakes = () => {};
  }

  /** @returns {Promise<number>} milliseconds until the next poll */
  async poll() {
    const { live } = this;
    const box = live.box;
    if (live.isPaused || box === undefined) return SHORTEST;
    const isOther = String(box) !== this.seen;
    const got = await this.open.poll(box, isOther);
    this.seen = String(box);
    if (got === null) return ABSENT;
    let unknown = false;
    if (got) {
      const { header, blocks } = got;
      this.#compare(header, Math.max(...blocks.map((block) => live.fleet.add(block, header.writtenAt))));
      unknown = blocks.some((block) => block.address.some((a) => !live.fleet.identity[live.fleet.places.get(a) ?? -1]));
      if (isOther) {
        // Of what is looked at now, neither identities nor what has closed were read.
        this.known = "";
        this.windowStart = 0;
      }
      this.#follow(header);
      live.clock.see(live.fleet.newest, header.writtenAt, realTime());
      live.onNews();
      await this.#identify(header, box, unknown);
    }
    await this.#readClosed(box);
    if (live.isHidden) return HIDDEN;
    if (!live.current.includes(this)) return ABSENT;
    return got ? Math.max(SHORTEST, Math.min(LONGEST, this.period * 0.9)) : SHORTEST;
  }

  /**
   * Goes back with a recording that has begun again: a window all of which was ingested long before one that it follows.
   * @param {import("./snapshot.js").Header} header
   * @param {number} newest ingestion time in what was read of it
   */
  #compare({ windowStart }, newest) {
    if (newest === -Infinity) return;
    const hasBegunAgain = windowStart > this.newestOf && newest < this.newest - LIVE;
    if (hasBegunAgain) this.live.fleet.goBack(newest);
    this.newest = hasBegunAgain ? newest : Math.max(this.newest, newest);
    this.newestOf = windowStart;
  }

  /** @param {import("./snapshot.js").Header} header */
  #follow(header) {
    if (this.writtenAt && header.writtenAt > this.writtenAt)
      this.period += (Math.min(15000, header.writtenAt - this.writtenAt) - this.period) / 4;
    this.writtenAt = header.writtenAt;
    this.aircraft = header.blocks.reduce((sum, block) => sum + block.aircraft, 0);
    if (header.windowStart !== this.windowStart) {
      this.wanted.clear();
      this.wanted.add(windowName(header.windowStart));
      this.part = 0;
    }
    for (const name of earlierParts(windowName(header.windowEnd), header.part).slice(this.part)) this.wanted.add(name);
    this.part = header.part;
    this.windowStart = header.windowStart;
    this.windowEnd = header.windowEnd;
  }

  /**
   * @param {import("./snapshot.js").Header} header
   * @param {import("./objects.js").Box | null} box
   * @param {boolean} unknown
   */
  async #identify(header, box, unknown) {
    const { identity } = header;
    const isDue = unknown || performance.now() - this.identifiedAt > IDENTITY_EVERY;
    if (!identity || this.known === identity || !isDue) return;
    const got = await this.identities.poll(wider(box), true);
    if (!got) return;
    for (const columns of got.blocks) this.live.fleet.identify(got.header, columns);
    this.known = got.header.identity ?? "";
    this.identifiedAt = performance.now();
    this.live.onNews();
  }

  /** @param {import("./objects.js").Box | null} box */
  async #readClosed(box) {
    for (const name of this.wanted) {
      const isWindow = !name.includes(".");
      try {
        const got = await this.#take(name, box);
        // The window before may close only after this one has begun: until it has, it is asked for again.
        if (!got && isWindow && realTime() + this.live.clock.skew - this.windowStart < 30000) continue;
        this.wanted.delete(name);
        if (!got || !isWindow) continue;
        for (const part of earlierParts(name, got.part)) this.wanted.add(part);
        this.live.windowsRead++;
      } catch (error) {
        // What does not come is asked for again, after the others; what is damaged stays so.
        this.wanted.delete(name);
        if (!trouble(error).isDamaged) this.wanted.add(name);
        throw error;
      }
    }
  }

  /**
   * @param {string} name of a closed window, or of a part of one
   * @param {import("./objects.js").Box | null} box
   */
  async #take(name, box) {
    const { fleet, onNews } = this.live;
    const got = await positionsAt(`${this.path}closed/${name}`).poll(box);
    if (!got) return null;
    // What it says of long after the open window is of a recording that has begun again.
    const latest = fleet.newest === -Infinity ? Infinity : fleet.newest + LIVE;
    for (const block of got.blocks) fleet.add(block, got.header.writtenAt, latest);
    const identities = await identitiesAt(`${this.path}closed/${name}-identity`).poll(wider(box));
    if (identities) for (const columns of identities.blocks) fleet.identify(identities.header, columns);
    onNews();
    return got.header;
  }
}

/** @param {import("./objects.js").Box | null} box @returns {import("./objects.js").Box | null} where its aircraft were a minute ago */
function wider(box) {
  return box && widened(box, 0.5, 0.3);
}

/**
 * @param {Live} live
 * @param {string} name of what may fail
 * @param {() => Promise<number>} poll resolves with the milliseconds until the next one
 */
async function repeat(live, name, poll) {
  let failures = 0;
  for (;;) {
    const { woken } = live;
    let wait;
    try {
      wait = await poll();
      failures = 0;
      if (live.troubles.delete(name)) live.onNews();
    } catch (error) {
      const longest = live.shards.size ? LONGEST_BACKOFF : FIRST_BACKOFF;
      wait = Math.min(longest, SHORTEST * 2 ** failures++) * (0.75 + Math.random() / 2);
      live.troubles.set(name, trouble(error));
      live.onNews();
    }
    const shard = live.shards.get(name);
    if (shard && live.woken !== woken) wait = 0;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, wait);
      if (shard)
        shard.wakes = () => {
          clearTimeout(timer);
          resolve(undefined);
        };
    });
  }
}

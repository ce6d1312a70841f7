/**
 * The worker: fetches, decodes, joins, filters and sorts, so that the page's own thread only draws.
 * @module
 */
import { matcher } from "./filters.js";
import { Fleet } from "./fleet.js";
import { readWorld, toX, toY } from "./geo.js";
import { Live, trouble } from "./live.js";
import { counts, file, JsonObject } from "./objects.js";
import { details, inView, instances, labels, row, tracks } from "./picture.js";
import { Replay } from "./replay.js";
import { untilItWorks } from "./retry.js";

/** Milliseconds: between two pictures, and two lists; for status and alerts. */
const PICTURE_EVERY = 400;
const LIST_EVERY = 1500;
const ASIDE_EVERY = 5000;
const MINUTE = 60000;
/** For how long the first aircraft are waited for before everything else is asked for. */
const FIRST_WITHIN = 1000;
const MOST_ROWS = 100;
const TRACK_WINDOWS = 60;
const PAST_WINDOWS = 10;

/** The page's address. */
const base = new URL("..", import.meta.url).href;
const live = new Live(base, new Fleet(), () => news());
const replay = new Replay(live);
/** @type {{fleet: Fleet, clock: import("./clock.js").Reading, until: number, from: number, speed: number, since: number} | null} */
let past = null;
let pastLoading = 0;
let origin = 0;
/** @type {import("./filters.js").Filters} */
let filters = {};
/** @type {import("./picture.js").View | null} */
let view = null;
let sorting = { key: "altitude", descending: true };
let firstRow = 0;
/** @type {string | null} */
let selected = null;
/** @type {[number, number, number, number][]} */
let wholeTrack = [];
let trackTicket = 0;
/** The region whose tracks were read. */
let tracked = "";
/** @type {import("./picture.js").Airports | null} */
let airports = null;
let isDue = false;
let lastPicture = 0;
let lastList = 0;
/** Whether all is asked for: not before the first aircraft have been shown, or are long in coming. */
let isStarted = false;
/** @type {any} */
let status = null;

/** @param {any} message @param {Transferable[]} [transfer] */
const post = (message, transfer = []) => /** @type {any} */ (self).postMessage(message, transfer);

/** @param {string} name @returns {(error: unknown) => void} */
const failed = (name) => (error) => {
  live.troubles.set(name, trouble(error));
};

/**
 * Says under a name what fails, and tries it again while it is wanted.
 * @param {string} name
 * @param {() => Promise<void>} attempt
 * @param {() => boolean} [isWanted]
 */
async function insist(name, attempt, isWanted = () => true) {
  live.troubles.delete(name);
  await untilItWorks(attempt, isWanted, failed(name));
  if (isWanted()) live.troubles.delete(name);
}

const fleet = () => past?.fleet ?? live.fleet;

/** @returns {import("./clock.js").Reading} the feed's clock, by Date.now() */
function clock() {
  if (!past) return live.clock.reading(Date.now());
  const real = Date.now();
  return { feed: past.clock.feed + (pastTime() - past.from) * past.clock.rate, real, rate: past.clock.rate * past.speed };
}

/** @returns {number} the time that is shown of the past, milliseconds since the epoch */
const pastTime = () => (past ? past.from + (Date.now() - past.since) * past.speed : Date.now());

function news() {
  if (isDue) return;
  isDue = true;
  setTimeout(picture, Math.max(0, lastPicture + PICTURE_EVERY - Date.now()));
}

function picture() {
  isDue = false;
  if (!isStarted && !fleet().size) return; // nothing to see yet, and the first aircraft would have to wait for the next
  lastPicture = Date.now();
  const reading = clock();
  const now = reading.feed;
  if (Math.abs(now - origin) > 3600e3) origin = Math.floor(now);
  if (!past) live.fleet.forget(now);
  const matches = matcher(filters, fleet());
  const data = instances(fleet(), matches, origin, selected);
  post({ type: "aircraft", data, origin, clock: reading, shown: pastTime(), isPast: !!past }, [data.buffer]);
  if (fleet().size) startTheRest();
  if (!view) return;
  const places = inView(fleet(), view, matches, now);
  const key = sorter();
  places.sort((a, b) => fleet().emergency(b) - fleet().emergency(a) || key(a, b));
  const text = labels(fleet(), places, view, now, origin, airports, selected);
  const lines = tracks(fleet(), places, view, wholeTrack, selected, now);
  post({ type: "labels", ...text, tracks: lines }, [text.glyphs.buffer, text.airports.buffer, lines.buffer]);
  if (Date.now() - lastList > LIST_EVERY) list(places, now);
  if (selected !== null) {
    const place = fleet().places.get(selected);
    post({ type: "details", address: selected, aircraft: place === undefined ? null : details(fleet(), place, now) });
  }
}

/** @returns {(a: number, b: number) => number} */
function sorter() {
  const sign = sorting.descending ? -1 : 1;
  const all = fleet();
  const numbers = { altitude: all.altitude, speed: all.speed, verticalRate: all.verticalRate, age: all.positionTime };
  const column = /** @type {Record<string, Float64Array>} */ (numbers)[sorting.key];
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

/** @param {number[]} places @param {number} now */
function list(places, now) {
  lastList = Date.now();
  firstRow = Math.max(0, Math.min(firstRow, Math.floor((places.length - 1) / MOST_ROWS) * MOST_ROWS));
  const rows = places.slice(firstRow, firstRow + MOST_ROWS).map((place) => row(fleet(), place, now));
  const known = fleet().size;
  post({ type: "list", rows, first: firstRow, inView: places.length, known, total: past ? known : Math.max(live.total, known) });
}

/** A change that is to be seen at once, in the list too. */
function changed() {
  lastList = lastPicture = 0;
  news();
}

async function whereItWas() {
  const ticket = ++trackTicket;
  wholeTrack = [];
  live.troubles.delete("track");
  const place = selected === null ? undefined : fleet().places.get(selected);
  if (place === undefined || selected === null) return;
  const address = selected;
  const from = /** @type {[number, number]} */ ([fleet().latitude[place], fleet().longitude[place]]);
  await insist("track", () => replay.track(address, pastTime(), TRACK_WINDOWS, from, (points) => {
    if (ticket !== trackTicket) return;
    wholeTrack = points;
    news();
  }), () => ticket === trackTicket);
}

/** @param {number} time @param {number} speed */
async function showPast(time, speed) {
  const ticket = ++pastLoading;
  live.isPaused = true;
  await insist("replay", async () => {
    const found = await replay.at(time);
    if (ticket === pastLoading) past = { ...found, clock: found.clock, from: time, speed, since: Date.now() };
  }, () => ticket === pastLoading);
  if (ticket !== pastLoading) return;
  if (past && speed > 0) {
    const wait = Math.max(50, (past.until - time) / speed);
    setTimeout(() => {
      if (ticket !== pastLoading) return;
      const next = pastTime();
      if (next > Date.now() - live.windowSeconds * 1000) return showPresent();
      showPast(next, speed);
    }, wait);
  }
  changed();
}

function showPresent() {
  pastLoading++;
  past = null;
  live.isPaused = false;
  live.troubles.delete("replay");
  live.wake();
  changed();
}

/** @param {string} text */
function search(text) {
  const wanted = text.trim().toUpperCase();
  const now = clock().feed;
  const found = [];
  const all = fleet();
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
  post({ type: "found", text, aircraft: found, airports: places });
}

/** @param {number} x @param {number} y @param {number} reach on the map */
function pick(x, y, reach) {
  const now = clock().feed;
  const matches = matcher(filters, fleet());
  let best = null;
  let nearest = reach;
  for (let place = 0; place < fleet().size; place++) {
    if (!(fleet().positionTime[place] > 0) || (matches && !matches(place))) continue;
    const [px, py] = fleet().position(place, now);
    const far = Math.hypot((((px - x + 1.5) % 1) - 0.5), py - y);
    if (far < nearest) {
      nearest = far;
      best = fleet().address[place];
    }
  }
  post({ type: "picked", address: best });
}

/** Polls the status and the alerts at once. */
let askAside = () => {};

function aside() {
  const objects = { status: new JsonObject(new URL("live/status.json", base).href), alerts: new JsonObject(new URL("live/alerts.json", base).href) };
  let timer = 0;
  let turn = 0;
  const poll = async () => {
    askAside = () => {}; // what is on its way is news enough
    const isStatusDue = turn++ % 2 === 0; // it is written half as often
    for (const [name, object] of Object.entries(objects))
      try {
        if (name === "status" && !isStatusDue && !live.troubles.has(name)) continue;
        const content = await object.poll();
        if (name === "status" && content) status = content;
        if (name === "alerts" && content) post({ type: "alerts", alerts: Array.isArray(content.alerts) ? content.alerts.slice(0, 100) : [] });
        live.troubles.delete(name);
      } catch (error) {
        failed(name)(error);
      }
    health();
    timer = setTimeout(poll, live.isHidden ? MINUTE : ASIDE_EVERY);
    askAside = () => {
      clearTimeout(timer);
      turn = 0;
      poll();
    };
  };
  poll();
}

function health() {
  const shards = [...live.shards.values()];
  const written = shards.length ? Math.max(...shards.map((shard) => shard.writtenAt)) : NaN;
  post({
    type: "health",
    status,
    shards: shards.length,
    aircraft: live.total,
    windowEnd: shards.length ? Math.max(...shards.map((shard) => shard.windowEnd)) : NaN,
    behind: written > 0 ? (Date.now() + live.clock.skew - written) / 1000 : NaN,
    isRecording: live.clock.isOwn,
    feed: live.clock.reading(Date.now()),
    since: live.since,
    windowSeconds: live.windowSeconds,
    counts: { ...counts },
    troubles: [...live.troubles].map(([name, trouble]) => ({ name, ...trouble })),
  });
}

async function land() {
  const response = await file(new URL("data/world.bin", base).href);
  const stream = /** @type {ReadableStream} */ (response.body).pipeThrough(new DecompressionStream("deflate-raw"));
  const world = readWorld(new Uint8Array(await new Response(stream).arrayBuffer()));
  post({ type: "world", ...world }, [world.corners.buffer, world.triangles.buffer, world.coasts.buffer, world.borders.buffer]);
}

async function airportNames() {
  airports = await (await file(new URL("data/airports.json", base).href)).json();
  post({ type: "airports", names: Object.fromEntries((airports?.icao ?? []).map((code, i) => [code, airports?.city[i]])) });
  changed();
}

/** What the first aircraft need not wait for. */
function startTheRest() {
  if (isStarted) return;
  isStarted = true;
  aside();
  news();
  insist("land", land);
  insist("airports", airportNames);
  setInterval(() => {
    if (!live.isHidden) news();
  }, 1000);
  setInterval(health, 2000);
}

/** @type {Record<string, (message: any) => void>} */
const handlers = {
  view(message) {
    const before = live.box;
    view = message.view;
    const { box, isWide } = message;
    // What was read reaches further than the view: a small move asks for nothing.
    const isInside = before && !isWide && box[0] >= before[0] && box[2] <= before[2] && box[1] >= before[1] && box[3] <= before[3]
      && before[2] - before[0] < 4 * (box[2] - box[0]) && before[1] <= before[3];
    if (isWide ? before !== null : !isInside) {
      live.look(isWide ? null : message.wider);
      replay.forget();
    }
    const reach = view?.tracks && !isWide ? String(live.box) : "";
    if (reach && reach !== tracked) {
      tracked = reach;
      // The aircraft of a new view are there after its first poll.
      setTimeout(() => insist("trails", () => live.readPast(PAST_WINDOWS), () => reach === tracked), 1500);
    }
    changed();
  },
  filters(message) {
    filters = message.filters;
    firstRow = 0;
    changed();
  },
  sort(message) {
    sorting = message.sorting;
    firstRow = 0;
    changed();
  },
  page({ first }) {
    firstRow = first;
    changed();
  },
  select({ address }) {
    selected = address;
    changed();
    whereItWas();
  },
  search({ text }) {
    search(text);
  },
  pick({ x, y, reach }) {
    pick(x, y, reach);
  },
  time({ at: time, speed }) {
    if (time === null) showPresent();
    else showPast(time, speed);
  },
  hidden({ isHidden }) {
    live.isHidden = isHidden;
    if (!isHidden) {
      live.wake();
      askAside();
      changed();
    }
  },
};

self.onmessage = ({ data }) => handlers[data.type]?.(data);
live.start();
setTimeout(startTheRest, FIRST_WITHIN);

/**
 * The worker: fetches, decodes, joins, filters and sorts, so that the page's own thread only draws.
 */
import { matcher } from "./filters.js";
import { Fleet } from "./fleet.js";
import { readWorld } from "./geo.js";
import { Live } from "./live.js";
import { file, isWithin, trouble } from "./objects.js";
import { details, inView, instances, labels, row, tracks } from "./picture.js";
import { Playback, Replay } from "./replay.js";
import { untilItWorks } from "./retry.js";
import { nearest, search, sorter } from "./search.js";
import { watch } from "./status.js";

/** Milliseconds: between two pictures, and two lists. */
const PICTURE_EVERY = 400;
const LIST_EVERY = 1500;
/** For how long the first aircraft are waited for before everything else is asked for. */
const FIRST_WITHIN = 1000;
const MOST_ROWS = 100;
const TRACK_WINDOWS = 60;
const PAST_WINDOWS = 10;

/** The page's address. */
const base = new URL("..", import.meta.url).href;
const live = new Live(base, new Fleet(), () => news());
const replay = new Replay(live);
const playback = new Playback(replay, () => {
  isTrackDue = true;
  changed();
}, (attempt, isWanted) => insist("replay", attempt, isWanted));
const status = watch(live, (message) => post(message));
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
/** The end of the newest window that the track was read from. */
let trackedUntil = -Infinity;
/** Whether there may be more of it, and whether it is being read. */
let isTrackDue = false;
let isTracking = false;
/** How many closed windows had been read when it was due for the last time. */
let windowsRead = 0;
/** The region whose tracks were read. */
let tracked = "";
/** @type {import("./picture.js").Airports | null} */
let airports = null;
let isDue = false;
/** By performance.now(): whoever sets the clock changes no wait. */
let lastPicture = -Infinity;
let lastList = -Infinity;
/** Whether all is asked for: not before the first aircraft have been shown, or are long in coming. */
let isStarted = false;

/** @param {any} message @param {Transferable[]} [transfer] */
const post = (message, transfer = []) => /** @type {any} */ (self).postMessage(message, transfer);

/**
 * Says under a name what fails, and tries it again while it is wanted.
 * @param {string} name
 * @param {() => Promise<void>} attempt
 * @param {() => boolean} [isWanted]
 */
async function insist(name, attempt, isWanted = () => true) {
  live.troubles.delete(name);
  await untilItWorks(attempt, isWanted, (error) => live.troubles.set(name, trouble(error)));
  if (isWanted()) live.troubles.delete(name);
}

function news() {
  if (isDue) return;
  isDue = true;
  setTimeout(picture, Math.max(0, lastPicture + PICTURE_EVERY - performance.now()));
}

function picture() {
  isDue = false;
  const { fleet, past } = playback;
  if (!isStarted && !fleet.size) return; // nothing to see yet, and the first aircraft would have to wait for the next
  lastPicture = performance.now();
  const reading = playback.clock();
  const now = reading.feed;
  if (Math.abs(now - origin) > 3600e3) origin = Math.floor(now);
  if (!past) live.fleet.forget(now);
  const matches = matcher(filters, fleet);
  const data = instances(fleet, matches, now, origin, selected);
  post({ type: "aircraft", data, origin, clock: reading, shown: playback.time, until: past?.until, isPast: !!past }, [data.buffer]);
  if (fleet.size) startTheRest();
  if (!view) return;
  const places = inView(fleet, view, matches, now);
  const key = sorter(fleet, sorting);
  places.sort((a, b) => fleet.emergency(b) - fleet.emergency(a) || key(a, b));
  const text = labels(fleet, places, view, now, origin, airports, selected);
  const lines = tracks(fleet, places, view, wholeTrack, selected, now);
  post({ type: "labels", ...text, tracks: lines }, [text.glyphs.buffer, text.airports.buffer, lines.buffer]);
  if (performance.now() - lastList > LIST_EVERY) list(places, now);
  if (selected !== null) {
    const place = fleet.places.get(selected);
    if (windowsRead !== live.windowsRead) isTrackDue = true;
    windowsRead = live.windowsRead;
    if (isTrackDue && !isTracking && place !== undefined) whereItWas(selected, [fleet.latitude[place], fleet.longitude[place]]);
    post({ type: "details", address: selected, aircraft: place === undefined ? null : details(fleet, place, now) });
  }
}

/** @param {number[]} places @param {number} now */
function list(places, now) {
  lastList = performance.now();
  firstRow = Math.max(0, Math.min(firstRow, Math.floor((places.length - 1) / MOST_ROWS) * MOST_ROWS));
  const { fleet, past } = playback;
  const rows = places.slice(firstRow, firstRow + MOST_ROWS).map((place) => row(fleet, place, now));
  post({ type: "list", rows, first: firstRow, inView: places.length, total: past ? fleet.size : live.total });
}

/** A change that is to be seen at once, in the list too. */
function changed() {
  lastList = lastPicture = -Infinity;
  news();
}

/** @param {string | null} address from now on, and nothing is known of its track */
function choose(address) {
  selected = address;
  wholeTrack = [];
  trackedUntil = -Infinity;
  isTrackDue = true;
  isTracking = false;
  trackTicket++;
  live.troubles.delete("track");
}

/**
 * Reads the selected aircraft's track up to the time that is shown: what follows the known part of it, or all of it.
 * @param {string} address
 * @param {[number, number]} from latitude and longitude where it is
 */
async function whereItWas(address, from) {
  const ticket = ++trackTicket;
  isTrackDue = false;
  isTracking = true;
  const { time } = playback;
  const step = live.windowSeconds * 1000;
  const last = Math.floor(time / step) * step;
  const count = last < trackedUntil ? TRACK_WINDOWS : Math.min(TRACK_WINDOWS, (last - trackedUntil) / step);
  const known = wholeTrack;
  let newest = -Infinity;
  await insist("track", () => replay.track(address, time, count, from, (points, end) => {
    if (ticket !== trackTicket) return false;
    newest = Math.max(newest, end);
    wholeTrack = [...known.filter((point) => point[2] < points[0][2]), ...points];
    news();
    return true;
  }), () => ticket === trackTicket);
  if (ticket !== trackTicket) return;
  if (newest > -Infinity) trackedUntil = newest;
  isTracking = false;
}

async function land() {
  const response = await file(new URL("data/world.bin", base).href);
  const stream = /** @type {ReadableStream} */ (response.body).pipeThrough(new DecompressionStream("deflate-raw"));
  const world = readWorld(new Uint8Array(await new Response(stream).arrayBuffer()));
  post({ type: "world", ...world }, [world.corners.buffer, world.triangles.buffer, world.coasts.buffer, world.borders.buffer]);
}

async function airportNames() {
  const columns = await (await file(new URL("data/airports.json", base).href)).json();
  for (const steps of [columns.latitude, columns.longitude]) steps.forEach((/** @type {any} */ _, /** @type {number} */ i) => (steps[i] += steps[i - 1] ?? 0));
  airports = { ...columns, icao: columns.icao.match(/.{4}/g), iata: columns.iata.match(/.{3}/g), city: columns.city.split("|") };
  post({ type: "airports", names: Object.fromEntries((airports?.icao ?? []).map((code, i) => [code, airports?.city[i]])) });
  changed();
}

/** What the first aircraft need not wait for. */
function startTheRest() {
  if (isStarted) return;
  isStarted = true;
  status.poll();
  news();
  insist("land", land);
  insist("airports", airportNames);
  setInterval(() => {
    if (!live.isHidden) news();
  }, 1000);
  setInterval(() => status.report(), 2000);
}

/** @type {Record<string, (message: any) => void>} */
const handlers = {
  view(message) {
    const before = live.box;
    view = message.view;
    const { box, isWide } = message;
    // What was read reaches further than the view: a small move asks for nothing.
    const isInside = before && !isWide && isWithin(box, before) && before[2] - before[0] < 4 * (box[2] - box[0]);
    if (isWide ? before !== null : !isInside) {
      live.look(isWide ? null : message.wider);
      playback.lookElsewhere();
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
    if (address !== selected) choose(address);
    changed();
  },
  search({ text }) {
    post({ type: "found", text, ...search(playback.fleet, airports, text, playback.clock().feed) });
  },
  pick(where) {
    const { fleet } = playback;
    post({ type: "picked", address: nearest(fleet, matcher(filters, fleet), where, playback.clock().feed) });
  },
  time({ at: time, speed }) {
    if (time === null) playback.showPresent();
    else playback.showPast(time, speed);
  },
  hidden({ isHidden }) {
    live.isHidden = isHidden;
    if (!isHidden) {
      live.wake();
      status.ask();
      changed();
    }
  },
};

self.onmessage = ({ data }) => handlers[data.type]?.(data);
live.start();
setTimeout(startTheRest, FIRST_WITHIN);

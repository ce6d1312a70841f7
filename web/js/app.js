/**
 * The page: puts the map, the list, the panel and the controls together, and gives the worker its orders.
 */
import { Alerts } from "./alerts.js";
import { Basemap } from "./basemap.js";
import { Camera } from "./camera.js";
import { at, realTime } from "./clock.js";
import { byId, element, setText } from "./dom.js";
import { FilterForm } from "./filterform.js";
import { readLink, writeLink } from "./filters.js";
import { Flights } from "./flights.js";
import { bounds, toX, toY } from "./geo.js";
import { Health } from "./health.js";
import { List } from "./list.js";
import { listen, order } from "./orders.js";
import { Panel } from "./panel.js";
import { Scene } from "./scene.js";
import { SearchBox } from "./searchbox.js";
import { preferred, remember, theme, THEMES } from "./theme.js";
import { Timeline } from "./timeline.js";

/** Milliseconds: how long the view has to stand before it is asked for. */
const SETTLED = 180;
/** Degrees of longitude above which all of the world is read. */
const WIDE = 120;
const CLOSE = 8;
/** How much of the world a region is at most. */
const REGION = 0.25;
/** Milliseconds for which a chosen aircraft may be on its way to the page, or the map to it. */
const SOUGHT = 5000;
const REGION_ONLY = "in the region that is looked at";

const link = readLink(location.hash);
let { selected } = link;
/** Until when the aircraft that somebody has just chosen is moved out from under the list or the panel. */
let soughtUntil = 0;
let shownPast = { shown: realTime(), real: realTime(), until: Infinity, isPast: false };
/** Whether the feed's clock is: a link's aircraft was looked for in the flights of today, and may be one of a recording. */
let isClockKnown = false;
const show = { labels: true, tracks: link.hasTrails };
let viewTimer = 0;
/** Whether all of the world is read. */
let isWide = true;
const canvas = /** @type {HTMLCanvasElement} */ (byId("canvas"));
const camera = new Camera(canvas, () => {
  clearTimeout(viewTimer);
  viewTimer = setTimeout(sendView, SETTLED);
  scene.redraw();
}, (x, y, reach) => order({ type: "pick", x, y, reach }));
const basemap = new Basemap(() => {
  about.close();
  writeAddress();
  scene.redraw();
});
const scene = new Scene(canvas, camera, basemap, sendView);
const form = new FilterForm(() => camera.box(), (filters) => {
  order({ type: "filters", filters });
  writeAddress();
});
form.filters = link.filters;
const health = new Health();
const panel = new Panel(closePanel);
const list = new List({
  select: (address) => {
    if (isNarrow()) openList(false); // it would cover the panel
    choose(address, true);
  },
  sort: (sorting) => order({ type: "sort", sorting }),
  page: (first) => order({ type: "page", first }),
});
const flights = new Flights((track) => scene.setFlight(track));
const alerts = new Alerts((alert) => {
  if (Number.isFinite(alert.latitude) && Number.isFinite(alert.longitude))
    camera.goTo(toX(Number(alert.longitude)), toY(Number(alert.latitude)), Math.max(CLOSE, camera.zoom));
  choose(alert.icao_address, true);
});
const search = new SearchBox({
  ask: (text) => order({ type: "search", text }),
  aircraft: (address, x, y) => {
    camera.goTo(x, y, Math.max(CLOSE, camera.zoom));
    choose(address, true);
  },
  airport: (x, y) => {
    soughtUntil = 0;
    camera.goTo(x, y, Math.max(9, camera.zoom));
  },
});
const timeline = new Timeline((time, speed) => order({ type: "time", at: time, speed }));

/** Whether the page is laid out as on a phone. */
const isNarrow = () => innerWidth < 1024;

/** @param {"light" | "dark"} name */
function setTheme(name) {
  document.documentElement.dataset.theme = name;
  const { scale } = THEMES[name];
  /** @type {HTMLElement} */ (byId("scale").querySelector("ul")).replaceChildren(...scale.map((colour, i) => {
    const item = element("li", {}, String(i * 5));
    item.style.borderColor = colour;
    return item;
  }));
  scene.setTheme(name);
}

/** @param {string | null} address @param {boolean} [isFocused] whether the panel takes the focus */
function select(address, isFocused = false) {
  selected = address;
  list.selected = address;
  order({ type: "select", address });
  if (address === null) {
    flights.close();
    panel.hide();
  } else {
    const isOther = address !== panel.address;
    if (isOther) panel.show(address, null, "Waiting for what is known of it.");
    if (isOther) listFlights(address);
    if (isFocused) byId("panel").focus({ preventScroll: true });
  }
  form.hide();
  writeAddress();
}

/** @param {string} address */
function listFlights(address) {
  flights.show(address, panel.parts.flights, at(scene.clock, realTime()));
}

/** Selects what somebody has pointed at, which is then to be seen. @param {string | null} address @param {boolean} [isFocused] */
function choose(address, isFocused) {
  soughtUntil = performance.now() + SOUGHT;
  select(address, isFocused);
}

function closePanel() {
  select(null);
  canvas.focus();
}

function sendView() {
  const box = camera.box();
  const wider = camera.box(0.5);
  isWide = (camera.width / camera.scale) * 360 > WIDE;
  const { zoom, x, y, width, height } = camera;
  order({ type: "view", view: { box, zoom, x, y, width, height, ...show }, box, wider, isWide });
  writeAddress();
}

/** Everything that a link should show again is in the address. */
function writeAddress() {
  const { filters } = form;
  const tiles = basemap.isOn ? basemap.template : "";
  history.replaceState(null, "", writeLink({ at: camera, filters, selected, hasTrails: show.tracks, tiles }));
}

/**
 * Looks at the region that the aircraft are in, once and unless somebody has chosen where to look; the world stays the world.
 * @param {Float32Array} data as the worker makes it
 */
function lookAt(data) {
  if (data.length < 8) return;
  // A region across 180 degrees is small if the world is cut open at 0.
  const [left, top, right, bottom] = [bounds(data, 0), bounds(data, 0.5)].sort((a, b) => a[2] - a[0] - (b[2] - b[0]))[0];
  if (right - left > REGION) return;
  const covered = isNarrow() || byId("side").classList.contains("closed") ? 0 : byId("side").offsetWidth;
  camera.fit([left, top, right, bottom], covered);
}

/**
 * Moves a chosen aircraft that something lies over to the middle of what is free.
 * @param {import("./picture.js").Details} aircraft
 */
function uncover({ latitude, longitude }) {
  if (camera.flight || performance.now() > soughtUntil || !scene.painter) return;
  const [x, y] = camera.pixel(toX(longitude), toY(latitude));
  if (!(x >= 0 && x < camera.width && y >= 0 && y < camera.height)) return;
  soughtUntil = 0;
  if (document.elementFromPoint(x, y) === canvas) return;
  const [card, side] = [byId("panel"), byId("side")].map((one) => one.getBoundingClientRect());
  const [freeX, freeY] = isNarrow() ? [camera.width / 2, (side.bottom + card.top) / 2] : [(card.right + side.left) / 2, camera.height / 2];
  camera.goTo(camera.x + (x - freeX) / camera.scale, camera.y + (y - freeY) / camera.scale, camera.zoom);
}

// What the worker says

/** @type {Record<string, (message: any) => void>} */
const handlers = {
  aircraft(message) {
    const { data, shown, until, isPast } = message;
    shownPast = { shown, real: realTime(), until, isPast };
    scene.setAircraft(message);
    if (!camera.isChosen) lookAt(data);
    if (isClockKnown || !data.length) return;
    isClockKnown = true;
    if (selected !== null) listFlights(selected);
  },
  labels: (message) => scene.setLabels(message),
  world: (world) => scene.setWorld(world),
  airports({ names }) {
    panel.cities = names;
  },
  list: (message) => list.show(message),
  details({ address, aircraft }) {
    if (address !== selected) return;
    panel.show(address, aircraft, `Not heard of ${isWide ? "at this time" : REGION_ONLY}.`);
    if (aircraft) uncover(aircraft);
  },
  found: (message) => search.show(message, isWide ? "" : REGION_ONLY),
  picked: ({ address }) => choose(address),
  alerts: ({ alerts: found }) => alerts.show(found),
  health(message) {
    health.show({ ...message, troubles: [...message.troubles, ...basemap.troubles] });
    timeline.span(message.since, message.until, message.step);
  },
};

// Controls

/** @param {boolean} isOpen */
function openList(isOpen) {
  byId("side-body").hidden = !isOpen;
  byId("side").classList.toggle("closed", !isOpen);
  byId("side-button").setAttribute("aria-expanded", String(isOpen));
  setText(byId("side-button"), isOpen ? "Hide list" : "List");
}

function focusList() {
  openList(true);
  const first = document.querySelector("tbody button") ?? document.querySelector("thead button");
  /** @type {HTMLElement | null} */ (first)?.focus();
}

/** @param {string} id @param {(isOn: boolean) => void} change */
function toggle(id, change) {
  const button = byId(id);
  button.addEventListener("click", () => {
    const isOn = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(isOn));
    change(isOn);
  });
}

// Who moves the map keeps it where it is.
for (const name of ["pointerdown", "wheel", "keydown"]) canvas.addEventListener(name, () => (soughtUntil = 0));
byId("side-button").addEventListener("click", () => openList(!!byId("side-body").hidden));
byId("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address says what is shown
  focusList();
});
byId("closer").addEventListener("click", () => camera.zoomBy(1));
byId("farther").addEventListener("click", () => camera.zoomBy(-1));
toggle("labels", (isOn) => {
  show.labels = isOn;
  sendView();
});
toggle("tracks", (isOn) => {
  show.tracks = isOn;
  sendView();
});
toggle("sound", (isOn) => alerts.setSound(isOn));
byId("theme").addEventListener("click", () => {
  const name = theme() === "dark" ? "light" : "dark";
  remember(name);
  setTheme(name);
});
const about = /** @type {HTMLDialogElement} */ (byId("about"));
byId("more").addEventListener("click", () => about.showModal());

document.addEventListener("keydown", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.key === "Escape" && !about.open) {
    if (form.isOpen) form.open(false);
    else if (selected !== null) closePanel();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || about.open || target.closest("input, select, textarea")) return;
  /** @type {Record<string, () => void>} */
  const keys = {
    "/": () => byId("query").focus(),
    f: () => form.toggle(),
    l: focusList,
    m: () => canvas.focus(),
    t: () => byId("tracks").click(),
  };
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
const tellHidden = () => order({ type: "hidden", isHidden: document.hidden });
document.addEventListener("visibilitychange", () => {
  tellHidden();
  if (!document.hidden) scene.redraw();
});
addEventListener("hashchange", ({ newURL }) => {
  // Not what the address says by now: a moving map may have written its own into it meanwhile.
  const link = readLink(new URL(newURL).hash);
  camera.put(link.at);
  form.filters = link.filters;
  order({ type: "filters", filters: form.filters });
  form.show();
  basemap.set(link.tiles);
  show.tracks = link.hasTrails;
  byId("tracks").setAttribute("aria-pressed", String(show.tracks));
  if (link.selected !== selected) select(link.selected);
  camera.resize(camera.width, camera.height);
});

function start() {
  document.documentElement.dataset.theme = preferred();
  camera.put(link.at);
  basemap.set(link.tiles);
  // The worker is at it while the graphics processor, which takes longer, is made ready.
  camera.resize(innerWidth, innerHeight);
  if (document.hidden) tellHidden(); // opened in the background
  order({ type: "filters", filters: form.filters });
  sendView();
  listen(({ data }) => handlers[data.type]?.(data), (what) => setText(byId("trouble"), `The page's worker failed: ${what}`));
  scene.makePainter();
  setTheme(theme());
  byId("tracks").setAttribute("aria-pressed", String(show.tracks));
  form.show();
  openList(!isNarrow());
  new ResizeObserver(() => camera.resize(innerWidth, innerHeight)).observe(document.documentElement);
  if (selected !== null) select(selected);
  setInterval(() => {
    const now = realTime();
    const { shown, real, until, isPast } = shownPast;
    const gone = (now - real) * (timeline.isPlaying ? Number(timeline.speed.value) : 0);
    timeline.at(isPast ? Math.min(until, shown + gone) : now, isPast, at(scene.clock, now));
  }, 500);
  scene.tick();
}

start();

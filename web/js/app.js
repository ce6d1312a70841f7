/**
 * The page: puts the map, the list, the panel and the controls together, and gives the worker its orders.
 * @module
 */
import { Alerts } from "./alerts.js";
import { Basemap } from "./basemap.js";
import { Camera } from "./camera.js";
import { at } from "./clock.js";
import { byId, element, setText } from "./dom.js";
import { Painter } from "./draw.js";
import { fromParameters, toParameters } from "./filters.js";
import { Flights } from "./flights.js";
import { bounds, toLatitude, toLongitude, toX, toY } from "./geo.js";
import { Health } from "./health.js";
import { List } from "./list.js";
import { listen, order } from "./orders.js";
import { Panel } from "./panel.js";
import { SearchBox } from "./searchbox.js";
import { THEMES } from "./theme.js";
import { Timeline } from "./timeline.js";

/** Milliseconds: the longest time between two drawings, and how long the view has to stand before it is asked for. */
const SLOWEST = 1000;
const SETTLED = 180;
/** An airliner's pixels a second where the world is 256 pixels wide: it is drawn again when it has moved half a pixel. */
const PACE = 256 * (0.25 / 40000);
/** Degrees of longitude above which all of the world is read. */
const WIDE = 120;
const CLOSE = 8;
/** How much of the world a region is at most; how near it is looked at; pixels above and below that are covered. */
const REGION = 0.25;
const REGION_ZOOM = 8.5;
const MARGIN = 80;

const parameters = new URLSearchParams(location.hash.slice(1));
let filters = fromParameters(parameters);
/** @type {string | null} */
let selected = parameters.get("aircraft");
/** @type {import("./clock.js").Reading} */
let clock = { feed: Date.now(), real: Date.now(), rate: 1 };
let origin = 0;
let shownPast = { shown: Date.now(), real: Date.now(), isPast: false };
const show = { labels: true, tracks: parameters.get("trails") === "1" };
let isDirty = true;
let lastDrawn = 0;
let viewTimer = 0;

/** @type {Painter | null} */
let painter = null;
const canvas = /** @type {HTMLCanvasElement} */ (byId("canvas"));

function makePainter() {
  try {
    painter = new Painter(canvas);
    painter.theme = THEMES[theme()];
  } catch (error) {
    painter = null;
    byId("no-webgl").hidden = false;
    canvas.hidden = true;
    console.info(`no map: ${error instanceof Error ? error.message : error}`);
  }
}

/** The way of a past flight, and the tracks that the worker made. @type {number[]} */
let wholeFlight = [];
let tracks = new Float32Array(0);

function drawTracks() {
  painter?.set("tracks", wholeFlight.length ? Float32Array.from([...wholeFlight, ...tracks]) : tracks);
  document.documentElement.dataset.flight = String(wholeFlight.length / 6);
  redraw();
}

const camera = new Camera(canvas, () => {
  isDirty = true;
  clearTimeout(viewTimer);
  viewTimer = setTimeout(sendView, SETTLED);
  schedule();
}, (x, y, reach) => order({ type: "pick", x, y, reach }));
const basemap = new Basemap();
const health = new Health();
const panel = new Panel(() => select(null));
const list = new List({
  select: (address) => {
    if (isNarrow()) openList(false); // it would cover the panel
    select(address, true);
  },
  sort: (sorting) => order({ type: "sort", sorting }),
  page: (first) => order({ type: "page", first }),
});
const flights = new Flights((track) => {
  wholeFlight = track;
  drawTracks();
});
const alerts = new Alerts((alert) => {
  if (Number.isFinite(alert.latitude) && Number.isFinite(alert.longitude))
    camera.goTo(toX(Number(alert.longitude)), toY(Number(alert.latitude)), Math.max(CLOSE, camera.zoom));
  select(alert.icao_address);
});
const search = new SearchBox({
  ask: (text) => order({ type: "search", text }),
  aircraft: (address, x, y) => {
    camera.goTo(x, y, Math.max(CLOSE, camera.zoom));
    select(address, true);
  },
  airport: (x, y) => camera.goTo(x, y, Math.max(9, camera.zoom)),
});
const timeline = new Timeline((time, speed) => order({ type: "time", at: time, speed }));

/** Whether the page is laid out as on a phone. */
const isNarrow = () => innerWidth <= 760;

/** @returns {"light" | "dark"} */
const theme = () => (document.documentElement.dataset.theme === "dark" ? "dark" : "light");

/** @param {"light" | "dark"} name */
function setTheme(name) {
  document.documentElement.dataset.theme = name;
  if (painter) painter.theme = THEMES[name];
  const { scale } = THEMES[name];
  /** @type {HTMLElement} */ (byId("scale").querySelector("ul")).replaceChildren(...scale.map((colour, i) => {
    const item = element("li", {}, String(i * 5));
    item.style.borderColor = colour;
    return item;
  }));
  redraw();
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
    panel.show(address, null);
    if (isOther) flights.show(address, panel.parts.flights, at(clock, Date.now()));
    if (isFocused) byId("panel").focus({ preventScroll: true });
  }
  byId("filters").hidden = true;
  byId("filters-button").setAttribute("aria-expanded", "false");
  writeAddress();
}

function sendView() {
  const box = camera.box();
  const wider = camera.box(0.5);
  const isWide = (camera.width / camera.scale) * 360 > WIDE;
  const { zoom, x, y, width, height } = camera;
  order({ type: "view", view: { box, zoom, x, y, width, height, ...show }, box, wider, isWide });
  writeAddress();
}

/** Everything that a link should show again is in the address. */
function writeAddress() {
  const written = new URLSearchParams();
  written.set("at", `${toLatitude(camera.y).toFixed(3)},${toLongitude(camera.x).toFixed(3)},${camera.zoom.toFixed(2)}`);
  toParameters(filters, written);
  if (selected) written.set("aircraft", selected);
  if (show.tracks) written.set("trails", "1");
  if (basemap.isOn) written.set("tiles", basemap.template);
  history.replaceState(null, "", `#${written.toString().replaceAll("%2C", ",")}`);
}

/** @param {URLSearchParams} from */
function readAddress(from) {
  const [latitude, longitude, zoom] = (from.get("at") ?? "").split(",").map(Number);
  if (![latitude, longitude, zoom].every(Number.isFinite) || !from.has("at")) return;
  Object.assign(camera, { x: toX(longitude), y: toY(latitude), zoom, isChosen: true });
}

// Drawing

function redraw() {
  isDirty = true;
  schedule();
}

let isScheduled = false;
function schedule() {
  if (isScheduled || document.hidden) return;
  isScheduled = true;
  requestAnimationFrame(frame);
}

/** @param {number} time */
function frame(time) {
  isScheduled = false;
  const isMoving = camera.step(time);
  if (isDirty || isMoving) {
    isDirty = false;
    lastDrawn = time;
    basemap.draw(camera);
    if (painter) painter.hasBasemap = basemap.isOn;
    if (painter?.draw(camera, (at(clock, Date.now()) - origin) / 1000, Math.min(2, devicePixelRatio)) === false) redraw();
  }
  if (isMoving) schedule();
}

/**
 * Looks at the region that the aircraft are in, once and unless somebody has chosen where to look; the world stays the world.
 * @param {Float32Array} data as the worker makes it
 */
function lookAt(data) {
  if (data.length < 8) return;
  const [left, top, right, bottom] = bounds(data);
  if (right - left > REGION) return;
  const covered = isNarrow() || byId("side").classList.contains("closed") ? 0 : byId("side").offsetWidth;
  const across = (camera.width - covered) / Math.max(right - left, 1e-6);
  const down = (camera.height - 2 * MARGIN) / Math.max(bottom - top, 1e-6);
  const zoom = Math.min(REGION_ZOOM, Math.log2(Math.min(across, down) / 256) - 0.3);
  camera.goTo((left + right) / 2 + covered / 2 / (256 * 2 ** zoom), (top + bottom) / 2, zoom);
}

/** Aircraft are drawn again when one of them may have moved half a pixel, once a second at least. */
function tick() {
  const pixelsASecond = PACE * 2 ** camera.zoom * Math.max(1, clock.rate);
  const every = Math.max(33, Math.min(SLOWEST, 500 / pixelsASecond));
  if (!document.hidden && performance.now() - lastDrawn >= every - 5) redraw();
  setTimeout(tick, every);
}

// What the worker says

/** @type {Record<string, (message: any) => void>} */
const handlers = {
  aircraft({ data, origin: from, clock: reading, shown, isPast }) {
    origin = from;
    clock = reading;
    shownPast = { shown, real: Date.now(), isPast };
    painter?.set("aircraft", data);
    if (!camera.isChosen) lookAt(data);
    document.documentElement.dataset.aircraft = String(data.length / 8);
    redraw();
  },
  labels({ glyphs, airports, tracks: made }) {
    painter?.set("text", glyphs);
    painter?.set("airports", airports);
    tracks = made;
    drawTracks();
  },
  world(world) {
    painter?.setWorld(world);
    kept.world = world;
    redraw();
  },
  airports({ names }) {
    panel.cities = names;
  },
  list: (message) => list.show(message),
  details({ address, aircraft }) {
    if (address === selected) panel.show(address, aircraft);
  },
  found: (message) => search.show(message),
  picked({ address }) {
    select(address);
  },
  alerts: ({ alerts: found }) => alerts.show(found),
  health(message) {
    health.show({ ...message, troubles: [...message.troubles, ...basemap.troubles] });
    timeline.span(message.since);
  },
};
/** @type {{world: any}} what is needed again after the graphics processor has lost it */
const kept = { world: null };

canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
canvas.addEventListener("webglcontextrestored", () => {
  makePainter();
  if (kept.world) painter?.setWorld(kept.world);
  sendView();
});

// Controls

const form = /** @type {HTMLFormElement} */ (byId("filters"));

function showFilters() {
  const written = new URLSearchParams();
  toParameters(filters, written);
  for (const field of form.elements)
    if (field instanceof HTMLInputElement && field.type === "checkbox") field.checked = written.has(field.name);
    else if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = written.get(field.name) ?? "";
  const count = [...written.keys()].length;
  byId("filters-count").hidden = count === 0;
  setText(byId("filters-count"), String(count));
}

function readFilters() {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value && name !== "area") fields.set(name, String(value));
  const area = /** @type {HTMLInputElement} */ (form.elements.namedItem("area"));
  if (area.checked) fields.set("area", (filters.area ?? camera.box()).join(","));
  filters = fromParameters(fields);
  order({ type: "filters", filters });
  const count = [...fields.keys()].length;
  byId("filters-count").hidden = count === 0;
  setText(byId("filters-count"), String(count));
  writeAddress();
}

/** @param {boolean} isOpen */
function openFilters(isOpen) {
  form.hidden = !isOpen;
  byId("filters-button").setAttribute("aria-expanded", String(isOpen));
  if (isOpen) /** @type {HTMLElement} */ (form.querySelector("input")).focus();
  else byId("filters-button").focus();
}

/** @param {boolean} isOpen */
function openList(isOpen) {
  byId("side-body").hidden = !isOpen;
  byId("side").classList.toggle("closed", !isOpen);
  byId("side-button").setAttribute("aria-expanded", String(isOpen));
  setText(byId("side-button"), isOpen ? "Hide list" : "List");
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

byId("filters-button").addEventListener("click", () => openFilters(!!form.hidden));
form.addEventListener("input", readFilters);
form.addEventListener("reset", () => setTimeout(readFilters));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  openFilters(false);
});
byId("side-button").addEventListener("click", () => openList(!!byId("side-body").hidden));
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
  try {
    localStorage.setItem("theme", name);
  } catch {
    // Storage may be forbidden: then the choice holds for this visit.
  }
  setTheme(name);
});
const about = /** @type {HTMLDialogElement} */ (byId("about"));
byId("more").addEventListener("click", () => about.showModal());
byId("basemap-form").addEventListener("submit", (event) => {
  event.preventDefault();
  basemap.set(/** @type {HTMLInputElement} */ (byId("basemap-url")).value.trim());
  about.close();
  writeAddress();
  redraw();
});

document.addEventListener("keydown", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.key === "Escape" && !about.open) {
    if (!form.hidden) openFilters(false);
    else if (selected !== null) {
      select(null);
      byId("canvas").focus();
    }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || about.open || target.closest("input, select, textarea")) return;
  /** @type {Record<string, () => void>} */
  const keys = {
    "/": () => byId("query").focus(),
    f: () => openFilters(!!form.hidden),
    l: () => {
      openList(true);
      const first = document.querySelector("tbody button") ?? document.querySelector("thead button");
      /** @type {HTMLElement | null} */ (first)?.focus();
    },
    m: () => canvas.focus(),
    t: () => byId("tracks").click(),
  };
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
document.addEventListener("visibilitychange", () => {
  order({ type: "hidden", isHidden: document.hidden });
  if (!document.hidden) redraw();
});
addEventListener("hashchange", ({ newURL }) => {
  // Not what the address says by now: a moving map may have written its own into it meanwhile.
  const from = new URLSearchParams(new URL(newURL).hash.slice(1));
  readAddress(from);
  filters = fromParameters(from);
  order({ type: "filters", filters });
  showFilters();
  basemap.set(from.get("tiles") ?? "");
  show.tracks = from.get("trails") === "1";
  byId("tracks").setAttribute("aria-pressed", String(show.tracks));
  if (from.get("aircraft") !== selected) select(from.get("aircraft"));
  camera.resize(camera.width, camera.height);
});

function start() {
  let wanted = null;
  try {
    wanted = localStorage.getItem("theme");
  } catch {
    // As above.
  }
  const isDark = wanted ? wanted === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
  readAddress(parameters);
  basemap.set(parameters.get("tiles") ?? "");
  // The worker is at it while the graphics processor, which takes longer, is made ready.
  camera.resize(innerWidth, innerHeight);
  order({ type: "filters", filters });
  sendView();
  listen(({ data }) => handlers[data.type]?.(data), (what) => setText(byId("trouble"), `The page's worker failed: ${what}`));
  makePainter();
  setTheme(theme());
  byId("tracks").setAttribute("aria-pressed", String(show.tracks));
  showFilters();
  openList(!isNarrow());
  new ResizeObserver(() => camera.resize(innerWidth, innerHeight)).observe(document.documentElement);
  if (selected !== null) select(selected);
  setInterval(() => {
    const now = Date.now();
    const { shown, real, isPast } = shownPast;
    timeline.at(isPast ? shown + (now - real) * (timeline.isPlaying ? Number(timeline.speed.value) : 0) : now, isPast, at(clock, now));
  }, 500);
  tick();
}

start();

/**
 * The canvas: what it shows, and when it is drawn.
 */
import { at, realTime } from "./clock.js";
import { byId } from "./dom.js";
import { Painter } from "./draw.js";
import { theme, THEMES } from "./theme.js";

/** An airliner's pixels a second where the world is 256 pixels wide: it is drawn again when it has moved half a pixel. */
const PACE = 256 * (0.25 / 40000);

export class Scene {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import("./camera.js").Camera} camera
   * @param {import("./basemap.js").Basemap} basemap
   * @param {() => void} onRestored after the graphics processor had lost everything
   */
  constructor(canvas, camera, basemap, onRestored) {
    this.canvas = canvas;
    this.camera = camera;
    this.basemap = basemap;
    /** @type {Painter | null} */
    this.painter = null;
    /** @type {import("./clock.js").Reading} */
    this.clock = { feed: realTime(), real: realTime(), rate: 1 };
    this.origin = 0;
    /** @type {any} */
    this.world = null;
    /** The way of a past flight, and the tracks that the worker made. @type {number[]} */
    this.wholeFlight = [];
    this.tracks = new Float32Array(0);
    this.isDirty = true;
    this.isScheduled = false;
    this.lastDrawn = 0;
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => {
      this.makePainter();
      if (this.world) this.painter?.setWorld(this.world);
      onRestored();
    });
  }

  makePainter() {
    try {
      this.painter = new Painter(this.canvas);
      this.painter.theme = THEMES[theme()];
    } catch (error) {
      this.painter = null;
      byId("no-webgl").hidden = false;
      this.canvas.hidden = true;
      console.info(`no map: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** @param {"light" | "dark"} name */
  setTheme(name) {
    if (this.painter) this.painter.theme = THEMES[name];
    this.redraw();
  }

  /** @param {any} message of the worker, as in those below */
  setAircraft({ data, origin, clock }) {
    Object.assign(this, { origin, clock });
    this.painter?.set("aircraft", data);
    document.documentElement.dataset.aircraft = String(data.length / 8);
    this.redraw();
  }

  /** @param {any} message */
  setLabels({ glyphs, airports, tracks }) {
    this.painter?.set("text", glyphs);
    this.painter?.set("airports", airports);
    this.tracks = tracks;
    this.#setTracks();
  }

  /** @param {any} world */
  setWorld(world) {
    this.painter?.setWorld(world);
    this.world = world;
    this.redraw();
  }

  /** @param {number[]} track of a past flight; empty is none */
  setFlight(track) {
    this.wholeFlight = track;
    this.#setTracks();
  }

  #setTracks() {
    this.painter?.set("tracks", this.wholeFlight.length ? Float32Array.from([...this.wholeFlight, ...this.tracks]) : this.tracks);
    document.documentElement.dataset.flight = String(this.wholeFlight.length / 6);
    this.redraw();
  }

  redraw() {
    this.isDirty = true;
    this.#schedule();
  }

  #schedule() {
    if (this.isScheduled || document.hidden) return;
    this.isScheduled = true;
    requestAnimationFrame((time) => this.#frame(time));
  }

  /** @param {number} time */
  #frame(time) {
    const { camera, basemap, painter } = this;
    this.isScheduled = false;
    const isMoving = camera.step(time);
    if (this.isDirty || isMoving) {
      this.isDirty = false;
      this.lastDrawn = time;
      basemap.draw(camera);
      if (painter) painter.hasBasemap = basemap.isOn;
      const now = (at(this.clock, realTime()) - this.origin) / 1000;
      if (painter?.draw(camera, now, Math.min(2, devicePixelRatio)) === false) this.redraw();
    }
    if (isMoving) this.#schedule();
  }

  /** Aircraft are drawn again when one of them may have moved half a pixel, once a second at least. */
  tick() {
    const pixelsASecond = PACE * 2 ** this.camera.zoom * Math.max(1, this.clock.rate);
    const every = Math.max(33, Math.min(1000, 500 / pixelsASecond));
    if (!document.hidden && performance.now() - this.lastDrawn >= every - 5) this.redraw();
    setTimeout(() => this.tick(), every);
  }
}

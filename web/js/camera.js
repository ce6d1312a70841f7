/**
 * Where the map is looked at, and how a mouse, fingers and keys move that.
 */
import { toLatitude, toLongitude } from "./geo.js";

const MOST_ZOOM = 15;
/** Inertia: what is left of the speed after a second, and pixels a second below which it ends. */
const FRICTION = 0.02;
const STANDSTILL = 12;
const KEY_STEP = 120;
const FLIGHT = 450;
/** How near a region is looked at; pixels above and below it that are covered. */
const REGION_ZOOM = 8.5;
const MARGIN = 80;

export class Camera {
  /**
   * @param {HTMLElement} element
   * @param {() => void} onMove
   * @param {(x: number, y: number, reach: number) => void} onClick on the map, with how far a finger or a mouse is off
   */
  constructor(element, onMove, onClick) {
    this.element = element;
    this.onMove = onMove;
    this.onClick = onClick;
    this.x = 0.5;
    this.y = 0.36;
    this.zoom = 2.4;
    this.width = 1;
    this.height = 1;
    /** @type {Map<number, {x: number, y: number}>} */
    this.pointers = new Map();
    this.speed = { x: 0, y: 0 };
    /** Whether somebody has chosen where to look: then the map does not choose any more. */
    this.isChosen = false;
    this.moved = 0;
    this.lastTime = 0;
    this.lastMove = 0;
    /** @type {{x: number, y: number, zoom: number, from: {x: number, y: number, zoom: number}, start: number} | null} */
    this.flight = null;
    this.isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    element.addEventListener("pointerdown", (event) => this.#down(event));
    element.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of /** @type {const} */ (["pointerup", "pointercancel"]))
      element.addEventListener(name, (event) => this.#up(event));
    element.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    element.addEventListener("dblclick", (event) => this.zoomBy(1, event.offsetX, event.offsetY));
    element.addEventListener("keydown", (event) => this.#key(event));
  }

  get scale() {
    return 256 * 2 ** this.zoom;
  }

  /** @param {number} width @param {number} height */
  resize(width, height) {
    this.width = width;
    this.height = height;
    this.#settle();
  }

  /** @param {number} x @param {number} y @param {number} zoom */
  goTo(x, y, zoom) {
    this.isChosen = true;
    this.speed = { x: 0, y: 0 };
    if (this.isCalm) Object.assign(this, { x, y, zoom });
    else {
      const near = x - Math.round(x - this.x);
      this.flight = { x: near, y, zoom, from: { x: this.x, y: this.y, zoom: this.zoom }, start: performance.now() };
    }
    this.#settle();
  }

  /** @param {number} x @param {number} y @returns {[number, number]} the pixel there */
  pixel(x, y) {
    const dx = x - this.x;
    return [this.width / 2 + (dx - Math.round(dx)) * this.scale, this.height / 2 + (y - this.y) * this.scale];
  }

  /** @param {{x: number, y: number, zoom: number} | null} place to be at at once, if any */
  put(place) {
    if (place) Object.assign(this, { ...place, isChosen: true, flight: null, speed: { x: 0, y: 0 } });
  }

  /**
   * @param {[number, number, number, number]} box left, top, right, bottom on the map
   * @param {number} covered pixels at the right that something lies over
   */
  fit([left, top, right, bottom], covered) {
    const across = (this.width - covered) / Math.max(right - left, 1e-6);
    const down = (this.height - 2 * MARGIN) / Math.max(bottom - top, 1e-6);
    const zoom = Math.min(REGION_ZOOM, Math.log2(Math.min(across, down) / 256) - 0.3);
    this.goTo((left + right) / 2 + covered / 2 / (256 * 2 ** zoom), (top + bottom) / 2, zoom);
  }

  /** @param {number} by @param {number} [px] the pixel that stays @param {number} [py] */
  zoomBy(by, px = this.width / 2, py = this.height / 2) {
    this.isChosen = true;
    const dx = px - this.width / 2;
    const dy = py - this.height / 2;
    const x = this.x + dx / this.scale;
    const y = this.y + dy / this.scale;
    this.flight = null;
    this.zoom = Math.max(this.leastZoom, Math.min(MOST_ZOOM, this.zoom + by));
    this.x = x - dx / this.scale;
    this.y = y - dy / this.scale;
    this.#settle();
  }

  /** The world is at least as wide and as high as the screen. */
  get leastZoom() {
    return Math.log2(Math.max(this.width, this.height) / 256);
  }

  /** @param {number} dx pixels @param {number} dy */
  panBy(dx, dy) {
    this.isChosen = true;
    this.flight = null;
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.#settle();
  }

  /**
   * Goes on with what was set off before.
   * @param {number} time performance.now()
   * @returns {boolean} whether it is still moving
   */
  step(time) {
    const seconds = Math.min(0.1, (time - this.lastTime) / 1000);
    this.lastTime = time;
    if (this.flight) {
      const { from, start } = this.flight;
      const part = Math.min(1, (time - start) / FLIGHT);
      const eased = 1 - (1 - part) ** 3;
      for (const name of /** @type {const} */ (["x", "y", "zoom"])) this[name] = from[name] + (this.flight[name] - from[name]) * eased;
      if (part === 1) this.flight = null;
      this.#settle();
      return true;
    }
    if (this.pointers.size || !Math.hypot(this.speed.x, this.speed.y)) return this.pointers.size > 0;
    this.panBy(this.speed.x * seconds, this.speed.y * seconds);
    const left = FRICTION ** seconds;
    this.speed.x *= left;
    this.speed.y *= left;
    if (Math.hypot(this.speed.x, this.speed.y) < STANDSTILL) this.speed = { x: 0, y: 0 };
    return true;
  }

  /**
   * @param {number} [margin] as a part of the view
   * @returns {import("./objects.js").Box} south, west, north, east
   */
  box(margin = 0) {
    const halfWidth = (this.width / 2 / this.scale) * (1 + margin);
    const halfHeight = (this.height / 2 / this.scale) * (1 + margin);
    const [top, bottom] = [this.y - halfHeight, this.y + halfHeight];
    // The whole world is half of it to each side, but for rounding; what is nearer to a pole is drawn at the edge.
    const isAll = halfWidth > 0.4999;
    const west = isAll ? -180 : toLongitude(this.x - halfWidth);
    const east = isAll ? 180 : toLongitude(this.x + halfWidth);
    return [bottom > 0.9999 ? -90 : toLatitude(bottom), west, top < 0.0001 ? 90 : toLatitude(top), east];
  }

  #settle() {
    this.zoom = Math.max(this.leastZoom, Math.min(MOST_ZOOM, this.zoom));
    const half = this.height / 2 / this.scale;
    this.y = half >= 0.5 ? 0.5 : Math.max(half, Math.min(1 - half, this.y));
    this.x = ((this.x % 1) + 1) % 1;
    this.onMove();
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button !== 0) return;
    this.element.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    this.speed = { x: 0, y: 0 };
    this.flight = null;
    if (this.pointers.size === 1) this.moved = 0;
    this.lastMove = event.timeStamp;
    this.onMove();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const pointer = this.pointers.get(event.pointerId);
    if (!pointer) return;
    if (!(event.buttons & 1)) {
      // It was let go where the page did not hear of it.
      this.pointers.delete(event.pointerId);
      this.speed = { x: 0, y: 0 };
      return;
    }
    const before = [...this.pointers.values()].map(({ x, y }) => ({ x, y }));
    const dx = event.offsetX - pointer.x;
    const dy = event.offsetY - pointer.y;
    pointer.x = event.offsetX;
    pointer.y = event.offsetY;
    this.moved += Math.abs(dx) + Math.abs(dy);
    if (before.length === 1) {
      this.panBy(dx, dy);
      const seconds = Math.max(0.004, (event.timeStamp - this.lastMove) / 1000);
      this.lastMove = event.timeStamp;
      for (const [name, by] of /** @type {["x" | "y", number][]} */ ([["x", dx], ["y", dy]])) this.speed[name] += (by / seconds - this.speed[name]) * 0.4;
      return;
    }
    const after = [...this.pointers.values()];
    const apart = (/** @type {{x: number, y: number}[]} */ [a, b]) => Math.hypot(a.x - b.x, a.y - b.y) || 1;
    const middle = (/** @type {{x: number, y: number}[]} */ [a, b]) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
    const [from, to] = [middle(before), middle(after)];
    this.panBy(to.x - from.x, to.y - from.y);
    this.zoomBy(Math.log2(apart(after) / apart(before)), to.x, to.y);
    this.speed = { x: 0, y: 0 };
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    if (event.timeStamp - this.lastMove > 60 || this.isCalm) this.speed = { x: 0, y: 0 };
    if (event.type === "pointerup" && this.moved < 6 && !this.pointers.size) {
      const reach = (event.pointerType === "touch" ? 28 : 16) / this.scale;
      this.onClick(this.x + (event.offsetX - this.width / 2) / this.scale, this.y + (event.offsetY - this.height / 2) / this.scale, reach);
    }
    this.onMove();
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    this.speed = { x: 0, y: 0 };
    this.zoomBy(Math.max(-1, Math.min(1, (-event.deltaY * lines) / (event.ctrlKey ? 100 : 320))), event.offsetX, event.offsetY);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? KEY_STEP * 3 : KEY_STEP;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowLeft: () => this.panBy(step, 0),
      ArrowRight: () => this.panBy(-step, 0),
      ArrowUp: () => this.panBy(0, step),
      ArrowDown: () => this.panBy(0, -step),
      "+": () => this.zoomBy(0.5),
      "=": () => this.zoomBy(0.5),
      "-": () => this.zoomBy(-0.5),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }
}

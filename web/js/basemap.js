/**
 * A raster background by an address of the user's own, under the map. Off unless it is set.
 */
import { byId } from "./dom.js";

/** Milliseconds after which a tile that did not come is asked for again. */
const AGAIN = 30000;

export class Basemap {
  /** @param {() => void} onUse somebody has set other tiles */
  constructor(onUse) {
    this.field = /** @type {HTMLInputElement} */ (byId("basemap-url"));
    this.folder = byId("basemap");
    this.template = "";
    /** @type {Map<string, HTMLImageElement>} */
    this.tiles = new Map();
    /** Of this address. */
    this.came = this.failed = 0;
    byId("basemap-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.set(this.field.value.trim());
      onUse();
    });
  }

  /** @returns {import("./objects.js").Trouble[]} no tile at all; single ones may be missing where there is no map */
  get troubles() {
    return this.failed && !this.came ? [{ what: "the background's tiles", isDamaged: false }] : [];
  }

  /** @param {string} template with {z}, {x} and {y}; empty is none */
  set(template) {
    this.field.value = template;
    this.template = /\{z\}.*\{x\}.*\{y\}|\{z\}.*\{y\}.*\{x\}/.test(template) ? template : "";
    this.tiles.clear();
    this.came = this.failed = 0;
    this.folder.replaceChildren();
  }

  get isOn() {
    return this.template !== "";
  }

  /** @param {import("./draw.js").Camera} camera */
  draw(camera) {
    if (!this.isOn) return;
    const level = Math.max(0, Math.min(19, Math.round(camera.zoom)));
    const size = 256 * 2 ** (camera.zoom - level);
    const count = 2 ** level;
    const left = camera.x * count - camera.width / 2 / size;
    const top = camera.y * count - camera.height / 2 / size;
    const wanted = new Set();
    for (let y = Math.max(0, Math.floor(top)); y < Math.min(count, top + camera.height / size); y++)
      for (let x = Math.floor(left); x < left + camera.width / size; x++) {
        const key = `${level}/${x}/${y}`;
        wanted.add(key);
        const tile = this.tiles.get(key) ?? this.#load(key, level, ((x % count) + count) % count, y);
        // Half a pixel more: no gaps between tiles.
        tile.style.transform = `translate(${(x - left) * size}px, ${(y - top) * size}px) scale(${(size + 0.5) / 256})`;
      }
    for (const [key, tile] of this.tiles)
      if (!wanted.has(key)) {
        tile.remove();
        this.tiles.delete(key);
      }
  }

  /** @param {string} key @param {number} z @param {number} x @param {number} y */
  #load(key, z, x, y) {
    const tile = new Image(256, 256);
    tile.alt = "";
    const { template } = this;
    tile.addEventListener("load", () => {
      if (template === this.template) this.came++;
    });
    tile.addEventListener("error", () => {
      if (template !== this.template) return;
      this.failed++;
      setTimeout(() => {
        tile.remove();
        if (this.tiles.get(key) === tile) this.tiles.delete(key);
      }, AGAIN);
    });
    tile.src = this.template.replace("{z}", String(z)).replace("{x}", String(x)).replace("{y}", String(y));
    this.tiles.set(key, tile);
    this.folder.append(tile);
    return tile;
  }
}

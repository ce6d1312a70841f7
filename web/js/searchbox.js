/**
 * The search: aircraft and airports by the beginning of a name.
 */
import { byId, element, number } from "./dom.js";

/**
 * @typedef {object} Found
 * @property {string} text
 * @property {(import("./picture.js").Row & {x: number, y: number})[]} aircraft
 * @property {{name: string, city: string, x: number, y: number}[]} airports
 */

export class SearchBox {
  /** @param {{ask: (text: string) => void, aircraft: (address: string, x: number, y: number) => void, airport: (x: number, y: number) => void}} on */
  constructor(on) {
    this.on = on;
    this.input = /** @type {HTMLInputElement} */ (byId("query"));
    this.results = byId("results");
    /** @type {(() => void)[]} */
    this.choices = [];
    this.at = -1;
    /** What the results are of, and whether one was chosen before they were there. @type {string | null} */
    this.found = null;
    this.isHasty = false;
    this.input.addEventListener("input", () => {
      this.isHasty = false;
      on.ask(this.input.value);
    });
    this.input.addEventListener("focus", () => on.ask(this.input.value));
    this.input.addEventListener("blur", () => setTimeout(() => {
      if (document.activeElement !== this.input) this.#close();
    }, 150));
    this.input.addEventListener("keydown", (event) => this.#key(event));
    byId("search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.isHasty = this.found !== this.input.value;
      if (!this.isHasty) this.#choose(Math.max(0, this.at));
    });
  }

  /** @param {Found} found @param {string} where aircraft were looked for, if not everywhere */
  show(found, where) {
    if (found.text !== this.input.value || document.activeElement !== this.input) return;
    this.at = -1;
    this.found = found.text;
    this.choices = [];
    const options = [];
    for (const row of found.aircraft) {
      options.push([row.name, [row.type, row.onGround ? "ground" : number(row.altitude, " ft")].filter(Boolean).join(" · ")]);
      this.choices.push(() => this.on.aircraft(row.address, row.x, row.y));
    }
    for (const airport of found.airports) {
      options.push([airport.name, airport.city]);
      this.choices.push(() => this.on.airport(airport.x, airport.y));
    }
    if (!options.length && found.text.trim()) options.push(["Nothing found", where]);
    this.results.replaceChildren(...options.map(([name, more], i) => {
      const option = element("li", { role: "option", id: `result-${i}`, "aria-selected": "false" }, element("span", {}, name), element("span", {}, more));
      option.addEventListener("pointerdown", () => this.#choose(i));
      return option;
    }));
    this.#open(options.length > 0);
    if (this.isHasty) this.#choose(0);
  }

  /** @param {boolean} isOpen */
  #open(isOpen) {
    this.results.hidden = !isOpen;
    this.input.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) this.input.removeAttribute("aria-activedescendant");
  }

  #close() {
    this.#open(false);
    this.at = -1;
    this.found = null;
    this.isHasty = false;
  }

  /** @param {number} place */
  #choose(place) {
    const choice = this.choices[place];
    if (!choice) return;
    this.#close();
    this.input.blur();
    choice();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key === "Escape") {
      if (!this.results.hidden) event.stopPropagation(); // it closes one thing
      this.#close();
      this.input.blur();
    } else if (event.key in steps && this.choices.length) {
      event.preventDefault();
      const step = steps[/** @type {"ArrowDown" | "ArrowUp"} */ (event.key)];
      this.at = (Math.max(this.at, step < 0 ? 0 : -1) + step + this.choices.length) % this.choices.length;
      [...this.results.children].forEach((option, i) => option.setAttribute("aria-selected", String(i === this.at)));
      this.input.setAttribute("aria-activedescendant", `result-${this.at}`);
    }
  }
}

/**
 * Small helpers for the page's elements and for numbers as people read them.
 */

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export const byId = (id) => /** @type {T} */ (document.getElementById(id));

/**
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** @param {Node} node @param {string} text what changes nothing costs nothing */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const numbers = new Intl.NumberFormat("en");
/** @param {number | null | undefined} value @param {string} [unit] */
export const number = (value, unit = "") => (typeof value === "number" && Number.isFinite(value) ? numbers.format(Math.round(value)) + unit : "–");

/** @param {number | null | undefined} seconds */
export function duration(seconds) {
  if (typeof seconds !== "number" || !Number.isFinite(seconds)) return "–";
  if (seconds < 99.5) return `${Math.max(0, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** @param {number} time milliseconds since the epoch @returns {string} in UTC, as aviation has it */
export const clockTime = (time) => (Number.isFinite(time) ? `${new Date(time).toISOString().slice(11, 19)} Z` : "–");
/** @param {number} time */
export const dateTime = (time) => (Number.isFinite(time) ? `${new Date(time).toISOString().slice(0, 10)} ${clockTime(time)}` : "–");

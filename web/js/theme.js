/**
 * The map's colours, by day and by night.
 */

/** @param {string} hex @returns {number[]} */
const colour = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);

/** Every 5,000 feet from the ground to 40,000: warm below, cold above. */
const RAMPS = {
  light: ["#b23a18", "#c86a10", "#a8820c", "#5f8f1c", "#1b8a4b", "#10808c", "#2467b8", "#4a49b5", "#7a33a8"],
  dark: ["#ff8259", "#ffab4a", "#f2d14e", "#a8dc55", "#57d68d", "#4fd0dc", "#6cb2ff", "#9a96ff", "#d68bff"],
};

/** @type {Record<"light" | "dark", import("./draw.js").Theme & {scale: string[]}>} */
export const THEMES = {
  light: {
    water: colour("#dde7e8"),
    land: colour("#f5f0e2"),
    coast: colour("#86a0a8"),
    border: colour("#d3c7ad"),
    grid: colour("#ccd8d8"),
    halo: colour("#fffdf6"),
    ramp: RAMPS.light.map(colour),
    scale: RAMPS.light,
    ways: ["#000000", "#6f6a60", "#d01509", "#8c1d63", "#a8518a", "#1b2a33", "#5d6d75"].map(colour),
  },
  dark: {
    water: colour("#0a141b"),
    land: colour("#14222b"),
    coast: colour("#3d5c6b"),
    border: colour("#283a45"),
    grid: colour("#182630"),
    halo: colour("#060c10"),
    ramp: RAMPS.dark.map(colour),
    scale: RAMPS.dark,
    ways: ["#ffffff", "#8c979e", "#ff5a4d", "#ffc8ec", "#c98bb6", "#dfe9ee", "#91a3ad"].map(colour),
  },
};

/** @returns {"light" | "dark"} the one that is shown */
export const theme = () => (document.documentElement.dataset.theme === "dark" ? "dark" : "light");

/** @returns {"light" | "dark"} the one of an earlier visit, or the system's */
export function preferred() {
  let isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  try {
    isDark = (localStorage.getItem("theme") ?? (isDark ? "dark" : "")) === "dark";
  } catch {
    // Storage may be forbidden.
  }
  return isDark ? "dark" : "light";
}

/** @param {string} name for later visits */
export function remember(name) {
  try {
    localStorage.setItem("theme", name);
  } catch {
    // As above: then the choice holds for this visit.
  }
}

/**
 * The list of aircraft in view: sortable, in pages, and the way to everything for those who do not see the map.
 */
import { byId, duration, element, number, setText } from "./dom.js";

/** @typedef {import("./picture.js").Row} Row */

const COLUMNS = [
  { key: "name", title: "Aircraft" },
  { key: "type", title: "Type" },
  { key: "route", title: "Route" },
  { key: "altitude", title: "Altitude, ft", isNumber: true },
  { key: "speed", title: "Speed, kt", isNumber: true },
  { key: "age", title: "Age", isNumber: true },
];

/** @param {Row} row @returns {string[]} the cells after the first */
const cells = (row) => [
  row.type,
  row.route,
  row.onGround ? "ground" : number(row.altitude) + (Math.abs(row.verticalRate ?? 0) > 250 ? (Number(row.verticalRate) > 0 ? " ↑" : " ↓") : ""),
  number(row.speed),
  duration(row.age),
];

export class List {
  /** @param {{select: (address: string) => void, sort: (sorting: {key: string, descending: boolean}) => void, page: (first: number) => void}} on */
  constructor(on) {
    this.on = on;
    this.sorting = { key: "altitude", descending: true };
    this.first = 0;
    this.inView = 0;
    /** @type {string | null} */
    this.selected = null;
    this.side = byId("side");
    /** The lines, by the aircraft's addresses. @type {Map<string, HTMLElement>} */
    this.lines = new Map();
    this.body = /** @type {HTMLElement} */ (this.side.querySelector("tbody"));
    const head = /** @type {HTMLElement} */ (this.side.querySelector("thead tr"));
    for (const { key, title, isNumber } of COLUMNS) {
      const button = element("button", { type: "button" }, title);
      button.addEventListener("click", () => this.#sort(key));
      head.append(element("th", { scope: "col", "data-key": key, ...(isNumber ? { class: "number" } : {}) }, button));
    }
    this.#showSorting();
    this.body.addEventListener("click", (event) => {
      const row = /** @type {HTMLElement} */ (event.target).closest("tr");
      if (row?.dataset.address) on.select(row.dataset.address);
    });
    byId("before").addEventListener("click", () => on.page(this.first - 100));
    byId("next").addEventListener("click", () => on.page(this.first + 100));
  }

  /** @param {string} key */
  #sort(key) {
    const isSame = key === this.sorting.key;
    this.sorting = { key, descending: isSame ? !this.sorting.descending : COLUMNS.some((c) => c.key === key && c.isNumber) };
    this.#showSorting();
    this.on.sort(this.sorting);
  }

  #showSorting() {
    for (const head of this.side.querySelectorAll("th")) {
      const isThis = head.dataset.key === this.sorting.key;
      head.setAttribute("aria-sort", isThis ? (this.sorting.descending ? "descending" : "ascending") : "none");
    }
  }

  /** @param {{rows: Row[], first: number, inView: number, total: number}} list */
  show({ rows, first, inView, total }) {
    this.first = first;
    this.inView = inView;
    setText(byId("in-view"), `${number(inView)} of ${number(total)}`);
    const before = this.lines;
    this.lines = new Map(rows.map(({ address }) => [address, before.get(address) ?? blank()]));
    for (const [address, line] of before)
      if (!this.lines.has(address)) {
        if (line.contains(document.activeElement)) /** @type {HTMLElement} */ (line.closest(".scroll")).focus();
        line.remove();
      }
    const { children } = this.body;
    [...this.lines.values()].forEach((line, i) => {
      // A line that has the focus would lose it: the others are moved around it.
      if (line.contains(document.activeElement)) while (children[i] !== line) this.body.append(children[i]);
      else if (children[i] !== line) this.body.insertBefore(line, children[i]);
    });
    rows.forEach((row, i) => {
      const line = /** @type {HTMLElement} */ (children[i]);
      const [name, ...others] = line.children;
      line.dataset.address = row.address;
      line.className = row.emergency ? "emergency" : row.age > 60 ? "old" : "";
      if ((line.getAttribute("aria-current") === "true") !== (row.address === this.selected))
        line.setAttribute("aria-current", String(row.address === this.selected));
      setText(/** @type {Node} */ (name.firstChild), row.emergency ? `${row.name} ${["", "7500", "7600", "7700"][row.emergency]}` : row.name);
      cells(row).forEach((text, cell) => setText(others[cell], text));
    });
    byId("pages").hidden = inView <= 100;
    setText(byId("page"), `${number(first + 1)} to ${number(first + rows.length)}`);
    byId("before").toggleAttribute("disabled", first === 0);
    byId("next").toggleAttribute("disabled", first + rows.length >= inView);
  }
}

function blank() {
  const line = element("tr", {}, element("td", {}, element("button", { type: "button" })));
  for (const { isNumber } of COLUMNS.slice(1)) line.append(element("td", isNumber ? { class: "number" } : {}));
  return line;
}

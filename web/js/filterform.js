/**
 * The form of the filters.
 */
import { byId, setText } from "./dom.js";
import { fromParameters, toParameters } from "./filters.js";

export class FilterForm {
  /**
   * @param {() => import("./objects.js").Box} area what is looked at
   * @param {(filters: import("./filters.js").Filters) => void} onChange
   */
  constructor(area, onChange) {
    this.area = area;
    this.onChange = onChange;
    this.form = /** @type {HTMLFormElement} */ (byId("filters"));
    this.button = byId("filters-button");
    /** @type {import("./filters.js").Filters} */
    this.filters = {};
    this.button.addEventListener("click", () => this.toggle());
    this.form.addEventListener("input", () => this.#read());
    this.form.addEventListener("reset", () => setTimeout(() => this.#read()));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.open(false);
    });
  }

  get isOpen() {
    return !this.form.hidden;
  }

  /** Shows the filters in the form. */
  show() {
    const written = new URLSearchParams();
    toParameters(this.filters, written);
    for (const field of this.form.elements)
      if (field instanceof HTMLInputElement && field.type === "checkbox") field.checked = written.has(field.name);
      else if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = written.get(field.name) ?? "";
    this.#count(written);
  }

  #read() {
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(this.form)) if (value && name !== "area") fields.set(name, String(value));
    const area = /** @type {HTMLInputElement} */ (this.form.elements.namedItem("area"));
    if (area.checked) fields.set("area", (this.filters.area ?? this.area()).join(","));
    this.filters = fromParameters(fields);
    this.#count(fields);
    this.onChange(this.filters);
  }

  /** @param {URLSearchParams} fields */
  #count(fields) {
    const count = [...fields.keys()].length;
    byId("filters-count").hidden = count === 0;
    setText(byId("filters-count"), String(count));
  }

  toggle() {
    this.open(!this.isOpen);
  }

  /** @param {boolean} isOpen */
  open(isOpen) {
    this.form.hidden = !isOpen;
    this.button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) /** @type {HTMLElement} */ (this.form.querySelector("input")).focus();
    else this.button.focus();
  }

  /** Closes it and leaves the focus alone. */
  hide() {
    this.form.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
  }
}

/**
 * The flights of the selected aircraft over the last days, from the API; a click draws the whole way of one.
 */
import { element } from "./dom.js";
import { toX, toY } from "./geo.js";
import { reason, untilItWorks } from "./retry.js";

const DAY = 86400e3;
const DAYS = 3;
const TIMEOUT = 20000;

/** @typedef {{id: string, callsign?: string, departure_airport_icao?: string, arrival_airport_icao?: string, takeoff_time?: string, landing_time?: string, first_time: string, last_time: string}} Flight */
/** @typedef {{geometry: {coordinates: [number, number][][]}, properties: {altitudes: (number | null)[]}}} Way */

/** Answers of a page without an API, of an API for others than the page is, and of one that has no such thing. */
const NOT_THERE = [401, 403, 404];

/** @param {string} path @returns {Promise<any>} null if there is none */
async function ask(path) {
  const response = await fetch(new URL(`api/${path}`, document.baseURI), { signal: AbortSignal.timeout(TIMEOUT) });
  if (NOT_THERE.includes(response.status)) return null;
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  try {
    return await response.json();
  } catch {
    throw new Error("not an answer of the API");
  }
}

/** @param {Flight} flight */
function title(flight) {
  const begin = flight.takeoff_time ?? flight.first_time;
  const end = flight.landing_time ?? flight.last_time;
  return [
    `${flight.callsign ?? "?"} · ${flight.departure_airport_icao ?? "?"} → ${flight.arrival_airport_icao ?? "?"}`,
    `${begin.slice(5, 10)} ${begin.slice(11, 16)}–${end.slice(11, 16)} Z`,
  ];
}

/** @param {string} text */
const trouble = (text) => element("p", { role: "status" }, text);

/** @param {Way} way @returns {number[]} pieces as the painter takes tracks, each with the altitude it ends at */
export function pieces(way) {
  const { altitudes } = way.properties;
  const found = [];
  let first = 0; // of a line, among the points of all lines
  for (const line of way.geometry.coordinates) {
    for (let i = 1; i < line.length; i++) {
      const [from, to] = [line[i - 1], line[i]];
      found.push(toX(from[0]), toY(from[1]), toX(to[0]), toY(to[1]), altitudes[first + i] ?? 0, 1);
    }
    first += line.length;
  }
  return found;
}

export class Flights {
  /** @param {(track: number[]) => void} draw is given the way that is shown, nothing if none is */
  constructor(draw) {
    this.draw = draw;
    this.ticket = 0;
    /** The list that is shown, or asked for. */
    this.listed = 0;
    /** Of whom it is, and of when. */
    this.subject = "";
  }

  /**
   * @param {string} address
   * @param {HTMLElement} place where the list goes
   * @param {number} now the feed's clock
   */
  async show(address, place, now) {
    const subject = `${address} ${Math.floor(now / DAY)}`;
    if (subject === this.subject) return;
    this.subject = subject;
    const ticket = (this.listed = this.forget());
    const heading = element("h3", {}, "Flights");
    const days = Array.from({ length: DAYS }, (_, back) => new Date(now - back * DAY).toISOString().slice(0, 10));
    const pages = await untilItWorks(
      () => Promise.all(days.map((day) => ask(`flights?date=${day}&icao_address=${encodeURIComponent(address)}`))),
      () => ticket === this.listed,
      (error) => {
        place.hidden = false;
        place.replaceChildren(heading, trouble(`Cannot be had: ${reason(error)}. Trying again.`));
      },
    );
    if (!pages || ticket !== this.listed) return;
    const found = pages.flatMap((page) => /** @type {Flight[]} */ (page?.flights ?? []).reverse());
    place.hidden = !found.length;
    place.replaceChildren(heading, element("ul", {}, ...found.map((one) => element("li", {}, this.#button(one)))));
  }

  /** Nobody looks at an aircraft any more. */
  close() {
    this.subject = "";
    this.listed = this.forget();
  }

  /** The way that is shown goes, and one that is asked for is not waited for. */
  forget() {
    this.draw([]);
    return ++this.ticket;
  }

  /** @param {Flight} flight */
  #button(flight) {
    const button = element("button", { type: "button", "aria-pressed": "false" }, ...title(flight).map((text) => element("span", {}, text)));
    button.addEventListener("click", async () => {
      const isOn = button.getAttribute("aria-pressed") !== "true";
      const ticket = this.forget();
      for (const other of button.closest("ul")?.querySelectorAll("button") ?? []) other.setAttribute("aria-pressed", String(isOn && other === button));
      const list = button.closest("section");
      list?.querySelector("p")?.remove();
      if (!isOn) return;
      const say = (/** @type {string} */ text) => {
        list?.querySelector("p")?.remove();
        if (text) list?.append(trouble(text));
      };
      const way = await untilItWorks(
        () => ask(`flights/${encodeURIComponent(flight.id)}`),
        () => ticket === this.ticket,
        (error) => say(`Its way cannot be had: ${reason(error)}. Trying again.`),
      );
      if (ticket !== this.ticket) return;
      say(way ? "" : "Its way is not there any more.");
      if (way) this.draw(pieces(way));
      else button.setAttribute("aria-pressed", "false");
    });
    return button;
  }
}

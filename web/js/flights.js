/**
 * The flights of the selected aircraft over the last days, from the API; a click draws the whole way of one.
 * @module
 */
import { element } from "./dom.js";
import { toX, toY } from "./geo.js";

const DAY = 86400e3;
const DAYS = 3;
const TIMEOUT = 20000;

/** @typedef {{id: string, callsign?: string, departure_airport_icao?: string, arrival_airport_icao?: string, takeoff_time?: string, landing_time?: string, first_time: string, last_time: string}} Flight */
/** @typedef {{geometry: {coordinates: [number, number][][]}, properties: {altitudes: (number | null)[]}}} Way */

/** @param {string} path @returns {Promise<any>} */
async function ask(path) {
  const response = await fetch(new URL(`api/${path}`, document.baseURI), { signal: AbortSignal.timeout(TIMEOUT) });
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return response.json();
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

/** @param {Way} way @returns {number[]} pieces as the painter takes tracks */
function pieces(way) {
  const { altitudes } = way.properties;
  const found = [];
  let place = 0;
  for (const line of way.geometry.coordinates) {
    for (let i = 1; i < line.length; i++) {
      const [from, to] = [line[i - 1], line[i]];
      found.push(toX(from[0]), toY(from[1]), toX(to[0]), toY(to[1]), altitudes[Math.min(++place, altitudes.length - 1)] ?? 0, 1);
    }
  }
  return found;
}

export class Flights {
  /** @param {(track: number[]) => void} draw is given the way that is shown, nothing if none is */
  constructor(draw) {
    this.draw = draw;
    this.ticket = 0;
  }

  /**
   * @param {string} address
   * @param {HTMLElement} place where the list goes
   * @param {number} now the feed's clock
   */
  async show(address, place, now) {
    const ticket = this.forget();
    const days = Array.from({ length: DAYS }, (_, back) => new Date(now - back * DAY).toISOString().slice(0, 10));
    try {
      const pages = await Promise.all(days.map((day) => ask(`flights?date=${day}&icao_address=${encodeURIComponent(address)}`)));
      if (ticket !== this.ticket) return;
      const found = pages.flatMap((page) => /** @type {Flight[]} */ (page.flights).reverse());
      place.hidden = !found.length;
      place.replaceChildren(element("h3", {}, "Flights"), element("ul", {}, ...found.map((one) => element("li", {}, this.#button(one)))));
    } catch (error) {
      // The page may be served without the API, or for others than the API is: then there is no list.
      console.info(`no flights: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** What is shown goes, and what is asked for is not waited for. */
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
      if (!isOn) return;
      try {
        const track = pieces(await ask(`flights/${encodeURIComponent(flight.id)}`));
        if (ticket === this.ticket) this.draw(track);
      } catch (error) {
        button.setAttribute("aria-pressed", "false");
        console.info(`no track: ${error instanceof Error ? error.message : error}`);
      }
    });
    return button;
  }
}

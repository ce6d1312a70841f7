/**
 * The panel of the selected aircraft: all that is known of it, and how old that is.
 */
import { byId, clockTime, dateTime, duration, element, number, setText } from "./dom.js";
import { EMERGENCY_NAMES } from "./fleet.js";

/** @typedef {import("./picture.js").Details} Details */

/** @type {[string, (d: Details) => string | null | undefined][]} */
const FIELDS = [
  ["Registration", (d) => d.identity.tail_number],
  ["Type", (d) => [d.identity.aircraft_type_icao, d.identity.aircraft_type_name].filter(Boolean).join(" · ")],
  ["Airline", (d) => [d.identity.airline_iata, d.identity.airline_name].filter(Boolean).join(" · ")],
  ["Flight", (d) => d.identity.flight_number],
  ["Squawk", (d) => d.identity.squawk],
  ["ICAO address", (d) => d.address],
  ["Received by", (d) => ({ terrestrial: "ground station", satellite: "satellite" })[d.source] ?? d.source],
  ["Position", (d) => `${degrees(d.latitude, "N", "S")} ${degrees(d.longitude, "E", "W")}`],
  ["Reported", (d) => `${clockTime(d.positionTime ?? NaN)}`],
  ["Ingested", (d) => dateTime(d.ingestion ?? NaN)],
];

/** @param {number} value @param {string} above @param {string} below */
const degrees = (value, above, below) => (Number.isFinite(value) ? `${Math.abs(value).toFixed(4)}° ${value < 0 ? below : above}` : "–");

export class Panel {
  /** @param {() => void} onClose */
  constructor(onClose) {
    this.panel = byId("panel");
    this.onClose = onClose;
    /** @type {Record<string, string>} */
    this.cities = {};
    /** @type {Record<string, HTMLElement>} */
    this.parts = {};
    this.address = "";
  }

  /** @param {string} address @param {Details | null} aircraft @param {string} [absent] why nothing is known of it */
  show(address, aircraft, absent = "") {
    if (this.address !== address || !this.panel.children.length) this.#build(address);
    const { parts } = this;
    this.panel.hidden = false;
    setText(parts.name, aircraft?.name ?? address);
    parts.absent.hidden = !!aircraft;
    setText(parts.absent, absent);
    parts.known.hidden = !aircraft;
    parts.badge.hidden = !aircraft?.emergency;
    if (!aircraft) return;
    setText(parts.badge, EMERGENCY_NAMES[aircraft.emergency]);
    const { departure_airport_icao: from, arrival_airport_icao: to } = aircraft.identity;
    parts.route.hidden = !from && !to;
    setText(parts.from, from ?? "?");
    setText(parts.to, to ?? "?");
    setText(parts.fromCity, this.cities[from ?? ""] ?? "");
    setText(parts.toCity, this.cities[to ?? ""] ?? "");
    setText(parts.altitude, aircraft.onGround ? "on ground" : number(aircraft.altitude, " ft"));
    setText(parts.speed, number(aircraft.speed, " kt"));
    setText(parts.rate, number(aircraft.verticalRate, " ft/min"));
    setText(parts.heading, aircraft.heading === null ? "–" : `${String(Math.round(aircraft.heading) % 360).padStart(3, "0")}°`);
    const { age } = aircraft;
    setText(parts.age, Number.isNaN(age) ? "No position" : age < 60 ? `Position ${duration(age)} old, carried forward` : `Position ${duration(age)} old: it is drawn where it was expected a minute after it`);
    parts.age.classList.toggle("alarm", age >= 60);
    FIELDS.forEach(([title, read]) => setText(parts[title], read(aircraft) || "–"));
  }

  hide() {
    this.panel.hidden = true;
    this.address = "";
  }

  /** @param {string} address */
  #build(address) {
    this.address = address;
    const { parts } = this;
    const made = (/** @type {string} */ name, /** @type {string} */ tag, /** @type {Record<string, string>} */ attributes = {}) => (parts[name] = element(tag, attributes));
    const close = element("button", { type: "button", class: "close", "aria-label": "Close" }, "✕");
    close.addEventListener("click", () => this.onClose());
    const figure = (/** @type {string} */ title, /** @type {string} */ name) => element("div", {}, element("dt", {}, title), made(name, "dd"));
    parts.route = element("p", { class: "route" },
      element("span", {}, made("from", "span"), made("fromCity", "small")), "→",
      element("span", {}, made("to", "span"), made("toCity", "small")));
    const fields = element("dl", { class: "fields" });
    for (const [title] of FIELDS) fields.append(element("dt", {}, title), made(title, "dd"));
    parts.known = element("div", {}, made("age", "p"), parts.route,
      element("dl", { class: "figures" }, figure("Altitude", "altitude"), figure("Speed", "speed"), figure("Vertical rate", "rate"), figure("Heading", "heading")), fields);
    const flights = made("flights", "section", { class: "flights", "aria-label": "Flights of the last days", hidden: "" });
    this.panel.replaceChildren(close, made("name", "h2"), made("badge", "p", { class: "badge" }), made("absent", "p"), parts.known, flights);
  }
}

/**
 * Alerts: a list, a notice for each new one, and a sound if it is wanted.
 */
import { byId, element, number, setText } from "./dom.js";

/** Milliseconds for which a notice stays. */
const SHOWN = 12000;
const MOST_NOTICES = 3;

/** @typedef {{id: string, rule: string, icao_address: string, at: string, callsign?: string, squawk?: string, latitude?: number, longitude?: number, text?: string}} Alert */

/** @param {any} alert @returns {alert is Alert} */
const isAlert = (alert) => !!alert && ["id", "rule", "icao_address", "at"].every((name) => typeof alert[name] === "string");

/** @param {Alert} alert */
const title = (alert) => `${alert.callsign || alert.icao_address} · ${alert.rule.replaceAll("_", " ")}${alert.squawk && alert.rule.includes("squawk") ? ` ${alert.squawk}` : ""}`;

export class Alerts {
  /** @param {(alert: Alert) => void} onChoose */
  constructor(onChoose) {
    this.onChoose = onChoose;
    /** The lines of the list, by the alerts' ids. @type {Map<string, HTMLElement> | null} */
    this.lines = null;
    this.list = /** @type {HTMLElement} */ (byId("alerts").querySelector("ol"));
    this.none = /** @type {HTMLElement} */ (this.list.firstElementChild);
    /** @type {AudioContext | null} */
    this.audio = null;
  }

  /** @param {unknown[]} found newest first */
  show(found) {
    const alerts = found.filter(isAlert);
    const before = this.lines;
    const fresh = before ? alerts.filter(({ id }) => !before.has(id)) : [];
    this.lines = new Map(alerts.map((alert) => [alert.id, before?.get(alert.id) ?? this.#line(alert)]));
    for (const [id, line] of before ?? []) if (!this.lines.has(id)) line.remove();
    // A line that stays is not touched: it may have the focus.
    [...this.lines.values()].forEach((line, i) => {
      if (this.list.children[i] !== line) this.list.insertBefore(line, this.list.children[i]);
    });
    this.none.hidden = this.lines.size > 0;
    setText(byId("alert-count"), number(this.lines.size));
    for (const alert of fresh.slice(0, MOST_NOTICES).reverse()) this.#notice(alert);
    if (fresh.length) this.beep();
  }

  /** @param {Alert} alert */
  #line(alert) {
    const button = element("button", { type: "button" }, element("span", {}, title(alert)), element("span", {}, `${alert.at.slice(11, 19)} Z`));
    button.addEventListener("click", () => this.onChoose(alert));
    return element("li", alert.rule.includes("emergency") ? { class: "emergency" } : {}, button);
  }

  /** @param {boolean} isOn */
  setSound(isOn) {
    this.audio?.close();
    this.audio = isOn ? new AudioContext() : null;
    if (isOn) this.beep();
  }

  beep() {
    const { audio } = this;
    if (!audio) return;
    audio.resume();
    [880, 660].forEach((frequency, i) => {
      const start = audio.currentTime + i * 0.18;
      const tone = new OscillatorNode(audio, { frequency });
      const gain = new GainNode(audio, { gain: 0 });
      gain.gain.linearRampToValueAtTime(0.2, start + 0.02);
      gain.gain.linearRampToValueAtTime(0, start + 0.16);
      tone.connect(gain).connect(audio.destination);
      tone.start(start);
      tone.stop(start + 0.17);
    });
  }

  /** @param {Alert} alert */
  #notice(alert) {
    const notice = element("button", { type: "button" }, title(alert));
    notice.addEventListener("click", () => {
      notice.remove();
      this.onChoose(alert);
    });
    const notices = byId("toasts");
    notices.append(notice);
    if (notices.children.length > MOST_NOTICES) notices.querySelector(":not(:focus)")?.remove();
    const end = () => (document.activeElement === notice ? setTimeout(end, SHOWN) : notice.remove());
    setTimeout(end, SHOWN);
  }
}

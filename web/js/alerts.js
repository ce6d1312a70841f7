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
    /** @type {Set<string> | null} */
    this.known = null;
    this.list = /** @type {HTMLElement} */ (byId("alerts").querySelector("ol"));
    /** @type {AudioContext | null} */
    this.audio = null;
    this.show([]);
    this.known = null;
  }

  /** @param {unknown[]} found newest first */
  show(found) {
    const alerts = found.filter(isAlert);
    const fresh = this.known ? alerts.filter((alert) => !this.known?.has(alert.id)) : [];
    this.known = new Set(alerts.map((alert) => alert.id));
    setText(byId("alert-count"), number(alerts.length));
    this.list.replaceChildren(...alerts.map((alert) => {
      const button = element("button", { type: "button" }, element("span", {}, title(alert)), element("span", {}, `${alert.at.slice(11, 19)} Z`));
      button.addEventListener("click", () => this.onChoose(alert));
      return element("li", alert.rule.includes("emergency") ? { class: "emergency" } : {}, button);
    }));
    if (!alerts.length) this.list.append(element("li", { class: "none" }, "None so far"));
    for (const alert of fresh.slice(0, MOST_NOTICES).reverse()) this.#notice(alert);
    if (fresh.length) this.beep();
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
    while (notices.children.length > MOST_NOTICES) notices.firstElementChild?.remove();
    setTimeout(() => notice.remove(), SHOWN);
  }
}

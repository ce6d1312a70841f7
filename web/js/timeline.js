/**
 * The time that is shown: the present, or a time of the last day that goes on at a speed.
 */
import { byId, clockTime, dateTime, setText } from "./dom.js";

const DAY = 24 * 3600e3;
/** Milliseconds by which two clocks of one machine may differ over a while. */
const ROUNDED = 10;

export class Timeline {
  /** @param {(at: number | null, speed: number) => void} onTime */
  constructor(onTime) {
    this.onTime = onTime;
    this.slider = /** @type {HTMLInputElement} */ (byId("slider"));
    this.speed = /** @type {HTMLSelectElement} */ (byId("speed"));
    this.live = byId("live");
    this.play = /** @type {HTMLButtonElement} */ (byId("play"));
    this.isPast = false;
    /** Whether the time that was asked for is still to come, and when that was. */
    this.isComing = false;
    this.askedAt = 0;
    /** Until when there is a past. */
    this.until = -Infinity;
    this.isPlaying = true;
    this.shown = Date.now();
    this.isDragged = false;
    this.slider.addEventListener("input", () => {
      this.isDragged = true;
      setText(byId("clock"), clockTime(Number(this.slider.value)));
      this.#name();
    });
    this.slider.addEventListener("change", () => {
      this.isDragged = false;
      this.goTo(Number(this.slider.value));
    });
    // Let go where it was taken hold of, it has not changed.
    for (const name of ["pointerup", "pointercancel", "blur"]) this.slider.addEventListener(name, () => (this.isDragged = false));
    this.live.addEventListener("click", () => this.goTo(Infinity));
    this.play.addEventListener("click", () => {
      this.isPlaying = !this.isPlaying;
      this.goTo(this.shown);
    });
    this.speed.addEventListener("change", () => {
      if (this.isPast) this.goTo(this.shown);
    });
  }

  /** @param {number} time milliseconds since the epoch; what has not closed yet is the present */
  goTo(time) {
    this.isPast = this.isComing = time < this.until;
    this.shown = time;
    this.askedAt = performance.now();
    if (!this.isPast) this.isPlaying = true;
    this.#showControls();
    setText(this.play, this.isPlaying ? "Pause" : "Play");
    this.onTime(this.isPast ? time : null, this.isPlaying ? Number(this.speed.value) : 0);
  }

  /** @param {number} since the first window's start @param {number} until when the last one ended @param {number} step a window's milliseconds */
  span(since, until, step) {
    this.until = until;
    const now = Date.now();
    const first = Math.max(Number.isFinite(since) ? since : now, now - DAY);
    // A key goes from one window to the next, and from the last that has closed to the present, which is the end.
    this.slider.step = String(step);
    this.slider.min = String(Math.floor(first / step) * step);
    this.slider.max = String(Math.ceil(Math.max(until, first) / step) * step);
    this.slider.disabled = !(until > since); // before it is known how far back there is something, it leads nowhere
    if (!this.isPast && !this.isDragged) this.#put(Infinity);
  }

  /** @param {number} shown @param {boolean} isPast @param {number} feed what the feed's clock shows */
  at(shown, isPast, feed) {
    // Since it was asked for it has gone on by the speed at most: anything else was shown before.
    const most = this.isPlaying ? (performance.now() - this.askedAt + ROUNDED) * Number(this.speed.value) : 0;
    if (isPast) this.isComing &&= shown < this.shown || shown > this.shown + most;
    else if (this.isPast && !this.isComing) {
      // The replay has caught up with the present.
      this.isPast = false;
      this.#showControls();
    }
    if (isPast && !this.isComing) this.shown = shown;
    if (this.isDragged) return;
    if (isPast) this.#put(this.shown);
    setText(byId("clock"), `${isPast ? "Past" : "Live"} ${clockTime(feed)}`);
  }

  /** The present has no speed of its own. */
  #showControls() {
    this.live.setAttribute("aria-pressed", String(!this.isPast));
    this.play.hidden = !this.isPast;
    this.speed.hidden = !this.isPast;
  }

  /** @param {number} time milliseconds since the epoch; Infinity is the present */
  #put(time) {
    const step = Number(this.slider.step);
    this.slider.value = this.isPast ? String(Math.floor(time / step) * step) : this.slider.max;
    this.#name();
  }

  /** Says what the slider stands at, which is a number to whoever only hears it. */
  #name() {
    const text = this.isPast || this.isDragged ? dateTime(Number(this.slider.value)) : "Live";
    if (this.slider.getAttribute("aria-valuetext") !== text) this.slider.setAttribute("aria-valuetext", text);
  }
}

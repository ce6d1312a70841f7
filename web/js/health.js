/**
 * The health strip: how fresh what is shown is, and what does not answer.
 */
import { byId, duration, element, number, setText } from "./dom.js";

const LATE = 30;

/** The tooltip of each figure. @type {Record<string, string>} */
const MEANINGS = {
  Snapshot: "How long ago the newest snapshot on this page was written",
  Aircraft: "Aircraft that are known here, in view or not",
  Updates: "Updates that the pipeline received in a second",
  "Source lag": "How far the pipeline is behind the stream",
  Checkpoint: "Age of the position that a new run would go on from",
  "Window ends": "When the open window closes and becomes part of the trails",
  Shards: "Kinesis shards whose aircraft are shown",
  Status: "Age of the pipeline's own report",
};

/** @param {any} health what the worker says @returns {[string, string, boolean][]} title, value, whether it is bad */
function figures({ status, shards, aircraft, behind, windowEnd, isRecording, feed, now }) {
  const lag = status?.source_lag_seconds;
  const token = status?.committed_token_age_seconds;
  const age = status?.written_at ? (now - Date.parse(status.written_at)) / 1000 : 0;
  const visits = status?.visits_every_seconds > 60 ? status.visits_every_seconds : 0; // read periodically
  const isOld = age > 120 + visits;
  /** @type {[string, string, boolean][]} */
  const all = [
    ["Snapshot", duration(behind), behind > LATE + visits],
    ["Aircraft", number(aircraft), false],
    ["Updates", typeof status?.received_per_second === "number" ? `${number(status.received_per_second)}/s` : "–", false],
    ["Source lag", typeof lag === "number" ? duration(lag) : "–", lag > 60],
    ["Checkpoint", typeof token === "number" ? duration(token + age) : "–", token + age > 300 + visits],
    ["Window ends", windowEnd > 0 && !isRecording ? (windowEnd > feed.feed ? `in ${duration((windowEnd - feed.feed) / 1000)}` : "now") : "–", false],
    ["Shards", number(shards), false],
  ];
  return isOld ? [...all, ["Status", `${duration(age)} old`, true]] : all;
}

export class Health {
  constructor() {
    this.list = byId("health");
  }

  /** @param {any} health */
  show(health) {
    const all = figures(health);
    while (this.list.children.length > all.length) this.list.lastElementChild?.remove();
    all.forEach(([title, value, isBad], i) => {
      const item = this.list.children[i] ?? this.list.appendChild(element("li", {}, `${title} `, element("b")));
      if (item.getAttribute("title") !== MEANINGS[title]) item.setAttribute("title", MEANINGS[title]);
      setText(/** @type {Node} */ (item.firstChild), `${title} `);
      setText(/** @type {Node} */ (item.lastChild), value);
      item.classList.toggle("bad", isBad);
    });
    setText(byId("trouble"), this.#trouble(health));
  }

  /** @param {any} health @returns {string} */
  #trouble({ troubles, shards, aircraft }) {
    const damaged = troubles.find((/** @type {any} */ one) => one.isDamaged);
    if (damaged) return `Cannot be read: ${damaged.what}`;
    if (troubles.length) return `No answer: ${troubles[0].what}. Trying again.`;
    if (!shards) return "No aircraft yet: the page shows them as soon as the first ones are written.";
    return aircraft ? "" : "No aircraft in the open window.";
  }
}

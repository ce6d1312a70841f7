/**
 * The beginning: the worker, which loads its modules and asks for the first object while the page's other ones are loaded.
 */
const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
/** @type {Event[]} what it said before anybody listened */
const early = [];
worker.onmessage = worker.onerror = (/** @type {Event} */ event) => early.push(event);

/** Milliseconds after which a page is loaded again that could not be loaded whole. */
const AGAIN = 5000;

/** @param {unknown} what was not loaded */
export function fail(what) {
  console.error(what);
  const place = document.getElementById("trouble");
  if (place) place.textContent = "Part of this page could not be loaded. Loading it again.";
  setTimeout(() => location.reload(), AGAIN);
}

/** @param {any} message */
export const order = (message) => worker.postMessage(message);

/**
 * @param {(event: MessageEvent) => void} onMessage
 * @param {(what: string) => void} onError the worker goes on, or does not begin
 */
export function listen(onMessage, onError) {
  // A worker that cannot be loaded has no more to say than that.
  const failed = (/** @type {Event} */ event) => (event instanceof ErrorEvent ? onError(event.message) : fail("the page's worker"));
  worker.onmessage = onMessage;
  worker.onerror = failed;
  for (const event of early.splice(0))
    if (event instanceof MessageEvent) onMessage(event);
    else failed(event);
}

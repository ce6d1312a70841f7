"""How soon the first aircraft are on the screen, from when the page is asked for; of several versions of it in turns.

`python -m benchmarks.page.first --web web --web OTHER/web` opens each folder's page in a new context of one browser,
after one opening that is not counted, and prints medians. Times are on the wall: they need a quiet machine.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.page.browser import launched
from benchmarks.page.map import WEB, prepared
from benchmarks.servers.live_site import LiveSite
from local.web.server import WebServer
from local.web.static_files import StaticFiles

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WATCH = """
new MutationObserver((_, observer) => {
  if (!(Number(document.documentElement.dataset.aircraft) > 0)) return;
  observer.disconnect();
  const posted = performance.now();
  // In the next frame they are drawn, and when the one after it begins that one is on its way to the screen.
  requestAnimationFrame(() => requestAnimationFrame(() => { window.first = { posted, drawn: performance.now() }; }));
}).observe(document, { attributes: true, subtree: true, attributeFilter: ['data-aircraft'] });
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page.first", description="How soon aircraft are drawn")
    parser.add_argument("--web", type=Path, action="append", help="a folder with a page; again for another")
    parser.add_argument("--aircraft", type=int, default=12_000)
    parser.add_argument("--loads", type=int, default=7, help="of each page")
    options = parser.parse_args()
    pages = options.web or [WEB]

    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # the other measures do without a browser

    site = LiveSite()
    [(_, objects)] = prepared(options.aircraft, 1)
    for key, content in objects.items():
        site.put(key, content)
    found: dict[Path, list[dict[str, float]]] = {page: [] for page in pages}
    with ExitStack() as stack:
        servers = {page: stack.enter_context(WebServer(StaticFiles(page))) for page in pages}
        for server in servers.values():
            server.connect(site, site)
        browser = launched(stack.enter_context(sync_playwright()))
        stack.callback(browser.close)
        for load in range(options.loads + 1):
            for page, server in servers.items():
                first = opened(browser, server.url)
                found[page] += [first] if load else []
    sys.stdout.write("| page | first aircraft known to it | drawn | quickest | slowest |\n|---|--:|--:|--:|--:|\n")
    for page, loads in found.items():
        posted, drawn = ([load[name] for load in loads] for name in ("posted", "drawn"))
        sys.stdout.write(
            f"| {page} | {statistics.median(posted):.0f} ms | {statistics.median(drawn):.0f} ms "
            f"| {min(drawn):.0f} ms | {max(drawn):.0f} ms |\n"
        )


def opened(browser: Browser, url: str) -> dict[str, float]:
    """Return the milliseconds after which a page that is opened has aircraft, and has drawn them."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    try:
        page = context.new_page()
        page.add_init_script(WATCH)
        page.goto(url)
        while True:
            first: dict[str, float] | None = page.evaluate("window.first")
            if first:
                return first
            time.sleep(0.1)
    finally:
        context.close()


if __name__ == "__main__":
    main()

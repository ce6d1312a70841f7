"""Takes the pictures of docs/images: `pipenv run screenshots` runs the local stack and looks at its page in Chromium.

It takes some two minutes. Chromium is Debian's, or the one that `--chromium` names.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from playwright.sync_api import sync_playwright

from local.signals import ending_in_order

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from playwright.sync_api import ViewportSize

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
AIRCRAFT = 2_000


class View(NamedTuple):
    """One picture: the page's size and colours, where it looks, and what is clicked before it is taken."""

    width: int
    height: int
    colours: Literal["light", "dark"]
    place: str
    clicks: tuple[str, ...] = ()


_EMERGENCY = ("#tracks", "#alerts .emergency button", "#side-button")
"""An emergency's panel and trail, with others around it once the map is farther away."""

VIEWS = {
    "map": View(1200, 750, "light", "#at=47.5,6.0,4.4"),
    "map-dark": View(1200, 750, "dark", "#at=47.5,6.0,4.4", (*_EMERGENCY, "#farther", "#farther", "#farther")),
    "map-phone": View(390, 844, "light", "#at=48.5,8.0,4"),
}

_ARGUMENTS = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]
_FEWEST = AIRCRAFT * 9 // 10
_TIMEOUT_MS = 300_000
_MOVED_MS = 800
"""Until the map has moved to what was clicked."""
_SETTLED_MS = 3_000
"""For labels and trails."""

_AS_USUAL = """(fewest) => {
  const figure = (item) => [item.firstChild.data.trim(), parseInt(item.lastChild.textContent)];
  const figures = Object.fromEntries([...document.querySelectorAll("#health li")].map(figure));
  return Number(document.documentElement.dataset.aircraft) >= fewest
    && figures.Snapshot < 10 && figures["Source lag"] < 10 && figures.Updates > 0
    && document.querySelector("#alerts .emergency") !== null;
}"""
"""Whether a run has come through its beginning: all aircraft are there, the newest update is seconds old, and an alert
was sent."""


def main() -> int:
    """Take all pictures; return the exit code."""
    parser = argparse.ArgumentParser(prog="screenshots", description=__doc__.partition("\n")[0])
    parser.add_argument("--chromium", default="/usr/bin/chromium", metavar="FILE", help="default %(default)s")
    options = parser.parse_args()
    traffic = ("--rate", "400", "--aircraft", str(AIRCRAFT), "--duration", "0", "--emergency")
    command = [sys.executable, "-m", "local", "--unlisted", *traffic]
    with ending_in_order():
        run = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own module
        try:
            assert run.stdout is not None
            address = _address(run.stdout)
            if address is None:
                sys.stderr.write("screenshots: the local stack ended without an address; `pipenv run local` says why\n")
                return 1
            IMAGES.mkdir(parents=True, exist_ok=True)
            for name in _taken(address, options.chromium):
                sys.stdout.write(f"docs/images/{name}.png\n")
        finally:
            run.kill()  # its reaper ends the rest
            run.wait()
    return 0


def _address(output: IO[str]) -> str | None:
    return next((found[0] for line in output if (found := re.search(r"http://127\.0\.0\.1:\d+/", line))), None)


def _taken(address: str, chromium: str) -> Iterator[str]:
    """Take each picture once the run goes as usual; yield its name."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        for name, view in VIEWS.items():
            size: ViewportSize = {"width": view.width, "height": view.height}
            context = browser.new_context(viewport=size, color_scheme=view.colours, bypass_csp=True)
            page = context.new_page()
            page.goto(address + view.place)
            page.wait_for_function(_AS_USUAL, arg=_FEWEST, timeout=_TIMEOUT_MS)
            for place in view.clicks:
                page.click(place)
                page.wait_for_timeout(_MOVED_MS)
            page.wait_for_timeout(_SETTLED_MS)
            page.screenshot(path=IMAGES / f"{name}.png")
            context.close()
            yield name
        browser.close()


if __name__ == "__main__":
    sys.exit(main())

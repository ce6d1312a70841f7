"""Takes the pictures of docs/images: `pipenv run screenshots` runs the local stack and looks at its page in Chromium.

It takes some two minutes. Chromium is Debian's, or the one that `--chromium` names.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
AIRCRAFT = 3_000

VIEWS = {
    "map": ({"width": 1200, "height": 750}, "light", "#at=47.5,6.0,4.4"),
    "map-dark": ({"width": 1200, "height": 750}, "dark", "#at=47.5,6.0,4.4"),
    "map-phone": ({"width": 390, "height": 844}, "light", "#at=48.5,8.0,4"),
}
"""By the picture's name: the size, the colours, and where the page looks."""

_ARGUMENTS = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]
_FEWEST = AIRCRAFT * 9 // 10
_TIMEOUT_MS = 180_000


def main() -> int:
    """Take all pictures; return the exit code."""
    parser = argparse.ArgumentParser(prog="screenshots", description=__doc__.partition("\n")[0])
    parser.add_argument("--chromium", default="/usr/bin/chromium", metavar="FILE", help="default %(default)s")
    options = parser.parse_args()
    traffic = ("--rate", "600", "--aircraft", str(AIRCRAFT), "--duration", "0")
    command = [sys.executable, "-m", "local", "--unlisted", *traffic]
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
    """Take each picture once nearly all aircraft are there; yield its name."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        for name, (size, colours, place) in VIEWS.items():
            context = browser.new_context(viewport=size, color_scheme=colours, bypass_csp=True)  # type: ignore[arg-type]  # as it takes them
            page = context.new_page()
            page.goto(address + place)
            page.wait_for_function(
                f"Number(document.documentElement.dataset.aircraft) >= {_FEWEST}", timeout=_TIMEOUT_MS
            )
            page.wait_for_timeout(3_000)  # for labels to settle
            page.screenshot(path=IMAGES / f"{name}.png")
            context.close()
            yield name
        browser.close()


if __name__ == "__main__":
    sys.exit(main())

"""A real browser, the page on loopback, and live objects that a test writes itself."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from benchmarks.inputs.live_fleet import Update
from benchmarks.inputs.live_writer import LiveWriter
from benchmarks.servers.live_site import LiveSite
from local.web.server import WebServer
from local.web.static_files import StaticFiles

TIMEOUT = 90.0
"""Seconds: how long a test waits for what shall happen; a loaded machine is no failure."""


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium, driven by Playwright; without one of them the tests are skipped."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pipenv sync --dev)")
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        pytest.skip("chromium is not installed (on Debian: apt-get install chromium)")
    with playwright.sync_playwright() as started:
        # Software rendering: no machine of ours has to have a graphics processor. Debian's Chromium has the whole page
        # painted by one unless an option forbids it; only the map needs WebGL.
        arguments = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        browser = started.chromium.launch(executable_path=executable, args=[*arguments, "--disable-gpu-rasterization"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def context(chromium):
    """What tabs without options of their own share: a tab in a context of its own would begin a process for it.

    A test has its own server, and `open_page` forgets what its origin has kept: the next test sees none of it.
    """
    context = chromium.new_context()
    context.new_page()  # keeps their process
    yield context
    context.close()


@dataclass
class Sky:
    """Aircraft that a test moves and writes; times are the machine's own, since that is what the page goes by."""

    site: LiveSite
    aircraft: dict[str, Update] = field(default_factory=dict)

    def __post_init__(self):
        """Begin with two minutes of closed windows."""
        self.now = int(time.time() * 1000)
        self.writer = LiveWriter(self.site.put, 1, self.now - 120_000)

    def fly(self, address, **fields):
        """Put an aircraft into the sky, over the Alps unless it says so; fields as in a target update."""
        usual = {"latitude": 47.0, "longitude": 8.0, "altitude_baro": 36_000.0, "speed": 450.0, "heading": 90.0}
        at = self.instant(self.now)
        known = {"vertical_rate": 0.0, "on_ground": False, "collection_type": "terrestrial", "callsign": address}
        self.aircraft[address] = Update(
            icao_address=address, timestamp=at, ingestion_time=at, **{**usual, **known, **fields}
        )
        return self.aircraft[address]

    def rewind(self, minutes):
        """Begin again so many whole minutes ago, and return when that was; what is written from there on closes."""
        start = self.now - self.now % 60_000 - minutes * 60_000
        self.writer.__init__(self.site.put, 1, start)
        return start

    def leave(self):
        """Take all aircraft away, from the open window, too."""
        self.aircraft.clear()
        self.writer._windows[0].clear()

    def write(self, *, now=None):
        """Write all of them as of now, or of a time in milliseconds."""
        self.now = int(time.time() * 1000) if now is None else now
        for update in self.aircraft.values():
            update.timestamp = update.ingestion_time = self.instant(self.now)
        self.writer.write(self.now)  # closes the windows that have ended: what follows belongs to the open one
        self.writer.add(self.aircraft.values())
        self.writer.write(self.now)
        self.writer.write_status(self.now, 5)

    @staticmethod
    def instant(milliseconds):
        """A time in milliseconds as an update has it."""
        from datetime import UTC, datetime

        return datetime.fromtimestamp(milliseconds / 1000, UTC)


@pytest.fixture
def site():
    """The live objects behind the server."""
    return LiveSite()


@pytest.fixture
def files(repository):
    """The page's files; a module of tests may have some of its own."""
    return StaticFiles(repository / "web")


@pytest.fixture
def server(site, files):
    """The page's address."""
    with WebServer(files) as running:
        running.connect(site, site)
        yield running.url


@pytest.fixture
def sky(site):
    """Three aircraft over the Alps, and what is written of them."""
    sky = Sky(site)
    sky.fly("3C4AAA", callsign="DLH401", tail_number="D-AIAA", airline_iata="LH", aircraft_type_icao="A359")
    sky.fly("4B1BBB", callsign="SWR22", latitude=46.5, longitude=9.0, altitude_baro=9_000.0, aircraft_type_icao="A20N")
    sky.fly("400CCC", callsign="BAW7", latitude=47.5, longitude=7.0, airline_iata="BA", squawk="4321")
    sky.write()
    return sky


@dataclass
class Page:
    """A page, and what it did that it should not."""

    tab: Any
    problems: list[str] = field(default_factory=list)

    def __getattr__(self, name):
        """Playwright's own page."""
        return getattr(self.tab, name)

    def wait(self, expression, argument=None):
        """Wait until a JavaScript function returns true.

        Sent from outside, where the page's policy allows it, once: asked again and again from there, each look would
        be work for four processes.
        """
        deadline = time.monotonic() + TIMEOUT
        while not self._becomes_true(expression, argument, deadline - time.monotonic()):
            assert time.monotonic() < deadline, f"not within {TIMEOUT} s: {expression}"

    def _becomes_true(self, expression, argument, seconds):
        from playwright.sync_api import Error

        looks = f"""async ([argument, seconds]) => {{
          for (const end = performance.now() + 1000 * seconds; performance.now() < end; )
            if (await ({expression})(argument)) return true;
            else await new Promise((resolve) => setTimeout(resolve, 50));
          return false; }}"""
        try:
            return self.tab.evaluate(looks, [argument, seconds])
        except Error as error:
            if "Execution context was destroyed" not in str(error):
                raise
            return False  # the page is being loaded again

    def until(self, condition):
        """Wait until something outside the page is true, such as what it has asked for."""
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            assert time.monotonic() < deadline, f"not within {TIMEOUT} s"
            self.tab.wait_for_timeout(50)

    def look_again(self):
        """Come back to the page's tab: it asks for everything at once rather than when the next is due."""
        self.tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    def go_back(self, time):
        """Choose a time in milliseconds with the slider, and have it go on as fast as it did."""
        enabled = (
            "at => { const { disabled, min } = document.getElementById('slider'); return !disabled && min <= at; }"
        )
        self.wait(enabled, time)
        self.tab.evaluate(
            """time => { const slider = document.getElementById('slider'); slider.value = time;
            document.getElementById('speed').value = '1';
            slider.dispatchEvent(new Event('change')); }""",
            time,
        )
        self.wait("() => document.getElementById('clock').textContent.startsWith('Past')")

    def shown_again(self):
        """Wait until the worker has sent two more pictures, and what the page does after them is in its address."""
        for _ in range(2):
            self.tab.evaluate("document.documentElement.dataset.aircraft = 'sent before'")
            self.wait("() => document.documentElement.dataset.aircraft !== 'sent before'")
        self.tab.wait_for_timeout(800)  # a flight of the camera, and how long the view has to stand

    def shown(self, count):
        """Wait until so many aircraft are drawn."""
        self.wait("count => document.documentElement.dataset.aircraft === String(count)", count)


@pytest.fixture
def open_page(chromium, context, server):
    """Open the page, with what follows its `#`, at a size; what goes wrong in it fails the test."""
    contexts, pages = [], []

    def foreign(url):
        return [] if url.startswith((server, "data:", "blob:")) else [f"another host: {url}"]

    def opened(fragment="at=47,8,6.5", *, width=1024, height=640, script=None, **options):
        if options:
            contexts.append(chromium.new_context(**options))
        page = Page((contexts[-1] if options else context).new_page())
        page.tab.set_viewport_size({"width": width, "height": height})
        pages.append(page)
        violation = "addEventListener('securitypolicyviolation', e => console.error('CSP: ' + e.violatedDirective))"
        page.tab.add_init_script(violation)
        if script:
            page.tab.add_init_script(script)
        page.tab.on("pageerror", lambda error: page.problems.append(f"error: {error}"))
        page.tab.on("console", lambda line: page.problems.append(line.text) if "CSP" in line.text else None)
        page.tab.on("request", lambda request: page.problems.extend(foreign(request.url)))
        page.tab.set_default_timeout(TIMEOUT * 1000)
        page.tab.goto(f"{server}#{fragment}")
        return page

    yield opened
    for page in pages:
        origin = {"origin": server.removesuffix("/"), "storageTypes": "all"}
        page.tab.context.new_cdp_session(page.tab).send("Storage.clearDataForOrigin", origin)
        page.tab.close()
    for own in contexts:
        own.close()
    for page in pages:
        assert page.problems == []


@pytest.fixture
def modules(context, server):
    """A tab beside the page, whose own code does not run in it: a test imports from `./js/` what it looks at."""
    tab = context.new_page()
    tab.goto(f"{server}js/geo.js")
    tab.evaluate("history.replaceState(null, '', '/')")
    yield tab
    tab.close()

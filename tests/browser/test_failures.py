"""What the page is refused it says, and asks for again: its own files, the past, a background."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from local.web.answer import plain
from local.web.static_files import StaticFiles

TROUBLE = "document.getElementById('trouble').textContent"


class Files(StaticFiles):
    """The page's files, of which some are refused."""

    def __init__(self, folder):
        super().__init__(folder)
        self.refused = set()

    def answer(self, path, headers):
        """Answer a GET."""
        if path in self.refused:
            return plain(HTTPStatus.SERVICE_UNAVAILABLE, "down")
        return super().answer(path, headers)


@pytest.fixture
def files(repository):
    """The page's files."""
    return Files(repository / "web")


@pytest.mark.usefixtures("sky")
def test_coastlines_and_airports_that_are_refused_come_later(open_page, files):
    """The aircraft are there meanwhile, and the strip says what is missing."""
    files.refused |= {"/data/world.bin", "/data/airports.json"}
    page = open_page()
    page.shown(3)
    page.wait(f"() => {TROUBLE}.includes('HTTP 503. Trying again')")

    files.refused.clear()
    page.wait(f"() => {TROUBLE} === ''")
    page.fill("#query", "ZRH")
    page.wait("() => document.getElementById('results').textContent.includes('LSZH')")


@pytest.mark.usefixtures("sky")
@pytest.mark.parametrize("path", ["/js/camera.js", "/js/worker.js", "/js/fleet.js"])
def test_a_module_that_is_refused_has_the_page_loaded_again(open_page, files, path):
    """One of the page's own, the worker, and one of the worker's."""
    files.refused.add(path)
    page = open_page()
    page.wait(f"() => {TROUBLE}.includes('could not be loaded')")

    files.refused.clear()
    page.shown(3)


def test_a_past_that_is_refused_comes_later(sky, open_page):
    """The strip says so, and what was asked for is shown as soon as it comes."""
    page = open_page()
    page.shown(3)
    page.wait("() => !document.getElementById('slider').disabled")
    sky.site.is_down = True
    page.evaluate("""() => {
      const slider = document.getElementById('slider');
      slider.value = slider.min;
      slider.dispatchEvent(new Event('change'));
    }""")
    page.wait(f"() => {TROUBLE}.includes('HTTP 503')")

    sky.site.is_down = False
    page.wait("() => document.getElementById('clock').textContent.startsWith('Past')")
    page.wait(f"() => {TROUBLE} === ''")


@pytest.mark.usefixtures("sky")
def test_a_background_that_does_not_come_is_said(open_page):
    """A map without its tiles would look like one that has none."""
    page = open_page("at=47,8,6.5&tiles=/absent/{z}/{x}/{y}.png")
    page.wait(f'() => {TROUBLE}.includes("the background\'s tiles")')

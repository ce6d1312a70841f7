"""The map's edges: tiles of somebody else's, a sound, two fingers, a graphics processor that goes, hostile objects."""

from __future__ import annotations

import pytest

from tests.support.page_pixels import COLOURS, KEEP_PIXELS

TEXT = "selector => document.querySelector(selector)?.textContent ?? ''"

COUNT_TONES = """window.tones = 0; window.OscillatorNode = class extends OscillatorNode {
  start(at) { window.tones++; super.start(at); } }"""


@pytest.mark.usefixtures("sky")
def test_tiles_of_an_address_lie_under_the_map(open_page):
    """Off unless the address has them; those of the page's own host are drawn, and a link shows them again."""
    page = open_page()
    page.shown(3)
    assert page.locator("#basemap img").count() == 0

    page.evaluate("location.hash = 'at=47,8,6.5&tiles=/icon.svg?{z}-{x}-{y}'")
    page.wait("() => [...document.querySelectorAll('#basemap img')].some((tile) => tile.naturalWidth > 0)")

    assert "/icon.svg?7-" in page.evaluate("document.querySelector('#basemap img').src")
    assert page.input_value("#basemap-url") == "/icon.svg?{z}-{x}-{y}", "what is used is to be seen where it is set"


@pytest.mark.usefixtures("sky")
def test_tiles_of_another_host_are_kept_out_by_the_policy(open_page):
    """Until whoever serves the page allows that host: the browser says which rule it was."""
    page = open_page("at=47,8,6.5&tiles=http://localhost:9/{z}/{x}/{y}.png")
    page.shown(3)
    page.wait("() => document.querySelectorAll('#basemap img').length > 0")
    page.wait("() => [...document.querySelectorAll('#basemap img')].every((tile) => tile.complete)")

    assert page.evaluate("[...document.querySelectorAll('#basemap img')].every((tile) => tile.naturalWidth === 0)")
    assert "CSP: img-src" in page.problems
    page.problems.clear()


def test_an_alert_sounds_only_if_that_is_wanted(sky, open_page):
    """Two tones for a new one, none before the button was pressed."""
    page = open_page(script=COUNT_TONES)
    page.shown(3)
    # What is there at first is not new: they have to have been asked for before.
    page.until(lambda: any(path.endswith("alerts.json") for path, _ in sky.site.requests))
    sky.fly("AAAAAA", callsign="QUIET1", squawk="7700")
    sky.write()
    page.look_again()
    page.wait(f"() => ({TEXT})('#toasts').includes('QUIET1')")
    assert page.evaluate("tones") == 0

    page.evaluate("document.getElementById('sound').click()")
    page.wait("() => tones === 2")  # so that one hears what it will be
    sky.fly("BBBBBB", callsign="LOUD1", squawk="7600")
    sky.write()
    page.look_again()
    page.wait("() => tones === 4")


@pytest.mark.usefixtures("sky")
def test_two_fingers_zoom(open_page):
    """What they take hold of goes apart as they do."""
    page = open_page(has_touch=True)
    page.shown(3)
    before = float(page.evaluate("location.hash.split('at=')[1].split('&')[0].split(',')[2]"))
    touch = page.tab.context.new_cdp_session(page.tab)

    def fingers(kind, apart):
        points = [{"x": 300 + side * apart, "y": 320, "id": number} for number, side in enumerate((-1, 1))]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [] if kind == "touchEnd" else points})

    fingers("touchStart", 50)
    for apart in (80, 120, 160, 200):
        fingers("touchMove", apart)
    fingers("touchEnd", 200)

    page.wait("before => Number(location.hash.split('at=')[1].split('&')[0].split(',')[2]) > before + 1", before)


def test_a_graphics_processor_that_is_lost_and_comes_back(sky, open_page):
    """The list goes on meanwhile, and the map is drawn again."""
    page = open_page("at=47,8,8", script=KEEP_PIXELS)
    page.shown(3)
    page.wait(f"() => ({COLOURS})() > 20")
    page.evaluate("""() => {
      window.lost = document.getElementById('canvas').getContext('webgl2').getExtension('WEBGL_lose_context');
      lost.loseContext();
    }""")
    page.wait(f"() => ({COLOURS})() === 1")
    sky.fly("FFFFFF", callsign="NEW2")
    sky.write()
    page.look_again()
    page.wait("() => document.querySelectorAll('tbody tr').length === 4")

    page.evaluate("lost.restoreContext()")

    page.wait(f"() => ({COLOURS})() > 20")


def test_a_hostile_name_is_a_text(sky, open_page):
    """What an aircraft calls itself is never taken for a part of the page."""
    sky.fly("AAAAAA", callsign="<img src=x onerror=document.title='hit'>", squawk="7700")
    sky.write()
    page = open_page("at=47,8,6.5&aircraft=AAAAAA")
    page.wait("() => document.querySelector('tbody').textContent.includes('<img')")
    page.wait("() => document.querySelector('#panel').textContent.includes('<img')")

    assert page.locator("tbody img, #panel img, #toasts img").count() == 0
    assert page.title() != "hit"

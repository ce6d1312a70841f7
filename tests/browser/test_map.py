"""The map in a real browser: aircraft come, move and go, are found and filtered, and the list has all of them."""

from __future__ import annotations

import json
import struct
import threading
import time
import zlib

import pytest

from tests.support.page_pixels import COLOURS, KEEP_PIXELS

TEXT = "selector => document.querySelector(selector)?.textContent ?? ''"

NAMES = "[...document.querySelectorAll('tbody tr button')].map((button) => button.textContent)"


def rows(page):
    """The names in the list."""
    return page.evaluate(NAMES)


def listed(page, *names):
    """Wait until the list holds just these, in any order: callsigns come after positions."""
    page.wait(f"names => {NAMES}.sort().join() === names", ",".join(sorted(names)))


def test_aircraft_appear_and_move(sky, open_page):
    """What the live objects hold is drawn and listed, and carried forward until something newer comes."""
    page = open_page("at=47,8,8&aircraft=3C4AAA")
    page.shown(4)  # three, and the ring around the selected one
    page.wait("() => document.querySelectorAll('tbody tr').length === 3")
    position = "[...document.querySelectorAll('#panel dt')].find((dt) => dt.textContent === 'Position').nextSibling"
    page.wait(f"() => {position}?.textContent.includes('E')")
    before = page.evaluate(f"{position}.textContent")

    page.wait(f"before => {position}.textContent !== before", before)
    sky.fly("3C4AAA", callsign="DLH401", longitude=8.5)
    sky.write()
    page.look_again()

    page.wait(f"() => {position}.textContent.includes('8.5')")
    listed(page, "DLH401", "SWR22", "BAW7")


@pytest.mark.usefixtures("sky")
def test_a_region_is_looked_at_until_somebody_chooses(open_page):
    """Without a place in the address the page shows where the aircraft are; who moves the map is not moved again."""
    page = open_page("")
    page.wait("() => location.hash.includes('at=47') && document.querySelectorAll('tbody tr').length === 3")

    page.locator("#canvas").press("ArrowDown")
    page.wait("() => !location.hash.includes('at=47')")


@pytest.mark.usefixtures("sky")
def test_the_pixels_of_an_aircraft_are_drawn(open_page):
    """Not only data: at the aircraft's place the canvas has other pixels than without it."""
    page = open_page("at=47,8,8", script=KEEP_PIXELS)
    page.shown(3)

    page.wait(f"() => ({COLOURS})() > 20")

    page.evaluate("location.hash = 'at=47,8,8&callsign=NONE'")
    page.shown(0)
    page.wait(f"() => ({COLOURS})() < 20")


@pytest.mark.usefixtures("sky")
def test_a_filter_is_applied_and_is_in_the_address(open_page):
    """What is typed into a filter is shown at once, and a link shows the same."""
    page = open_page()
    page.shown(3)

    page.click("#filters-button")
    page.fill("input[name=max]", "10000")
    page.shown(1)
    listed(page, "SWR22")

    assert "max=10000" in page.url
    again = open_page(page.url.partition("#")[2])
    again.shown(1)
    listed(again, "SWR22")


FILTERS = {
    "callsign=DLH,BAW": {"DLH401", "BAW7"},
    "airline=BA": {"BAW7"},
    "type=A3": {"DLH401"},
    "squawk=4321": {"BAW7"},
    "min=20000&airline=LH": {"DLH401"},
    "source=satellite": set(),
    "ground=no": {"DLH401", "SWR22", "BAW7"},
    "area=47.2,6,48,9": {"BAW7"},
}


@pytest.mark.usefixtures("sky")
def test_each_filter_of_an_address_keeps_what_it_says(open_page):
    """By callsign, airline, type, squawk, altitude, source, ground and area; at first, and when it is changed."""
    page = open_page("at=47,8,6.5&airline=LH")
    listed(page, "DLH401")

    for fragment, names in FILTERS.items():
        page.evaluate("fragment => { location.hash = `at=47,8,6.5&${fragment}` }", fragment)
        page.shown(len(names))
        listed(page, *names)


@pytest.mark.usefixtures("sky")
def test_a_search_finds_an_aircraft_and_an_airport(open_page):
    """By the beginning of a callsign or registration, with keys alone; the panel has all that is known."""
    page = open_page()
    page.shown(3)
    page.keyboard.press("/")
    page.keyboard.type("D-AI")
    page.wait("() => document.querySelector('#results li')?.textContent.includes('DLH401')")
    page.keyboard.press("Enter")

    page.wait(f"() => ({TEXT})('#panel').includes('D-AIAA')")
    panel = page.inner_text("#panel")
    assert all(text in panel for text in ("DLH401", "D-AIAA", "A359", "36,000 ft", "450 kt", "3C4AAA"))

    page.fill("#query", "ZRH")
    page.wait("() => document.querySelector('#results li')?.textContent.includes('Zurich')")
    page.keyboard.press("Enter")
    page.wait("() => location.hash.includes('at=47.4')")


@pytest.mark.usefixtures("sky")
def test_a_search_that_is_gone_back_to_at_once_goes_on(open_page):
    """What closes the results a moment after the focus has gone does not, where the focus is back by then."""
    page = open_page()
    page.shown(3)
    page.fill("#query", "ZRH")
    page.wait("() => document.querySelector('#results li')?.textContent.includes('Zurich')")
    page.evaluate("""() => {
      const input = document.getElementById('query');
      input.blur();
      input.focus();
      return new Promise((resolve) => setTimeout(resolve, 400));
    }""")
    page.keyboard.press("Enter")
    page.wait("() => location.hash.includes('at=47.4')")


def test_a_click_on_an_aircraft_opens_its_panel(sky, open_page):
    """Where it is drawn, and a click beside it closes the panel again."""
    page = open_page("at=47,8,7")
    sky.fly("3C4AAA", callsign="DLH401", speed=0.0)
    sky.write()
    page.wait("() => document.querySelectorAll('tbody tr').length === 3")

    page.mouse.click(512, 320)
    page.wait(f"() => ({TEXT})('#panel h2') === 'DLH401'")
    page.mouse.click(400, 420)
    page.wait("() => document.getElementById('panel').hidden")


def test_the_list_is_sorted_and_limited_to_the_view(sky, open_page):
    """By any column, both ways, with emergencies first."""
    sky.fly("C0FFEE", callsign="FAR1", latitude=-33.0, longitude=151.0)
    sky.fly("ABCDEF", callsign="MAYDAY1", altitude_baro=1_000.0, squawk="7700")
    sky.write()
    page = open_page()
    listed(page, "MAYDAY1 7700", "DLH401", "SWR22", "BAW7")

    page.click("th[data-key=altitude] button")
    page.wait("() => document.querySelector('th[data-key=altitude]').ariaSort === 'ascending'")
    page.wait("() => document.querySelectorAll('tbody tr')[1]?.textContent.startsWith('SWR22')")

    assert rows(page)[0] == "MAYDAY1 7700"
    page.click("th[data-key=name] button")
    page.wait("() => document.querySelectorAll('tbody tr')[1]?.textContent.startsWith('BAW7')")
    assert rows(page) == ["MAYDAY1 7700", "BAW7", "DLH401", "SWR22"]


UNDER_NOTHING = """([latitude, longitude]) => {
  const at = /at=([-0-9.]+),([-0-9.]+),([0-9.]+)/.exec(location.hash);
  if (!at) return false;
  const [lat, lon, zoom] = at.slice(1).map(Number);
  const down = (degrees) => -Math.asinh(Math.tan((degrees * Math.PI) / 180)) / (2 * Math.PI);
  const scale = 256 * 2 ** zoom;
  const x = innerWidth / 2 + ((longitude - lon) / 360) * scale;
  const y = innerHeight / 2 + (down(latitude) - down(lat)) * scale;
  return document.elementFromPoint(x, y)?.id === 'canvas';
}"""


@pytest.mark.parametrize(
    ("width", "place"),
    [(1024, (51.5, 12.5)), (1024, (47.0, 0.5)), (360, (47.0, 8.0)), (360, (45.2, 8.0))],
    ids=["the list", "the panel", "a phone's list", "a phone's panel"],
)
def test_an_aircraft_chosen_in_the_list_is_under_nothing(sky, open_page, width, place):
    """Neither the list nor the panel lies over it: the map moves if it has to."""
    latitude, longitude = place
    sky.fly("3C4AAA", callsign="DLH401", latitude=latitude, longitude=longitude, speed=0.0)
    sky.write()
    page = open_page("at=47,8,5.5", width=width, height=740)
    page.shown(3)
    if width < 1024:
        page.click("#side-button")
    page.wait(f"() => {NAMES}.includes('DLH401')")

    page.click("tbody button:text('DLH401')")
    page.wait(f"() => ({TEXT})('#panel h2') === 'DLH401'")
    page.wait(UNDER_NOTHING, place)


SHOWN = "address => document.querySelector('#panel .fields')?.textContent.includes(address)"
AT = "location.hash.match(/at=[^&]*/)[0]"


@pytest.mark.parametrize("place", ["at=20.000,0.000,5.00", "at=47.000,8.000,5.50"], ids=["elsewhere", "under the list"])
def test_a_link_is_looked_at_where_it_says(sky, open_page, place):
    """Even if its aircraft is out of view, or under the list, or comes later: nobody has chosen it here."""
    page = open_page(f"{place}&aircraft=3C4AAA", height=740)
    sky.fly("3C4AAA", callsign="DLH401", latitude=51.5, longitude=12.5, speed=0.0)
    sky.write()
    page.look_again()
    if place.startswith("at=47"):
        page.wait(SHOWN, "3C4AAA")
    page.shown_again()

    assert page.evaluate(AT) == place


def lost_and_alerted(sky, open_page):
    """A page with the alert of an aircraft without a position: a view of the world has it, no region does."""
    sky.fly("AAAAAA", callsign="LOST1", squawk="7700", latitude=None, longitude=None)
    sky.write()
    page = open_page("at=47.000,8.000,3.00")
    page.wait(f"() => ({TEXT})('#alerts li').includes('LOST1')")
    return page


def test_an_alert_of_an_aircraft_without_a_position_moves_nothing(sky, open_page):
    """Its panel opens; there is no place on the map to look at."""
    page = lost_and_alerted(sky, open_page)

    page.click("#alerts li button")
    page.wait(SHOWN, "AAAAAA")
    page.shown_again()

    assert page.evaluate(AT) == "at=47.000,8.000,3.00"


def test_who_looks_elsewhere_by_then_is_not_led_back(sky, open_page):
    """A position that comes late of an aircraft that was chosen moves nothing once an airport was looked for."""
    page = lost_and_alerted(sky, open_page)

    page.click("#alerts li button")
    page.fill("#query", "ZRH")
    page.wait("() => document.querySelector('#results li')?.textContent.includes('Zurich')")
    page.keyboard.press("Enter")
    place = "at=47.458,8.548,9.00"
    page.wait(f"place => {AT} === place", place)  # not on the way there
    sky.fly("AAAAAA", callsign="LOST1", squawk="7700", latitude=47.0, longitude=9.5)
    sky.write()
    page.look_again()
    page.wait("() => document.getElementById('panel').textContent.includes('47.0')")
    page.shown_again()

    assert page.evaluate(AT) == place


def test_an_alert_is_announced_and_leads_to_its_aircraft(sky, open_page):
    """A new one is shown as it comes, in a live region; those from before the page was opened are in the list alone."""
    sky.fly("AAAAAA", callsign="OLD1", squawk="7600")
    sky.write()
    page = open_page("at=20,0,4")
    page.wait(f"() => ({TEXT})('#alerts li').includes('OLD1')")
    assert page.inner_text("#toasts") == ""

    sky.fly("BBBBBB", callsign="NEW1", squawk="7700", latitude=46.0, longitude=7.0)
    sky.write()
    page.look_again()
    page.wait(f"() => ({TEXT})('#toasts').includes('NEW1')")
    assert page.get_attribute("#toasts", "aria-live") == "assertive"

    page.click("#toasts button")
    page.wait(f"() => ({TEXT})('#panel h2') === 'NEW1' && ({TEXT})('#panel .badge') === 'Emergency'")
    page.wait("() => location.hash.includes('at=46')")


def test_the_slider_shows_the_past(sky, open_page):
    """An aircraft that is gone flies again where it was, and the button leads back to the present."""
    sky.fly("DDDDDD", callsign="GONE1", latitude=46.8, longitude=8.2)
    start = sky.rewind(3)
    for step in range(0, 180_000, 20_000):
        sky.aircraft["DDDDDD"].longitude += 0.03
        sky.write(now=start + step)
    del sky.aircraft["DDDDDD"]
    for key in [key for key in sky.site._objects if key.endswith(("open", "open-identity"))]:
        del sky.site._objects[key]
    sky.writer._windows[0].clear()
    sky.write()
    page = open_page()
    page.wait("() => document.querySelectorAll('tbody tr').length === 3")
    page.go_back(start + 60_000)
    page.wait("() => [...document.querySelectorAll('tbody button')].some((b) => b.textContent === 'GONE1')")

    page.click("#live")
    page.wait("() => document.querySelectorAll('tbody tr').length === 3")
    page.wait(f"() => ({TEXT})('#clock').startsWith('Live')")


def test_a_past_that_is_slow_to_come_keeps_its_controls(sky, open_page, monkeypatch):
    """What has not closed cannot be chosen; what has shows the present until it comes, and the buttons of the past."""
    page = open_page()
    page.shown(3)
    page.wait("() => !document.getElementById('slider').disabled")
    choose = """back => { const slider = document.getElementById('slider');
        slider.value = back ? slider.max - back : slider.min; slider.dispatchEvent(new Event('change')); }"""
    page.evaluate(choose, 2_000)
    assert page.get_attribute("#live", "aria-pressed") == "true", "its window is still open"

    answer, is_there = sky.site.answer, threading.Event()

    def slow(path, headers):
        assert "/closed/" not in path or is_there.wait(60)
        return answer(path, headers)

    monkeypatch.setattr(sky.site, "answer", slow)
    page.evaluate(choose, 0)
    for _ in range(2):  # the clock is written twice a second, and then says what is shown
        before = page.inner_text("#clock")
        page.wait("before => document.getElementById('clock').textContent !== before", before)
    assert page.is_visible("#play")
    is_there.set()
    page.wait(f"() => ({TEXT})('#clock').startsWith('Past')")
    assert page.is_visible("#play")
    assert page.get_attribute("#live", "aria-pressed") == "false"


def test_what_has_not_changed_is_not_sent_again(sky, open_page):
    """Polls carry the tag: a 304 each, until there is something new."""
    page = open_page()
    page.shown(3)
    opened = "/live/shardId-000000000000/open"

    def known():
        """Wait until two polls, one after the other, had nothing new; return the statuses so far."""
        deadline = time.monotonic() + 60
        while (found := [status for path, status in sky.site.requests if path == opened])[-2:] != [304, 304]:
            assert time.monotonic() < deadline
            page.look_again()
            page.wait_for_timeout(100)
        return found

    before = known()
    sky.fly("FFFFFF", callsign="NEW2")
    sky.write()
    page.look_again()
    page.shown(4)

    assert [status for status in known()[len(before) :] if status != 304] == [206]


def test_a_server_that_fails_and_comes_back(sky, open_page):
    """The page says so, keeps what it has, tries again, and goes on by itself."""
    page = open_page()
    page.shown(3)

    sky.site.is_down = True
    page.look_again()
    page.wait(f"() => ({TEXT})('#trouble').includes('503')")
    assert len(rows(page)) == 3

    sky.site.is_down = False
    sky.fly("FFFFFF", callsign="BACK1")
    sky.write()
    page.shown(4)
    page.wait(f"() => ({TEXT})('#trouble') === ''")


def bomb(*, inflates_to):
    """A snapshot whose header inflates to 16 MiB, and says how much."""
    deflated = zlib.compress(b" " * (1 << 24), wbits=-15)
    return struct.pack("<4sBBHIII", b"LIVE", 1, 1, 0, len(deflated), inflates_to, zlib.crc32(deflated)) + deflated


def test_a_corrupt_object_is_reported_and_harms_nothing(sky, open_page):
    """What was known stays, the strip names the trouble, and the next good object mends it."""
    corrupt = [b"LIVE\x02", b"<html>", b"", b"LIVE\x01\x01" + bytes(14), b"\x00" * 4_096]
    corrupt += [bomb(inflates_to=100), bomb(inflates_to=1 << 24)]
    page = open_page()
    page.wait("() => document.querySelectorAll('tbody tr').length === 3")

    for content in corrupt:
        sky.site.put("live/shardId-000000000000/open", content)
        sky.site.put("live/alerts.json", b"{]")
        page.look_again()
        page.wait(f"() => ({TEXT})('#trouble').startsWith('Cannot be read')")
        assert len(rows(page)) == 3

        sky.site.put("live/alerts.json", json.dumps({"version": 1, "alerts": [None, {"id": 5}]}).encode())
        sky.write()
        page.look_again()
        page.wait(f"() => ({TEXT})('#trouble') === ''")


@pytest.mark.usefixtures("sky")
def test_without_webgl_the_list_goes_on(open_page):
    """And the page says that there is no map."""
    page = open_page(script="HTMLCanvasElement.prototype.getContext = () => null")
    page.wait("() => document.querySelectorAll('tbody tr').length === 3")

    assert "no WebGL2" in page.inner_text("#no-webgl")
    before = page.evaluate(AT)
    page.click("tbody tr:nth-child(1) button")
    page.wait("() => document.querySelector('#panel .fields')?.checkVisibility()")
    page.shown_again()
    assert page.evaluate(AT) == before, "there is no map to move"


def test_a_recording_that_is_replayed_years_later_is_shown(sky, open_page):
    """The feed's own clock counts: what it says was measured years ago is not old."""
    year = 365 * 24 * 3600 * 1000
    for update in sky.aircraft.values():
        update.timestamp = update.ingestion_time = sky.instant(sky.now - year)
    sky.writer._windows[0].clear()
    sky.writer.add(sky.aircraft.values())
    sky.writer.write(sky.now)
    page = open_page()
    page.shown(3)
    page.wait("() => document.querySelectorAll('tbody tr').length === 3")

    assert page.locator("tr.old").count() == 0


@pytest.mark.usefixtures("sky")
def test_everything_is_reached_with_keys_alone(open_page):
    """Search, list, panel, filters, map: no mouse."""
    page = open_page()
    page.shown(3)
    page.wait("() => document.querySelectorAll('tbody tr').length === 3")

    page.keyboard.press("l")
    page.keyboard.press("Enter")
    page.wait("() => !document.getElementById('panel').hidden && document.activeElement.id === 'panel'")
    page.keyboard.press("Escape")
    page.wait("() => document.getElementById('panel').hidden && document.activeElement.id === 'canvas'")
    before = page.url
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    page.wait("before => location.href !== before", before)
    page.keyboard.press("f")
    page.wait("() => document.activeElement.name === 'min'")
    page.keyboard.type("20000")
    page.shown(2)
    page.keyboard.press("Escape")
    page.wait("() => document.activeElement.id === 'filters-button'")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "more":
            break
    page.keyboard.press("Enter")
    page.wait("() => document.getElementById('about').open")


@pytest.mark.usefixtures("sky")
def test_a_phone_has_the_same_page(open_page):
    """Nothing is wider than the screen, and the list opens by a touch."""
    page = open_page(width=360, height=740, has_touch=True, is_mobile=True)
    page.shown(3)
    assert page.evaluate("document.documentElement.scrollWidth") == 360

    page.tap("#side-button")
    page.wait("() => document.querySelectorAll('tbody tr').length === 3")
    page.tap("tbody tr:nth-child(1) button")
    page.wait("() => !document.getElementById('panel').hidden")
    box = page.locator("#panel").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    at = {"x": box["x"] + 40, "y": box["y"] + 20}
    assert page.evaluate("({ x, y }) => !!document.elementFromPoint(x, y).closest('#panel')", at), "it is covered"

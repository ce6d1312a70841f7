"""The flights of an aircraft in its panel, and the whole way of one on the map."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import pytest

from local.web.answer import Answer, plain
from local.web.server import WebServer

ADDRESS = "3C4AAA"


class Api:
    """Answers as the API does: two flights of one aircraft, and the way of the newer one."""

    def __init__(self):
        today = datetime.now(UTC).replace(hour=6, minute=30, second=0, microsecond=0)
        self.flights = {}
        for back, (begin, end) in enumerate((("EDDF", "LSZH"), ("LSZH", "EDDF"))):
            at = today - timedelta(days=back)
            self.flights.setdefault(f"{at:%Y-%m-%d}", []).append(
                {
                    "id": f"{ADDRESS}-{at:%Y%m%dT%H%M%SZ}",
                    "icao_address": ADDRESS,
                    "callsign": f"DLH40{back}",
                    "departure_airport_icao": begin,
                    "arrival_airport_icao": end,
                    "takeoff_time": f"{at:%Y-%m-%dT%H:%M:%S}.000Z",
                    "first_time": f"{at:%Y-%m-%dT%H:%M:%S}.000Z",
                    "last_time": f"{at + timedelta(minutes=55):%Y-%m-%dT%H:%M:%S}.000Z",
                }
            )
        self.asked = []
        self.is_down = False

    def call(self, target, headers, client):  # noqa: ARG002 - an API's interface
        """Answer a question."""
        url = urlsplit(target)
        if self.is_down:
            return plain(HTTPStatus.SERVICE_UNAVAILABLE, "down")
        self.asked.append(url.path)
        if url.path == "/api/flights":
            query = parse_qs(url.query)
            found = self.flights.get(query["date"][0], []) if query["icao_address"] == [ADDRESS] else []
            return self._json({"flights": found})
        lines = [[[8.5, 50.0], [8.6, 48.5], [8.6, 47.5]]]
        properties = {"altitudes": [300, 24_000, None], "times": ["", "", ""]}
        geometry = {"type": "MultiLineString", "coordinates": lines}
        return self._json({"type": "Feature", "id": "", "geometry": geometry, "properties": properties})

    @staticmethod
    def _json(content):
        return Answer(HTTPStatus.OK, {"Content-Type": "application/json"}, json.dumps(content).encode())


@pytest.fixture
def api():
    """The API behind the server."""
    return Api()


@pytest.fixture
def server(site, api, files):
    """The page's address, with an API."""
    with WebServer(files) as running:
        running.connect(site, api)
        yield running.url


@pytest.mark.usefixtures("sky")
def test_a_click_draws_a_flights_whole_way(open_page, api):
    """The panel lists the flights of the last days, the newest first; one at a time is drawn, until it is let go."""
    page = open_page(f"at=47,8,6.5&aircraft={ADDRESS}")
    page.wait("() => document.querySelectorAll('.flights button').length === 2")
    assert "DLH400 · EDDF → LSZH" in page.text_content(".flights li:nth-child(1)")
    assert "06:30\N{EN DASH}07:25 Z" in page.text_content(".flights li:nth-child(1)")
    page.click(".flights li:nth-child(1) button")
    page.wait("() => document.documentElement.dataset.flight === '2'")
    assert page.get_attribute(".flights li:nth-child(1) button", "aria-pressed") == "true"
    page.click(".flights li:nth-child(2) button")
    page.wait("() => document.querySelectorAll('.flights [aria-pressed=true]').length === 1")
    page.wait("() => document.documentElement.dataset.flight === '2'")
    page.keyboard.press("Escape")
    page.wait("() => document.documentElement.dataset.flight === '0'")
    assert [path for path in api.asked if path.startswith("/api/flights/")] == [
        f"/api/flights/{found[0]['id']}" for found in api.flights.values()
    ]


def test_a_link_to_an_aircraft_of_a_recording_has_its_flights_of_then(sky, open_page, api):
    """Which day it is there is known once its aircraft have come."""
    then = sky.now - 400 * 24 * 3_600_000
    for update in sky.aircraft.values():
        update.timestamp = update.ingestion_time = sky.instant(then)
    sky.writer._windows[0].clear()
    sky.writer.add(sky.aircraft.values())
    sky.writer.write(sky.now)
    day = f"{sky.instant(then):%Y-%m-%d}"
    (flight, *_), *_ = api.flights.values()
    api.flights = {day: [flight]}

    page = open_page(f"at=47,8,6.5&aircraft={ADDRESS}")

    page.wait("() => document.querySelectorAll('.flights button').length === 1")


ALTITUDES = """async (way) => {
  const { pieces } = await import('./js/flights.js');
  return pieces(way).filter((_, place) => place % 6 === 4);
}"""


def test_each_piece_of_a_way_has_the_altitude_that_it_ends_at(modules):
    """Also behind the 180th meridian, where the API ends one line and begins another."""
    lines = [[[178, 0], [179, 0], [180, 0]], [[-180, 0], [-179, 0]]]
    way = {"geometry": {"coordinates": lines}, "properties": {"altitudes": [100, 200, 300, 300, 400]}}
    assert modules.evaluate(ALTITUDES, way) == [200, 300, 400]


@pytest.mark.usefixtures("sky")
def test_an_aircraft_without_flights_has_no_list(open_page):
    """Nor is there one where the page has no API: the panel is as it was."""
    page = open_page("at=47,8,6.5&aircraft=400CCC")
    page.wait("() => document.querySelector('#panel h2')?.textContent === 'BAW7'")
    assert page.is_hidden(".flights")


@pytest.mark.usefixtures("sky")
def test_an_api_that_fails_and_comes_back(open_page, api):
    """The panel says what happened, to the list and to a way, and tries again by itself."""
    said = "() => document.querySelector('.flights [role=status]')?.textContent.includes('HTTP 503. Trying again')"
    api.is_down = True
    page = open_page(f"at=47,8,6.5&aircraft={ADDRESS}")
    page.wait(said)
    assert page.is_visible(".flights")

    api.is_down = False
    page.wait("() => document.querySelectorAll('.flights button').length === 2")
    assert page.locator(".flights [role=status]").count() == 0

    api.is_down = True
    page.click(".flights li:nth-child(1) button")
    page.wait(said)
    assert page.get_attribute(".flights li:nth-child(1) button", "aria-pressed") == "true"

    api.is_down = False
    page.wait("() => document.documentElement.dataset.flight === '2'")
    assert page.locator(".flights [role=status]").count() == 0

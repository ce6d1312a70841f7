"""Windows that have closed: all parts of one that was split, and what they may say of an aircraft seen since."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from benchmarks.inputs.live_fleet import columns, header, identities
from benchmarks.servers.live_site import LiveSite
from live import identity_writer, objects
from live.writer import write
from local.web.answer import plain

MINUTE = 60_000
SHARD = "shardId-000000000000"
NAMES = "[...document.querySelectorAll('tbody tr button')].map((button) => button.textContent)"


class Site(LiveSite):
    """Live objects of which some are refused."""

    def __init__(self):
        super().__init__()
        self.refused = set()
        self.next = None

    def _answer(self, path, headers):
        if path in self.refused:
            return plain(HTTPStatus.SERVICE_UNAVAILABLE, "down")
        found = super()._answer(path, headers)
        if self.next:
            self.put(*self.next)
        return found


@pytest.fixture
def site():
    """The live objects behind the server."""
    return Site()


def statuses(site, path):
    """What a path was answered with."""
    return [status for found, status in list(site.requests) if found == path]


def is_read(site, path):
    """Whether it was there."""
    return bool({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}.intersection(statuses(site, path)))


def put_split(sky, end, *aircraft):
    """Close a window that had these aircraft in its first part, and nothing in its last."""
    start = end - MINUTE
    for part, fleet in enumerate((aircraft, ())):
        seen, texts = columns(fleet, start), identities(fleet)
        version = identity_writer.version(seen.icao_address, texts)
        head = header(start, SHARD, written_at=end, part=part, closed=True, identity=version)
        key = objects.closed_window(SHARD, end, 0) if part == 0 else objects.closed_window(SHARD, end)
        sky.site.put(key + objects.IDENTITY, identity_writer.write(seen, texts, head))
        sky.site.put(key, write(seen, head))


def test_a_split_window_has_the_aircraft_of_all_its_parts(sky, open_page):
    """Of the window before the open one, and of those that trails are made of."""
    end = sky.now - sky.now % MINUTE
    seen = sky.fly("ABCDEF", callsign="SPLIT1", latitude=46.8)
    del sky.aircraft["ABCDEF"]
    put_split(sky, end, seen)
    put_split(sky, end - MINUTE, seen)

    page = open_page("at=47,8,6.5&trails=1")

    page.wait(f"() => {NAMES}.includes('SPLIT1')")
    earlier = "/" + objects.closed_window(SHARD, end - MINUTE, 0)
    page.until(lambda: is_read(sky.site, earlier))


TRACK = """async ([base, until]) => {
  const { Replay } = await import('./js/replay.js');
  const live = { base, windowSeconds: 60, shards: new Map([['shardId-000000000000', {}]]) };
  let track = [];
  await new Replay(live).track('ABCDEF', until, 3, [47, 8], (points) => { track = points; });
  const { toLongitude } = await import('./js/geo.js');
  return track.map(([x]) => Math.round(100 * toLongitude(x)) / 100);
}"""


def test_a_whole_track_goes_through_windows_that_were_split(sky, modules, server):
    """In whichever part the aircraft was."""
    end = sky.now - sky.now % MINUTE
    for back, longitude in enumerate((8.2, 8.1, 8.0)):
        put_split(sky, end - back * MINUTE, sky.fly("ABCDEF", longitude=longitude))

    assert modules.evaluate(TRACK, [server, end]) == [8.0, 8.1, 8.2]


def test_what_an_earlier_window_says_of_an_aircraft_replaces_nothing_newer(sky, open_page):
    """It says what is not known since: the callsign, altitude and heading that an update may lack."""
    start = sky.rewind(2)
    sky.leave()
    sky.fly("ABCDEF", callsign="OLD1", squawk="1000", aircraft_type_icao="A20N")
    sky.fly("4B1BBB", callsign="LEVEL1", heading=180.0)
    sky.write(now=start + 90_000)
    sky.fly("ABCDEF", callsign="NEW1", squawk="2000")
    sky.fly("4B1BBB", callsign=None, altitude_baro=None, heading=None)
    sky.write(now=start + 2 * MINUTE + 1_000)
    page = open_page()

    page.wait(f"() => {NAMES}.sort().join() === 'LEVEL1,NEW1'")
    page.shown_again()
    assert sorted(page.evaluate(NAMES)) == ["LEVEL1", "NEW1"]
    for fragment, name in (("squawk=2000", "NEW1"), ("type=A20N", "NEW1"), ("min=30000&callsign=LEVEL1", "LEVEL1")):
        page.evaluate("fragment => { location.hash = `at=47,8,6.5&${fragment}` }", fragment)
        page.wait(f"name => {NAMES}.join() === name", name)


def test_identities_that_were_refused_come_later(sky, open_page):
    """Of a region that the map is moved to: of its open window, and of the one before."""
    start = sky.rewind(2)
    sky.leave()
    sky.fly("DDDDDD", callsign="CLOSED1")
    sky.write(now=start + 90_000)
    sky.aircraft.clear()
    sky.fly("EEEEEE", callsign="OPEN1")
    sky.write(now=start + 2 * MINUTE + 1_000)
    opened = f"/{objects.open_window(SHARD)}"
    closed = f"/{objects.closed_window(SHARD, start + 2 * MINUTE)}"
    page = open_page("at=-40,-120,6.5")
    page.until(lambda: is_read(sky.site, closed))
    sky.site.refused |= {opened + objects.IDENTITY, closed + objects.IDENTITY}

    page.evaluate("location.hash = 'at=47,8,6.5'")
    page.until(lambda: HTTPStatus.SERVICE_UNAVAILABLE in statuses(sky.site, opened + objects.IDENTITY))
    sky.site.refused.discard(opened + objects.IDENTITY)
    sky.write(now=start + 2 * MINUTE + 2_000)
    page.until(lambda: HTTPStatus.SERVICE_UNAVAILABLE in statuses(sky.site, closed + objects.IDENTITY))
    sky.site.refused.clear()

    page.wait(f"() => {NAMES}.sort().join() === 'CLOSED1,OPEN1'")


READ = """async ([url, box]) => {
  const { positionsAt } = await import('./js/objects.js');
  const { blocks } = await positionsAt(url).poll(box);
  return blocks.flatMap((block) => block.address);
}"""


def test_an_object_that_a_smaller_one_replaces_while_it_is_read_is_read_again(sky, modules, server):
    """What is asked for next lies beyond its end by now."""
    start = sky.now - sky.now % MINUTE
    usual = {"latitude": 47.0, "longitude": 8.0}
    fleet = [sky.fly(f"{number * 7919:06X}", longitude=-170 + number * 0.1) for number in range(2_000)]
    fleet += [sky.fly(f"{number * 7919:06X}", **usual) for number in range(2_000, 2_100)]
    large, small = (write(columns(some, start), header(start)) for some in (fleet, fleet[-1:]))
    sky.site.put("live/x", large)
    sky.site.next = "live/x", small

    assert modules.evaluate(READ, [f"{server}live/x", [46.9, 7.9, 47.1, 8.1]]) == [fleet[-1].icao_address]
    assert HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE in statuses(sky.site, "/live/x")

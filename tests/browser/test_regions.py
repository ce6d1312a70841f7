"""A region that is looked at has all its aircraft, wherever it lies and whatever was looked at before."""

from __future__ import annotations

import pytest

MINUTE = 60_000


@pytest.mark.parametrize("side", [1, -1], ids=["eastward", "westward"])
def test_a_view_moved_across_180_degrees_shows_what_is_beyond(sky, open_page, side):
    """What was read ends before 180 degrees: the view that reaches beyond asks for more."""
    sky.leave()
    sky.fly("ABCDEF", longitude=-176.0 * side, speed=0.0)
    sky.write()
    page = open_page(f"at=47,{149 * side},5.17")  # 40 degrees wide: 119 to 179 are read
    page.shown(0)

    page.evaluate("fragment => { location.hash = fragment; }", f"at=47,{165 * side},5.17")

    page.shown(1)


TRACK = """async ([base, until]) => {
  const { Replay } = await import('./js/replay.js');
  const live = { base, windowSeconds: 60, shards: new Map([['shardId-000000000000', {}]]) };
  let track = [];
  await new Replay(live).track('ABCDEF', until, 4, [47, -179.8], (points) => { track = points; });
  const { toLongitude } = await import('./js/geo.js');
  return track.map(([x]) => Math.round(100 * toLongitude(x)) / 100);
}"""


def test_a_whole_track_goes_on_across_180_degrees(sky, modules, server):
    """An aircraft is looked for around where it was, on the other side, too."""
    sky.leave()
    start = sky.rewind(3)
    for step, longitude in enumerate((179.6, 179.95, -179.8)):
        sky.fly("ABCDEF", longitude=longitude)
        sky.write(now=start + step * MINUTE + 30_000)
    sky.write(now=start + 3 * MINUTE)

    assert modules.evaluate(TRACK, [server, start + 3 * MINUTE]) == [179.6, 179.95, -179.8]


NAMES = "[...document.querySelectorAll('tbody tr button')].map((button) => button.textContent)"


def test_a_region_that_is_moved_to_has_the_aircraft_of_the_window_before(sky, open_page):
    """Seconds into a window the open one holds few: what closed before it is read for each region."""
    start = sky.rewind(2)
    sky.fly("DDDDDD", callsign="EAST1", longitude=40.0)
    sky.write(now=start + 90_000)
    del sky.aircraft["DDDDDD"]
    sky.write(now=start + 2 * MINUTE + 1_000)
    page = open_page()
    page.shown(3)

    page.evaluate("location.hash = 'at=47,40,6.5'")

    page.wait(f"() => {NAMES}.join() === 'EAST1'")


WAITS = """async ([base, fails]) => {
  const [{ Live }, { Fleet }] = await Promise.all([import('./js/live.js'), import('./js/fleet.js')]);
  const { fetch, setTimeout } = window, waits = [];
  const live = new Live(base, new Fleet(), () => {});
  window.setTimeout = (run, wait) => { waits.push(wait); return setTimeout(run, wait); };
  window.fetch = (url, options) => {
    if (url.endsWith('/open') && waits.length < 2) {
      live.look([46, 39, 48, 41]);
      if (fails) throw new Error('no answer');
    }
    return fetch(url, options);
  };
  live.look([46, 7, 48, 9]);
  live.start();
  while (waits.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  return waits.slice(0, 2);
}"""


@pytest.mark.usefixtures("sky")
@pytest.mark.parametrize("fails", [False, True], ids=["answered", "failing"])
def test_a_region_that_is_moved_to_while_another_is_asked_for_comes_next(modules, server, fails):
    """At once, not when the next poll is due: the other one is not what is looked at any more."""
    assert 0 in modules.evaluate(WAITS, [server, fails])

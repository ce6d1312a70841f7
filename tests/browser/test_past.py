"""The past: every region of it, each window's own names, and each aircraft on its way from one window to the next."""

from __future__ import annotations

from collections import Counter

MINUTE = 60_000
NAMES = "[...document.querySelectorAll('tbody tr button')].map((button) => button.textContent)"


def test_another_region_of_a_paused_past_has_its_aircraft(sky, open_page):
    """The past stands still, has a clock over an empty region, and is read again where the map is moved to."""
    sky.leave()
    sky.fly("DDDDDD", callsign="EAST1", longitude=40.0, speed=0.0)
    start = sky.rewind(4)
    for minute in range(4):
        sky.write(now=start + minute * MINUTE + 30_000)
    sky.write()
    page = open_page()
    page.go_back(start + 2 * MINUTE)
    page.click("#play")
    page.wait("() => document.getElementById('play').textContent === 'Play'")
    page.wait("() => /^Past [0-9:]{8} Z$/.test(document.getElementById('clock').textContent)")

    page.evaluate("location.hash = 'at=47,40,6.5'")

    page.wait(f"() => {NAMES}.join() === 'EAST1'")
    assert page.inner_text("#play") == "Play", "it stands still as before"


def test_an_aircraft_has_the_callsign_of_the_time_that_is_shown(sky, open_page):
    """The same aircraft flies back under another one some minutes later."""
    start = sky.rewind(6)
    for minute in range(6):
        sky.fly("3C4AAA", callsign="MORNING1" if minute < 3 else "EVENING1")
        sky.write(now=start + minute * MINUTE + 30_000)
    sky.write()
    page = open_page()
    page.go_back(start + 1 * MINUTE)
    page.wait(f"() => {NAMES}.includes('MORNING1')")

    page.go_back(start + 4 * MINUTE)

    page.wait(f"() => {NAMES}.includes('EVENING1')")
    assert "MORNING1" not in page.evaluate(NAMES)


WAY = """async (parts) => {
  const [{ Replay }, { Fleet }, { toLongitude }] = await Promise.all(
    ['replay', 'fleet', 'geo'].map((name) => import(`./js/${name}.js`)));
  const minute = 60000, end = 1800000000000, next = end + 15 * minute;
  const window = (measured, longitude) => {
    const numbers = { measured, longitude, latitude: 47, ahead: 0, delay: 0, age: 0, flags: 0,
      speed: 450, heading: 90, altitude: 36000, verticalRate: 0 };
    const columns = Object.entries(numbers).map(([name, number]) => [name, [number]]);
    const fleet = new Fleet();
    fleet.add({ count: 1, address: ['ABCDEF'], ...Object.fromEntries(columns) }, measured);
    return Promise.resolve(fleet);
  };
  const replay = new Replay({ windowSeconds: 900, closedUntil: -Infinity });
  replay.windows.set(end, window(end - minute, 8)).set(next, window(next - minute, 9));
  const { fleet } = await replay.at(end + 1);
  return parts.map((part) => {
    const now = end - minute + part * 15 * minute;
    const [, , , , at] = fleet.anchor(0, now);
    return [Math.round(1000 * toLongitude(fleet.position(0, now)[0])) / 1000, (now - at) / 1000];
  });
}"""


def test_an_aircraft_is_on_its_way_for_all_of_a_long_window(modules):
    """From one place to the next, a quarter of an hour apart, at one speed, and no part of it fades."""
    assert modules.evaluate(WAY, [0.0, 0.25, 0.5, 1.0]) == [[8, 0], [8.25, 0], [8.5, 0], [9, 0]]


LATE = """async () => {
  const [{ Playback }, { at, realTime }] = await Promise.all(
    ['replay', 'clock'].map((name) => import(`./js/${name}.js`)));
  const time = 1800000000000, minute = 60000;
  const until = time + minute;
  const live = { closedUntil: time + 3 * minute, troubles: new Map() };
  const playback = new Playback({ live, at: () => new Promise(() => {}) }, () => {}, (attempt) => attempt());
  const of = { time, speed: 300 };
  playback.asked = of;
  playback.past = { fleet: {}, clock: { feed: 1e12, real: 0, rate: 2 }, until, of, since: realTime() - 10 * minute };
  const reading = playback.clock();
  return [playback.time - time, reading.feed - 1e12, at(reading, reading.real + 10 * minute) - 1e12];
}"""


def test_what_comes_late_is_waited_for_at_the_end_of_what_is_there(modules):
    """However fast it goes, and however long the machine slept: neither aircraft nor the clock run on and leap back."""
    assert modules.evaluate(LATE) == [MINUTE, 2 * MINUTE, 2 * MINUTE]


def test_a_past_that_waits_for_its_next_window_can_be_paused(sky, open_page, site):
    """It stays where it is: the time that is shown has not run on into the present."""
    start = sky.rewind(6)
    for minute in range(6):
        sky.write(now=start + minute * MINUTE + 30_000)
    sky.write()
    page = open_page()
    page.go_back(start + 2 * MINUTE)
    site.is_down = True
    page.select_option("#speed", "300")
    page.until(
        lambda: (
            max(Counter(one for one in list(site.requests) if one[1] == 503 and "closed" in one[0]).values(), default=0)
            > 2
        )
    )

    page.click("#play")

    page.wait("() => document.getElementById('play').textContent === 'Play'")
    assert page.evaluate("document.getElementById('clock').textContent").startswith("Past")

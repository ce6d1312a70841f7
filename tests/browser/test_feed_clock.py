"""The feed's clock goes by what the aircraft say, as long as that can be."""

from __future__ import annotations

CLOCK = "document.getElementById('clock').textContent"


def test_one_time_of_ingestion_ahead_of_the_clock_hides_no_aircraft(sky, open_page):
    """An object holds nothing that was ingested after it was written: such a time is not the feed's."""
    ahead = sky.fly("ABCDEF", callsign="AHEAD1", latitude=46.8)
    ahead.ingestion_time = sky.instant(sky.now + 600_000)
    sky.writer.add([ahead])
    sky.writer.write(sky.now)
    page = open_page()

    page.shown(4)
    page.shown_again()
    page.shown(4)
    assert page.locator("tr.old").count() == 0


def test_a_view_without_aircraft_has_a_clock(sky, open_page):
    """Nothing was ingested there: the present is shown, and aircraft that come are of it."""
    sky.leave()
    page = open_page("at=-40,-120,6")
    page.wait(f"() => {CLOCK}.startsWith('Live')")
    page.shown_again()
    page.wait(f"() => /^Live [0-9:]{{8}} Z$/.test({CLOCK})")

    sky.fly("ABCDEF", callsign="FIRST1", latitude=-40.0, longitude=-120.0)
    sky.write()
    page.look_again()
    page.shown(1)
    page.shown_again()
    page.shown(1)


RATE = """async ([newest, later]) => {
  const { FeedClock } = await import('./js/clock.js');
  const clock = new FeedClock();
  clock.see(-Infinity, 1e12, 1e12);
  clock.see(newest, 1e12 + 5000, 1e12 + 5000);
  clock.see(later, 1e12 + 10000, 1e12 + 10000);
  return clock.reading(1e12 + 11000).rate;
}"""


def test_a_late_feed_that_begins_after_an_empty_view_runs_as_fast_as_it_does(modules):
    """Four hours late by design: its first aircraft make the clock no faster."""
    first = 1e12 - 4 * 3_600_000
    assert modules.evaluate(RATE, [first, first + 5_000]) == 1


OWN = """async (lags) => {
  const { FeedClock } = await import('./js/clock.js');
  const clock = new FeedClock();
  return lags.map((lag, turn) => {
    const real = 1e12 + 5000 * turn;
    clock.see(real - 1000 * lag, real, real);
    return clock.isOwn;
  });
}"""


def test_a_feed_that_is_two_minutes_late_changes_its_clock_once(modules):
    """A little more and a little less than that does not have its aircraft leap to and fro."""
    assert modules.evaluate(OWN, [5, 119, 121, 119, 100, 121, 89, 119]) == [False] * 2 + [True] * 4 + [False] * 2


NAMES = "[...document.querySelectorAll('tbody tr button')].map((button) => button.textContent)"


def test_a_recording_that_begins_again_is_shown(sky, open_page):
    """Its clock goes back with it, and what the window before says of its end is not of now."""
    start = sky.rewind(3)
    hour = 3_600_000
    page = open_page()
    for address, name, minute, at in (
        ("AAAAAA", "END1", 1, start - 999 * hour),
        ("BBBBBB", "BEGIN1", 2, start - 1000 * hour),
    ):
        now = start + minute * 60_000 + 30_000
        sky.leave()
        update = sky.fly(address, callsign=name)
        update.timestamp = update.ingestion_time = sky.instant(at)
        sky.writer.write(now - 30_000)
        sky.writer.add([update])
        sky.writer.write(now)
        page.look_again()
        page.wait(f"name => {NAMES}.join() === name", name)

    closed = "/live/shardId-000000000000/closed/"
    page.until(lambda: any(path.startswith(closed) and "identity" in path for path, _ in list(sky.site.requests)))
    page.shown_again()
    page.shown(1)
    assert page.evaluate(NAMES) == ["BEGIN1"]

"""The whole track of the aircraft that is chosen: from its beginning to where it is, whatever time is shown."""

from __future__ import annotations

MINUTE = 60_000

KEEP_TRACKS = """window.Worker = class extends Worker {
  constructor(...all) {
    super(...all);
    this.addEventListener('message', ({ data }) => { if (data.type === 'labels') window.drawn = [...data.tracks]; });
  }
};"""

DRAWN = """(longitudes) => {
  const along = (window.drawn ?? []).filter((_, at) => at % 6 === 0).map((x) => ((x - 0.5) * 360).toFixed(1));
  return longitudes.every((one) => along.includes(one.toFixed(1)));
}"""


def test_the_track_of_a_link_goes_on_as_windows_close_and_whatever_time_is_shown(sky, open_page):
    """It is there as soon as the aircraft is, and no window is missing after a look at the past."""
    sky.leave()
    start = sky.rewind(4)

    def fly(*minutes):
        for minute in minutes:
            sky.fly("ABCDEF", longitude=8 + minute / 10, speed=0.0)
            sky.write(now=start + minute * MINUTE + 30_000)

    fly(0, 1, 2, 3)
    page = open_page("at=47,8.3,7&aircraft=ABCDEF", script=KEEP_TRACKS)
    page.wait(DRAWN, [8.0, 8.1, 8.2])

    fly(4, 5, 6)
    page.look_again()
    page.wait(DRAWN, [8.0, 8.1, 8.2, 8.3, 8.4, 8.5])

    page.go_back(start + 2 * MINUTE)
    page.click("#play")
    page.evaluate("location.hash = 'at=47,8.3,7'")
    page.wait("() => drawn.length === 0")
    page.evaluate("location.hash = 'at=47,8.3,7&aircraft=ABCDEF'")
    page.wait(DRAWN, [8.0, 8.1])
    page.click("#live")
    page.wait(DRAWN, [8.0, 8.1, 8.2, 8.3, 8.4, 8.5])

"""The clock of the machine that the page is looked at on: it may be wrong, and may be set while the page is open."""

from __future__ import annotations

import dataclasses

import pytest

from local.web.static_files import StaticFiles

HOUR = 3_600_000

CLOCK = """{ const now = Date.now, channel = new BroadcastChannel('clock'); let ahead = 0;
Date.now = () => now.call(Date) + ahead;
channel.onmessage = ({ data }) => { if (data.by) { ahead = data.by; channel.postMessage({}); } }; }"""
"""In the page and in its worker: has a test set the clock of both."""

SET = """(by) => new Promise((resolve) => {
  const channel = new BroadcastChannel('clock');
  let left = 2;
  channel.onmessage = () => { if (--left === 0) resolve(); };
  channel.postMessage({ by });
})"""


WRONG = "Object.defineProperty(performance, 'timeOrigin', {{ value: performance.timeOrigin + {} }});"
"""In the page and in its worker: a clock that was wrong before."""


class Files(StaticFiles):
    """The page's files, with the beginning that a test gives the worker."""

    beginning = ""

    def answer(self, path, headers):
        """Answer a GET."""
        found = super().answer(path, headers)
        if path != "/js/worker.js":
            return found
        return dataclasses.replace(found, body=self.beginning.encode() + found.body)


@pytest.fixture
def files(repository):
    """The page's files."""
    return Files(repository / "web")


@pytest.mark.usefixtures("sky")
@pytest.mark.parametrize("by", [-HOUR, HOUR], ids=["back", "forward"])
def test_a_clock_that_is_set_while_the_page_is_open_changes_nothing(open_page, files, by):
    """The map goes on, and its aircraft are as old as they are."""
    files.beginning = CLOCK
    page = open_page(script=CLOCK)
    page.shown(3)
    page.shown_again()
    page.evaluate(SET, by)

    page.shown_again()
    page.shown_again()

    page.shown(3)
    assert page.locator("tr.old").count() == 0
    assert page.evaluate("document.getElementById('clock').textContent").startswith("Live")


@pytest.mark.usefixtures("sky")
@pytest.mark.parametrize("by", [90_000, 600_000], ids=["a little", "much"])
def test_a_clock_that_is_fast_makes_nothing_old(open_page, files, by):
    """What time it is the server says: neither an aircraft nor the pipeline's report is of the past."""
    files.beginning = WRONG.format(by)
    page = open_page(script=files.beginning)
    page.shown(3)
    page.wait("() => document.querySelectorAll('tbody tr').length === 3")

    page.shown_again()

    assert page.locator("tr.old").count() == 0
    assert page.locator("#health .bad").count() == 0


SKEW = """async (seen) => {
  const { Skew } = await import('./js/clock.js');
  const skew = new Skew();
  return seen.map(([seconds, ahead]) => {
    skew.see(1e12 + 1000 * (seconds + ahead), 1e12 + 1000 * seconds);
    return skew.value / 1000;
  });
}"""


@pytest.mark.parametrize(
    ("seen", "skews"),
    [
        ([(0, -0.9), (5, -1.5), (70, -1.9)], [0, 0, 0]),
        ([(0, -95), (1, -90.5), (2, -90.9), (3, -89)], [-95, -90.5, -90.5, -90.5]),
        ([(0, 100), (5, -40), (59, -0.5), (61, -30), (120, -30)], [100, 100, 100, 0, -30]),
    ],
    ids=["right", "fast", "corrected"],
)
def test_the_clock_is_compared_with_the_latest_that_was_heard_in_a_minute(modules, seen, skews):
    """An answer takes its time, so that the latest is the best; two seconds are no difference."""
    assert modules.evaluate(SKEW, seen) == skews

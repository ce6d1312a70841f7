"""The clock of the machine that the page is looked at on: it may be wrong, and may be set while the page is open."""

from __future__ import annotations

import dataclasses

import pytest

from local.web.server import WebServer
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


class Files(StaticFiles):
    """The page's files, with the beginning that a test gives the worker."""

    def answer(self, path, headers):
        """Answer a GET."""
        found = super().answer(path, headers)
        if path != "/js/worker.js":
            return found
        return dataclasses.replace(found, body=CLOCK.replace("\n", " ").encode() + found.body)


@pytest.fixture
def server(site, repository):
    """The page's address."""
    with WebServer(Files(repository / "web")) as running:
        running.connect(site, site)
        yield running.url


@pytest.mark.usefixtures("sky")
@pytest.mark.parametrize("by", [-HOUR, HOUR], ids=["back", "forward"])
def test_a_clock_that_is_set_while_the_page_is_open_changes_nothing(open_page, by):
    """The map goes on, and its aircraft are as old as they are."""
    page = open_page(script=CLOCK)
    page.shown(3)
    page.shown_again()
    page.evaluate(SET, by)

    page.shown_again()
    page.shown_again()

    page.shown(3)
    assert page.locator("tr.old").count() == 0
    assert page.evaluate("document.getElementById('clock').textContent").startswith("Live")

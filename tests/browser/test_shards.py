"""The shards that the page finds: of another version, or left behind after a split or a merge."""

from __future__ import annotations

import json

from benchmarks.inputs.live_writer import LiveWriter

TROUBLE = "document.getElementById('trouble').textContent"


def asked(site, path):
    """Return the statuses of what was asked for under a path."""
    return [status for found, status in list(site.requests) if found == path]


def test_a_list_of_shards_of_another_version_is_reported_until_it_is_replaced(sky, open_page):
    """Both versions are named, again and again: it never counts as known."""
    usable = sky.site.get("live/shards.json")
    sky.site.put("live/shards.json", json.dumps({"version": 2, "shards": {}}).encode())
    page = open_page()
    said = "Cannot be read: shards.json: version 2; this page knows 1"
    page.wait(f"said => {TROUBLE} === said", said)

    page.until(lambda: len(asked(sky.site, "/live/shards.json")) > 2)
    page.wait_for_timeout(500)
    assert page.evaluate(TROUBLE) == said
    assert set(asked(sky.site, "/live/shards.json")) == {200}

    sky.site.put("live/shards.json", usable)
    page.shown(3)
    page.wait(f"() => {TROUBLE} === ''")


def test_a_shard_that_was_split_or_merged_counts_no_more(sky, open_page):
    """Its last snapshot stays: neither aircraft nor shard are counted; it is seldom asked for, and not for trails."""
    sky.now -= 600_000
    before = LiveWriter(sky.site.put, 2, sky.now)
    before.add([sky.fly(f"{number:06X}") for number in range(20)])
    before.write(sky.now)
    sky.leave()
    sky.fly("3C4AAA", callsign="DLH401")
    sky.write()
    page = open_page()
    page.shown(1)
    counted = "[...document.querySelectorAll('#health li')].map((figure) => figure.textContent)"
    page.wait(f"() => {counted}.includes('Shards 1') && {counted}.includes('Aircraft 1')")
    page.wait("() => document.getElementById('in-view').textContent === '1 of 1'")

    page.until(lambda: len(asked(sky.site, "/live/shardId-000000000000/open")) > 5)
    assert len(asked(sky.site, "/live/shardId-000000000001/open")) <= 3

    page.click("#tracks")
    closed = "/live/shardId-{:012}/closed/"
    page.until(lambda: len({path for path, _ in list(sky.site.requests) if path.startswith(closed.format(0))}) > 5)
    assert len({path for path, _ in sky.site.requests if path.startswith(closed.format(1))}) <= 1

"""Questions about window rows and alerts, over objects in a bucket."""

from __future__ import annotations

import gzip
import json
import random
import tracemalloc
from datetime import timedelta

import pytest

from api import cursors, window_rows
from tests.integration.api.conftest import NOW


def row(minute, address=None, hour=23):
    """Make a window row."""
    start = f"2024-03-04T{hour}:{minute:02}:00Z"
    if address is None:
        return {"kind": "totals", "window_start": start, "updates": 5}
    return {"kind": "aircraft", "window_start": start, "icao_address": address, "updates": 1}


def test_rows_of_the_last_quarter_of_an_hour(get, put_rows):
    """By the window's start, whichever hour they were delivered in; a damaged line is skipped and counted."""
    put_rows([row(9), row(10), row(10, "78121E"), {"odd": 1}], "a")
    put_rows([row(23), row(24)], "b")
    put_rows([row(59, hour=22)], "c")
    answer = get("/windows")[2]
    assert answer == {"rows": [row(10), row(10, "78121E"), row(23), row(24)], "unreadable": 1}
    put_rows([row(22)], "late", hour="date=2024-03-05/hour=00")
    assert get("/windows")[2]["rows"][-1] == row(22)


def test_rows_can_be_narrowed(get, put_rows):
    """To a kind, to aircraft, to times."""
    put_rows([row(20), row(20, "78121E"), row(20, "ABC123"), row(21, "78121E")])
    assert len(get("/windows?kind=aircraft")[2]["rows"]) == 3
    assert get("/windows?icao_address=78121e")[2]["rows"] == [row(20, "78121E"), row(21, "78121E")]
    asked = "/windows?from=2024-03-04T23:21:00Z&to=2024-03-05T01:00:00%2B01:00"
    assert get(asked)[2]["rows"] == [row(21, "78121E")]


def test_of_a_window_computed_again_all_rows_are_answered_and_no_marks(get, put_rows):
    """Rows of both times are known by `rebuilt_at`; marks are for SQL, and have none of a row's fields."""
    again = {**row(20, "78121E"), "rebuilt_by": "arrival", "rebuilt_at": "2024-03-04T23:24:00Z"}
    put_rows([row(20, "78121E"), row(20), again])
    put_rows([{"kind": "replaced", "window_start": row(20)["window_start"], "rebuilt_at": "2024-03-04T23:24:00Z"}], "b")
    assert get("/windows")[2] == {"rows": [row(20, "78121E"), row(20), again]}


def test_pages_of_rows_follow_one_another(get, put_rows):
    """Across objects, each row once."""
    rows = [row(minute) for minute in range(10, 24)]
    put_rows(rows[:5], "a")
    put_rows(rows[5:], "b")
    seen, target = [], "/windows?limit=4"
    while target:
        page = get(target)[2]
        seen += page["rows"]
        target = page.get("next", "").removeprefix("/api")
    assert seen == rows


def test_pages_are_about_the_span_of_the_first_one(get, put_rows, put_alert, clock):
    """Time goes on between two pages: no window is cut by it, no alert left out, nothing new between them."""
    rows = [row(10, f"78{number:04}") for number in range(6)]
    put_rows(rows)
    put_alert(NOW - timedelta(hours=23, minutes=59), 1)
    put_alert(NOW - timedelta(hours=23, minutes=59), 2)
    for question, kind, count in (("/windows?limit=2", "rows", 6), ("/alerts?limit=1", "alerts", 2)):
        seen, target = [], question
        while target:
            page = get(target)[2]
            seen += page[kind]
            clock.seconds += 120
            target = page.get("next", "").removeprefix("/api")
        assert len(seen) == count, question
        clock.seconds = 0.0


def test_as_long_as_may_be_asked_for_may_be_read_to_its_end(get, put_rows, clock):
    """`from` is six hours ago when it is sent, a little more when it comes, and more than that at the last page."""
    put_rows([row(20), row(21)])
    target = "/windows?from=2024-03-04T17:24:25Z&limit=1"
    seen = []
    while target:
        status, _, page = get(target)
        assert status == 200, page
        seen += page["rows"]
        clock.seconds += 3_600
        target = page.get("next", "").removeprefix("/api")
    assert seen == [row(20), row(21)]


def test_alerts_of_the_last_day(get, put_alert):
    """The oldest first, by the time of the update."""
    for hours in (30, 20, 2):
        put_alert(NOW - timedelta(hours=hours), hours)
    assert [alert["id"] for alert in get("/alerts")[2]["alerts"]] == ["0020", "0002"]
    assert len(get("/alerts?from=2024-03-01T00:00:00Z")[2]["alerts"]) == 3


def test_an_alert_that_is_dated_after_now_is_there_unless_times_are_asked_for(get, put_alert):
    """Both of an update's clocks may run ahead; who asks for all that was sent shall see it."""
    put_alert(NOW - timedelta(minutes=1), 1)
    put_alert(NOW + timedelta(hours=3), 2)
    put_alert(NOW + timedelta(days=400), 3)
    assert [alert["id"] for alert in get("/alerts")[2]["alerts"]] == ["0001", "0002", "0003"]
    assert [alert["id"] for alert in get("/alerts?to=2024-03-05T00:00:00Z")[2]["alerts"]] == ["0001"]


def test_pages_of_alerts_follow_one_another(get, put_alert):
    """Each alert once, those of one aircraft alone if asked for."""
    for number in range(7):
        put_alert(NOW - timedelta(minutes=90 - number), number, "78121E" if number % 2 else "ABC123")
    seen, target = [], "/alerts?limit=3"
    while target:
        page = get(target)[2]
        seen += [alert["id"] for alert in page["alerts"]]
        target = page.get("next", "").removeprefix("/api")
    assert seen == [f"{number:04}" for number in range(7)]
    assert [alert["id"] for alert in get("/alerts?icao_address=78121e")[2]["alerts"]] == ["0001", "0003", "0005"]


@pytest.mark.parametrize(
    "place",
    [
        (0, "windows/x", -1),
        (0, "windows/x", 1 << 31),
        (0, "windows/x", 1 << 99),
        (0, "live/shards.json", 0),
        (0, "raw/date=2024-03-04/a", 0),
        (-1, "windows/x", 0),
        (1 << 47, "windows/x", 0),
    ],
)
def test_a_cursor_of_somebody_else_is_refused(get, place):
    """It names rows, and nothing else of the bucket."""
    status, _, answer = get(cursors.write(place, "/windows", ()).removeprefix("/api"))
    assert (status, answer["parameter"]) == (400, "cursor")


def test_a_page_of_rows_fits_into_an_answer_of_lambda(service, get, put_rows):
    """As text within JSON, which makes two characters of each quote, whatever names a feed has sent."""
    rows = [{**row(10, "78121E"), "callsigns": ["X" * 32] * 96, "part": part} for part in range(2_000)]
    put_rows(rows)
    event = {"rawPath": "/api/windows", "rawQueryString": "limit=5000"}
    assert len(json.dumps(service.answer(event, warn=lambda _: None))) < 6_291_556
    first = get("/windows?limit=5000")[2]
    second = get(first["next"].removeprefix("/api"))[2]
    assert first["rows"] + second["rows"] == rows


def test_a_damaged_object_hides_no_other(get, s3, put_alert, put_rows):
    """Neither of alerts nor of rows: not even bytes that only an answer as a whole cannot hold."""
    for number in (1, 3):
        put_alert(NOW - timedelta(minutes=9 - number), number)
    odd = f"alerts/date=2024-03-04/hour=23/{round((NOW - timedelta(minutes=7)).timestamp() * 1000)}-0002.json"
    for content in (b"", b"<html>", b"{}", b'{"id":"\xff"}', b"[" * 100_000):
        s3.put_object(Bucket="data", Key=odd, Body=content)
        answer = get("/alerts")[2]
        assert ([alert["id"] for alert in answer["alerts"]], answer["unreadable"]) == (["0001", "0003"], 1)
        first = get("/alerts?limit=1")[2]
        assert get(first["next"].removeprefix("/api"))[2]["unreadable"] + first.get("unreadable", 0) == 1
    put_rows([row(20)], "a")
    damaged = json.dumps({**row(21), "odd": "?"}).encode().replace(b"?", b"\xff") + b"\n" + b"[" * 100_000 + b"\n"
    s3.put_object(Bucket="data", Key="windows/date=2024-03-04/hour=23/b", Body=damaged)
    assert get("/windows")[2] == {"rows": [row(20)], "unreadable": 2}
    more = random.Random(1).randbytes(5_000).hex()
    cut = gzip.compress(f"{json.dumps(row(22))}\n{more}".encode())[:-3_000]
    s3.put_object(Bucket="data", Key="windows/date=2024-03-04/hour=23/c", Body=cut)
    assert get("/windows")[2] == {"rows": [row(20), row(22)], "unreadable": 3}


def pages(get, question):
    """Return the pages that an answer leads to."""
    found, target = [], question
    while target:
        status, _, page = get(target)
        assert status == 200, page
        found.append(page)
        target = page.get("next", "").removeprefix("/api")
    return found


@pytest.mark.parametrize("nothing", [b"", gzip.compress(b"", mtime=0)], ids=["empty", "gzip of nothing"])
def test_an_empty_object_is_damaged(get, s3, put_rows, put_alert, nothing):
    """Firehose writes none, nor does the alerts function: something is missing there."""
    put_rows([row(20)])
    s3.put_object(Bucket="data", Key="windows/date=2024-03-04/hour=23/b.ndjson.gz", Body=nothing)
    assert get("/windows")[2] == {"rows": [row(20)], "unreadable": 1}
    put_alert(NOW - timedelta(minutes=9), 1)
    odd = f"alerts/date=2024-03-04/hour=23/{round((NOW - timedelta(minutes=7)).timestamp() * 1000)}-0002.json"
    s3.put_object(Bucket="data", Key=odd, Body=nothing)
    assert get("/alerts")[2]["unreadable"] == 1


@pytest.mark.parametrize(
    ("lines", "unreadable"),
    [
        pytest.param((b"\n", 20_000_000), 1 << 20, id="blank lines"),
        pytest.param((b"x" * 1_000_000 + b"\n", 200), 135, id="long lines"),
        pytest.param((b"x" * 1_000_000, 200), 1, id="one line"),
    ],
)
def test_of_an_object_no_more_is_read_than_firehose_writes(get, s3, put_rows, lines, unreadable):
    """Whatever it inflates to; what lies beyond is unreadable, and hides no other object."""
    put_rows([row(20)], "a")
    put_rows([row(22)], "c")
    line, count = lines
    odd = gzip.compress(json.dumps(row(21)).encode() + b"\n" + line * count, 1)
    s3.put_object(Bucket="data", Key="windows/date=2024-03-04/hour=23/b.ndjson.gz", Body=odd)

    found = pages(get, "/windows")

    assert [one for page in found for one in page["rows"]] == [row(20), row(21), row(22)]
    assert sum(page.get("unreadable", 0) for page in found) == unreadable
    assert max(page.get("unreadable", 0) for page in found) < 300_000


def test_a_long_line_is_not_held(get, s3, put_rows):
    """Not even one that would be the whole memory."""
    put_rows([row(20)], "a")
    odd = gzip.compress(b"x" * 200_000_000, 1)
    s3.put_object(Bucket="data", Key="windows/date=2024-03-04/hour=23/b.ndjson.gz", Body=odd)
    tracemalloc.start()
    try:
        assert get("/windows")[2] == {"rows": [row(20)], "unreadable": 1}
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_page_of_rows_fetches_so_many_objects_and_so_many_bytes(get, s3, put_rows, monkeypatch):
    """What is left comes with the next, each row once: of many small objects, and of damaged ones."""
    monkeypatch.setattr(window_rows, "_MOST_OBJECTS", 4)
    for number in range(5):
        put_rows([row(20, f"78{number:04}")], f"a{number}")
    assert [len(page["rows"]) for page in pages(get, "/windows")] == [4, 1]
    for number in range(3):
        odd = f"windows/date=2024-03-04/hour=23/{number}"
        s3.put_object(Bucket="data", Key=odd, Body=b"\x1f\x8b" + bytes(20_000_000))
    found = pages(get, "/windows")
    assert [(len(page["rows"]), page.get("unreadable", 0)) for page in found] == [(0, 2), (3, 1), (2, 0)]


def test_an_alert_larger_than_any_is_damaged_and_a_page_of_large_ones_short(get, s3):
    """Each is read once."""

    def put(number, size):
        at = NOW - timedelta(minutes=30 - number)
        alert = {"id": f"{number:04}", "rule": "pattern", "icao_address": "78121E", "at": at.isoformat()}
        key = f"alerts/date=2024-03-04/hour=22/{round(at.timestamp() * 1_000)}-{number:04}.json"
        s3.put_object(Bucket="data", Key=key, Body=json.dumps({**alert, "update": "x" * size}))

    put(0, 2_000_000)
    for number in range(1, 7):
        put(number, 1_000_000)
    found = pages(get, "/alerts")
    assert [(len(page["alerts"]), page.get("unreadable", 0)) for page in found] == [(4, 1), (2, 0)]

"""The live objects of an aggregator that is invoked as Lambda invokes it, in a bucket of a moto server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from aggregator import wiring
from live import identities, objects
from tests.integration.aggregator.conftest import CLOSED, END, OPEN, SHARD, Refused, everything, keys, update


def test_an_open_window_is_shown_after_every_invocation(invoke, read, s3):
    """Each aircraft of the window with its newest state; position and identity as the updates say."""
    state = invoke([update(1, latitude=31.2, longitude=121.4, altitude_baro=9_000, callsign="CCA8302 ")])
    invoke([update(6, speed=400, collection_type="satellite"), update(5, "ABC123", squawk="7700")], state, first=2)
    header, found = read(OPEN)
    assert (header.sequence, header.part, header.closed, header.window_end) == ("3", 0, False, END)
    target = found["78121E"]
    assert (target.latitude, target.longitude, target.speed, target.source) == (31.2, 121.4, 400, "satellite")
    assert target.altitude is None  # the newest update has none
    assert target.freshness.timestamp - target.position_measured == 5_000
    assert found["ABC123"].emergency == "7700"
    named = identities.read(s3.get_object(Bucket="data", Key=OPEN + objects.IDENTITY)["Body"].read())[1]
    assert named["78121E"]["callsign"] == "CCA8302"
    listed = json.loads(s3.get_object(Bucket="data", Key=objects.SHARDS)["Body"].read())
    assert listed == {"version": 1, "window_seconds": 60, "shards": {SHARD: {"since": "2024-03-04T23:24:00Z"}}}


def test_a_window_that_closes_leaves_a_snapshot_that_stays(invoke, read, s3):
    """The next window begins empty, and the closed one is still there, with its identities."""
    state = invoke([update(1, callsign="A1")])
    invoke([], state, final=True)
    invoke([update(30, "ABC123")], first=2, minute=25)
    header, found = read(CLOSED)
    assert (header.closed, header.part, list(found)) == (True, 0, ["78121E"])
    assert list(read(OPEN)[1]) == ["ABC123"]
    assert {CLOSED, CLOSED + objects.IDENTITY} <= keys(s3)


def test_an_old_invocation_that_is_tried_again_replaces_nothing(invoke, read):
    """A newer snapshot stays, within a window and from one window to the next, in a new environment too."""
    state = invoke([update(1)])
    invoke([update(6, speed=400)], state, first=2)
    invoke([update(1)])
    assert read(OPEN)[1]["78121E"].speed == 400
    wiring.aggregator.cache_clear()
    invoke([update(1)])
    assert read(OPEN)[1]["78121E"].speed == 400
    invoke([update(50, speed=200)], first=3, minute=25)
    invoke([update(59, speed=100)], state, first=9)
    assert read(OPEN)[1]["78121E"].speed == 200


def test_a_snapshot_that_another_environment_wrote_is_noticed(invoke, read, monkeypatch):
    """What this environment believes to be there is not: it looks, and writes only what is newer."""
    this = wiring.aggregator()
    state = invoke([update(1)])
    wiring.aggregator.cache_clear()
    invoke([update(6, speed=400)], state, first=5)
    monkeypatch.setattr(wiring, "aggregator", lambda: this)
    invoke([update(7, speed=300)], state, first=3)
    assert read(OPEN)[1]["78121E"].speed == 400
    invoke([update(8, speed=500)], state, first=7)
    assert read(OPEN)[1]["78121E"].speed == 500


def test_a_window_that_was_ended_early_goes_on_under_the_next_number(invoke, read):
    """Its parts are found by their numbers: the next one's header says how many there were."""
    state = invoke([update(1)])
    invoke([update(2)], state, first=2, early=True)
    assert read(CLOSED + ".0")[1].keys() == {"78121E"}
    assert read(OPEN)[0].part == 1
    state = invoke([update(20, "ABC123")], first=3)
    header, found = read(OPEN)
    assert (header.part, list(found)) == (1, ["ABC123"])
    invoke([], state, final=True)
    header, found = read(CLOSED)
    assert (header.part, list(found)) == (1, ["ABC123"])


@pytest.mark.parametrize("same_environment", [True, False])
def test_a_window_that_is_ended_early_without_records_goes_on_being_shown(invoke, read, same_environment):
    """Lambda calls such an end final, too, and the window goes on: each later invocation is shown until it is over."""
    state = invoke([update(1)])
    invoke([], state, final=True, early=True)
    assert (read(OPEN)[0].part, list(read(OPEN)[1])) == (1, [])
    if not same_environment:
        wiring.aggregator.cache_clear()
    state = invoke([update(20, "ABC123")], first=2)
    state = invoke([update(25, "DEF456")], state, first=3)
    assert read(OPEN)[1].keys() == {"ABC123", "DEF456"}
    invoke([], state, final=True)
    header, found = read(CLOSED)
    assert (header.part, found.keys()) == (1, {"ABC123", "DEF456"})
    assert read(CLOSED + ".0")[1].keys() == {"78121E"}


def test_a_window_that_is_ended_early_and_not_again_is_found_when_the_next_begins(invoke, read):
    """Without further records Lambda does not end it a second time; an empty last part leads to the others."""
    state = invoke([update(1)])
    invoke([], state, final=True, early=True)
    invoke([update(30, "ABC123")], first=2, minute=25)
    assert (read(CLOSED)[0].part, list(read(CLOSED)[1])) == (1, [])
    assert read(CLOSED + ".0")[1].keys() == {"78121E"}


def test_the_end_of_a_window_that_another_environment_ended_early_leads_to_all_its_parts(invoke, read, monkeypatch):
    """It comes without records and with an empty state: how many parts there are is known in S3 alone."""
    this = wiring.aggregator()
    state = invoke([update(1)])
    wiring.aggregator.cache_clear()
    invoke([update(2, "ABC123")], state, first=2, early=True)
    monkeypatch.setattr(wiring, "aggregator", lambda: this)
    invoke([], final=True)
    header, found = read(CLOSED)
    assert (header.part, list(found)) == (1, [])
    assert read(CLOSED + ".0")[1].keys() == {"78121E", "ABC123"}


def test_a_window_that_another_environment_went_on_with_and_did_not_close_is_kept(invoke, read, monkeypatch):
    """By the one that begins the next window, though it remembers an earlier state of the open one."""
    this = wiring.aggregator()
    state = invoke([update(1)])
    wiring.aggregator.cache_clear()
    invoke([update(2, "ABC123")], state, first=2)
    monkeypatch.setattr(wiring, "aggregator", lambda: this)
    invoke([update(30, "DEF456")], first=3, minute=25)
    header, found = read(CLOSED)
    assert (header.closed, found.keys()) == (True, {"78121E", "ABC123"})


def test_an_empty_window_writes_nothing(invoke, s3):
    """A shard without records costs no request."""
    invoke([], final=True)
    assert keys(s3) == set()


def test_what_stands_in_the_place_of_a_snapshot_is_replaced(invoke, read, s3):
    """An object that is not ours, in any of the keys, does not stop the next snapshot."""
    for key in (OPEN, OPEN + objects.IDENTITY, objects.SHARDS):
        s3.put_object(Bucket="data", Key=key, Body=b"nonsense")
    invoke([update(1)])
    assert list(read(OPEN)[1]) == ["78121E"]
    assert SHARD in json.loads(s3.get_object(Bucket="data", Key=objects.SHARDS)["Body"].read())["shards"]


def test_shards_are_added_to_those_that_are_listed(invoke, s3):
    """Another shard's entry stays, and an entry is written once."""
    other = {"version": 1, "window_seconds": 60, "shards": {"shardId-000000000007": {"since": "2024-03-04T00:00:00Z"}}}
    s3.put_object(Bucket="data", Key=objects.SHARDS, Body=json.dumps(other).encode())
    invoke([update(1)])
    listed = json.loads(s3.get_object(Bucket="data", Key=objects.SHARDS)["Body"].read())
    assert set(listed["shards"]) == {"shardId-000000000007", SHARD}


def test_another_length_of_windows_is_listed_by_an_environment_that_stays(invoke, s3):
    """`WindowSeconds` belongs to the mapping, so that environments go on; readers find closed windows by it."""

    def listed():
        found = json.loads(s3.get_object(Bucket="data", Key=objects.SHARDS)["Body"].read())
        return found["window_seconds"], found["shards"]

    shards = {SHARD: {"since": "2024-03-04T23:24:00Z"}}
    for place, seconds in enumerate((60, 120, 120, 60)):
        invoke([update(1)], minute=24 + 2 * place, seconds=seconds)
        assert listed() == (seconds, shards)


@pytest.mark.parametrize("refused", ["Z", "Z-identity"])
def test_a_closed_window_that_is_refused_is_written_before_the_next_one_shows(invoke, refuse, read, s3, refused):
    """A reader finds what closed in the open window until then, and the next window waits for it."""
    state = invoke([update(1)])
    refuse(refused)
    invoke([update(2, "ABC123")], state, first=2, final=True)
    assert CLOSED not in keys(s3)
    assert everything(s3, read) == {"78121E", "ABC123"}

    state = invoke([update(30, "DEF456")], first=3, minute=25)
    assert everything(s3, read) == {"78121E", "ABC123"}

    refuse()
    invoke([update(31, "DEF456")], state, first=4, minute=25)
    assert read(CLOSED)[1].keys() == {"78121E", "ABC123"}
    assert read(OPEN)[1].keys() == {"DEF456"}


def test_a_window_whose_last_open_snapshot_is_refused_is_whole_when_it_closes(invoke, refuse, read):
    """One that cannot be written keeps no other from being written."""
    state = invoke([update(1)])
    refuse("/open")
    invoke([update(2, "ABC123")], state, first=2, final=True)
    assert read(OPEN)[1].keys() == {"78121E"}
    assert read(CLOSED)[1].keys() == {"78121E", "ABC123"}


def test_an_early_part_that_is_refused_stays_in_the_open_window(invoke, refuse, read):
    """The next part begins empty: it takes the place of this one only when this one is there."""
    state = invoke([update(1)])
    refuse(".0")
    invoke([update(2)], state, first=2, early=True)
    assert read(OPEN)[1].keys() == {"78121E"}

    refuse()
    invoke([update(20, "ABC123")], first=3)
    assert read(CLOSED + ".0")[1].keys() == {"78121E"}
    assert read(OPEN)[1].keys() == {"ABC123"}


def test_what_is_owed_to_s3_is_bounded(invoke, refuse, read, s3):
    """An hour's outage takes no more memory than some minutes': the oldest windows are given up."""
    refuse("Z")
    for minute in range(20, 35):
        invoke([update(1, f"{minute:06}")], first=minute, minute=minute, final=True)
    refuse()
    invoke([update(1, "ABC123")], first=100, minute=35)
    closed = {address for key in keys(s3) if key.endswith("Z") for address in read(key)[1]}
    closed.remove("000020")  # the one that was shown all the while
    assert 7 <= len(closed) <= 9
    assert closed == {f"{minute:06}" for minute in range(35 - len(closed), 35)}


def test_a_window_whose_last_open_snapshot_is_refused_is_shown_when_it_ends_without_records(invoke, refuse, read):
    """The end writes what is missing, and nothing else; a retry that is as late as can be takes nothing of it away."""
    first = invoke([update(1)])
    refuse("/open")
    state = invoke([update(2, "ABC123")], first, first=2)
    refuse()
    invoke([], state, final=True)
    assert read(OPEN)[1].keys() == {"78121E", "ABC123"}
    invoke([update(2)], first, first=2)
    assert read(OPEN)[1].keys() == {"78121E", "ABC123"}


def test_a_window_that_ends_without_records_is_not_shown_twice(invoke, s3):
    """What is there already is left as it is: a write a window and shard less."""
    state = invoke([update(1)])
    before = s3.head_object(Bucket="data", Key=OPEN)["ETag"]
    invoke([], state, final=True)
    assert s3.head_object(Bucket="data", Key=OPEN)["ETag"] == before


def test_the_end_of_a_window_that_is_tried_again_changes_nothing(invoke, s3):
    """What has closed is written once, whoever tries: caches keep it for good."""
    state = invoke([update(1)])
    for _ in range(2):
        invoke([], state, final=True)
        tags = {key: s3.head_object(Bucket="data", Key=key)["ETag"] for key in (CLOSED, CLOSED + objects.IDENTITY)}
        wiring.aggregator.cache_clear()
    invoke([], state, final=True)
    assert tags == {key: s3.head_object(Bucket="data", Key=key)["ETag"] for key in tags}


def test_a_closed_window_that_is_said_to_be_there_and_is_not_stays_owed(invoke, read, s3):
    """A refused condition is believed when the object can be found."""
    sink: Any = wiring.aggregator().live_sink
    refusals = []

    def answer(request, **_):
        if request.url.endswith("Z") and not refusals:
            refusals.append(request.url)
            return AWSResponse(request.url, 412, {}, Refused(b"<Error><Code>PreconditionFailed</Code></Error>"))
        return None

    sink._client.meta.events.register("before-send.s3.PutObject", answer)
    state = invoke([update(1)])
    invoke([], state, final=True)
    assert CLOSED not in keys(s3)
    invoke([update(9, "ABC123")], first=2, minute=25)
    assert read(CLOSED)[1].keys() == {"78121E"}


def test_identities_of_an_old_invocation_replace_no_newer_ones(invoke, s3, monkeypatch):
    """One that comes again in the environment of the window before knows nothing of what is there."""
    this = wiring.aggregator()
    invoke([update(1)])
    wiring.aggregator.cache_clear()
    old = update(2, callsign="B1")
    state = invoke([old], first=2, minute=25)
    wiring.aggregator.cache_clear()
    invoke([update(3, "ABC123", callsign="A1")], state, first=3, minute=25)
    monkeypatch.setattr(wiring, "aggregator", lambda: this)
    invoke([old], first=2, minute=25)
    named = identities.read(s3.get_object(Bucket="data", Key=OPEN + objects.IDENTITY)["Body"].read())[1]
    assert named.keys() == {"78121E", "ABC123"}


def test_a_window_that_ends_early_with_its_first_records_is_shown(invoke, read):
    """The part that begins is empty, and leads to the one before."""
    invoke([update(1)], early=True)
    assert (read(OPEN)[0].part, list(read(OPEN)[1])) == (1, [])
    assert read(CLOSED + ".0")[1].keys() == {"78121E"}


def test_a_window_that_ends_early_with_its_last_records_is_found_when_it_is_over(invoke, read):
    """Its last part is empty, and leads to those before it."""
    invoke([update(1)], early=True)
    invoke([], final=True)
    assert (read(CLOSED)[0].part, list(read(CLOSED)[1])) == (1, [])


def test_the_part_after_one_that_could_not_be_shown_leads_to_it(invoke, refuse, read):
    """Its number is known even where S3 refused what would have said it."""
    refuse("/open")
    invoke([update(1)], early=True)
    refuse()
    invoke([update(9, "ABC123")], first=2)
    assert read(OPEN)[0].part == 1


def test_a_shard_is_listed_from_its_first_window_on(invoke, refuse, s3):
    """Even where the list could not be written then."""
    refuse("shards.json")
    state = invoke([update(1)])
    invoke([], state, final=True)
    refuse()
    invoke([update(9)], first=2, minute=25)
    listed = json.loads(s3.get_object(Bucket="data", Key=objects.SHARDS)["Body"].read())
    assert listed["shards"] == {SHARD: {"since": "2024-03-04T23:24:00Z"}}

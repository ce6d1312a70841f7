"""The alert log: what was sent is in it, what was not is not, and no alert waits for it."""

from __future__ import annotations

import itertools
import json
from datetime import datetime

import msgspec
import pytest

from alerts.alert_log import _THREADS, MOST_WAITING, WORTH_WRITING
from alerts.alerter import UPDATES_AT_A_TIME
from alerts.newest_alerts import MOST
from api import hours, schemas
from common.clock import SystemClock
from common.environment import ConfigurationError
from common.kinesis_event import MalformedEventError
from live import objects
from tests.integration.alerts.conftest import BUCKET, FaultyClient

SQUAWK = ("emergency_squawk", "78121E")


def test_an_alert_that_was_sent_is_in_the_log(world, record, stamp):
    """One object, in the folder of the hour it was measured in, by the millisecond; the API can read it."""
    begun = SystemClock().now()

    world.deliver([record(seconds=3_600.25, squawk="7700", callsign="CES9902", latitude=31.2, altitude_baro=13_800)])

    ((key, content),) = world.log().items()
    measured = int(datetime.fromisoformat(stamp(3_600.25)).timestamp() * 1_000)
    assert key == f"alerts/{hours.folder(measured)}{measured}-{content['id']}.json"
    alert = msgspec.convert(content, schemas.Alert)
    assert (alert.rule, alert.icao_address, alert.at) == (*SQUAWK, stamp(3_600.25))
    assert (alert.callsign, alert.squawk, alert.latitude, alert.longitude) == ("CES9902", "7700", 31.2, None)
    assert alert.text is not None
    assert alert.text.startswith("Squawk 7700, general emergency: CES9902 (78121E). The transponder says")
    assert alert.sent_at is not None
    assert begun.replace(microsecond=0) <= datetime.fromisoformat(alert.sent_at) <= SystemClock().now()
    assert content["update"]["callsign"] == "CES9902"


def test_an_update_whose_clock_runs_ahead_lies_where_it_was_ingested(world, record):
    """When it was measured is the earlier of its two times."""
    world.deliver([record(seconds=86_400, ingested=7, squawk="7700")])

    (key,) = world.log()
    assert key.startswith("alerts/date=2024-03-04/hour=12/1709553607000-")


def test_two_alerts_of_one_update_are_two(world, record, stamp):
    """Each subject has its own object."""
    world.deliver([record(squawk="7700", vertical_rate=-7000)])

    assert world.logged() == {(*SQUAWK, stamp(0)): 1, ("steep_descent", "78121E", stamp(0)): 1}


@pytest.mark.parametrize(
    "faults",
    [
        {"publish": ["refused"]},
        {"publish": ["died before"]},
        {"update_item": ["died before"]},
        {"update_item": ["died after"]},
        {"put_item": ["died after"]},
        {"put_object": ["died before"]},
        {"put_object": ["died after"]},
        {"put_object": ["answer lost", "died before"]},
        {"put_object": [None, "died before"]},
        {"get_object": ["died before"]},
    ],
    ids=str,
)
def test_wherever_the_process_ends_what_was_sent_is_logged_once_and_shown(world, record, stamp, faults):
    """The record comes again, and finds what is missing: an alert that was marked and not logged is logged then."""
    world.inject(**faults)

    world.deliver([record(squawk="7700"), record("040172", squawk="7600"), record(seconds=5, squawk="7700")])
    world.log_what_waits()  # an answer lost before the other write begins leaves that one to the next batch

    assert (
        world.notified().keys()
        == world.logged().keys()
        == {(*SQUAWK, stamp(0)), ("emergency_squawk", "040172", stamp(0))}
    )
    assert set(world.logged().values()) == {1}
    assert {one["icao_address"] for one in world.read(objects.ALERTS)["alerts"]} == {"78121E", "040172"}


def test_what_was_not_sent_is_not_logged(world, record):
    """SNS refuses: the log has nothing, neither of this alert nor of what it would have suppressed."""
    world.inject(publish=["refused"] * 3)
    result = world.alerter().process([record(squawk="7700")], lambda: 60.0)

    assert result.failed_sequence_number is not None
    assert world.log() == {}


def test_an_alert_that_could_not_be_marked_is_logged(world, record, stamp):
    """It was sent, whatever the table says."""
    world.inject(update_item=["refused"] * 5)

    result = world.deliver([record(squawk="7700")])

    assert result.unmarked == 1
    assert world.logged() == {(*SQUAWK, stamp(0)): 1}


def test_a_log_that_cannot_be_written_fails_nothing_and_is_tried_again(world, record, stamp):
    """S3 refuses: every alert is sent once and counted as not logged; the next batch of the process logs it."""
    world.inject(put_object=["refused"] * 20)
    alerter = world.alerter()
    result = world.deliver([record(f"78121{n}", squawk="7700") for n in range(3)], alerter=alerter)
    assert (result.notified, result.unlogged, result.failed) == (3, 3, 0)
    assert world.log() == {}

    alerter._log._client._faults.clear()
    again = world.deliver([record(seconds=5, squawk="0000")._replace(data=b"no update")], alerter=alerter)

    assert (again.notified, again.unlogged) == (0, 0)
    assert world.notified().total() == 3
    assert all(entry["sent_at"] for entry in world.log().values())
    assert world.logged() == {("emergency_squawk", f"78121{n}", stamp(0)): 1 for n in range(3)}
    assert len(world.read(objects.ALERTS)["alerts"]) == 3


def test_a_log_that_does_not_answer_takes_no_time_from_the_alerts(world, record):
    """After the first failure in an invocation nothing else is begun: an S3 that hangs costs a call of each thread."""
    world.inject(put_object=["refused"] * 50)
    alerter = world.alerter()

    result = world.deliver([record(f"7812{n}", squawk="7700") for n in range(10, 40)], alerter=alerter)

    assert (result.notified, result.unlogged) == (30, 30)
    assert [operation for operation, _ in world.s3.seen].count("put_object") <= _THREADS


def test_an_address_without_a_visible_character_is_logged_all_the_same(world, record):
    """The API takes no alert without an address."""
    world.deliver([record("\x00", squawk="7700")])
    [entry] = world.log().values()
    assert entry["icao_address"] == "?"
    assert entry["update"]["icao_address"] == "\x00"


def test_what_waits_to_be_logged_is_bounded(world, record, monkeypatch):
    """An S3 that refuses for days does not fill the memory: the oldest is given up, and counted once more."""
    monkeypatch.setattr("alerts.alert_log.MOST_WAITING", 2)
    world.inject(put_object=["refused"] * 50)
    alerter = world.alerter()

    result = world.deliver([record(f"78121{n}", squawk="7700") for n in range(3)], alerter=alerter)

    assert result.unlogged == 3
    assert [entry.claim.icao_address for entry in alerter._log._waiting.values()] == ["781211", "781212"]


@pytest.fixture
def small(monkeypatch):
    """Four updates at a time, the log is written when four alerts wait, and sixteen may wait."""
    monkeypatch.setattr("alerts.alerter.UPDATES_AT_A_TIME", 4)
    monkeypatch.setattr("alerts.alert_log.WORTH_WRITING", 4)
    monkeypatch.setattr("alerts.alert_log.MOST_WAITING", 16)


@pytest.fixture
def envelopes(record, envelope):
    """Make envelopes of so many aircraft each, all in an emergency, none twice."""
    addresses = (f"{n:06X}" for n in itertools.count())
    return lambda *sizes: [envelope(*(record(next(addresses), squawk="7700") for _ in range(size))) for size in sizes]


@pytest.mark.parametrize("sizes", [[1] * 20, [3] * 8, [5] * 6, [3, 4, 3, 9, 3, 3]], ids=str)
@pytest.mark.usefixtures("small")
def test_no_number_of_alerts_in_a_batch_is_too_many_for_the_log(world, envelopes, sizes):
    """However they are spread over envelopes: with an S3 that works none is given up, and each is in the log."""
    result = world.deliver(envelopes(*sizes))

    assert (result.notified, result.unlogged) == (sum(sizes), 0)
    assert world.logged() == world.notified()
    assert world.logged().total() == sum(sizes)


@pytest.mark.usefixtures("small")
def test_two_alerts_of_each_update_are_not_too_many_for_the_log(world, record, envelope):
    """As many as one update can have."""
    flock = [record(f"{n:06X}", squawk="7700", vertical_rate=-7000) for n in range(20)]

    result = world.deliver([envelope(*flock[:3]), envelope(*flock[3:])])

    assert (result.notified, result.unlogged) == (40, 0)
    assert world.logged() == world.notified()


def test_the_log_has_room_for_what_comes_between_two_writes():
    """What is not yet worth writing, and two alerts of each update that are sent before it is looked at again."""
    assert WORTH_WRITING + 2 * UPDATES_AT_A_TIME <= MOST_WAITING


@pytest.mark.usefixtures("small")
def test_a_log_that_fails_midway_is_counted_to_the_end_and_made_up_for(world, envelopes):
    """What is sent after S3 failed counts as not logged too; the next batch begins with it, and logs its own."""
    world.inject(put_object=[None] * 6 + ["refused"] * 50)
    alerter = world.alerter()

    first = world.deliver(envelopes(4, 4, 3, 3), alerter=alerter)
    assert (first.notified, first.unlogged) == (14, 14 - len(world.log()))
    assert 4 <= len(world.log()) < 8

    world.s3._faults.clear()
    second = world.deliver(envelopes(3, 3, 3, 3, 3, 3), alerter=alerter)

    assert (second.notified, second.unlogged) == (18, 0)
    assert world.logged() == world.notified()
    assert world.logged().total() == 32


@pytest.mark.usefixtures("small")
def test_what_was_given_up_is_counted_once_and_stops_no_later_write(world, envelopes):
    """S3 refuses more than may wait, and works again: the count has all of them, and only the oldest are missing."""
    world.inject(put_object=["refused"] * 50)
    alerter = world.alerter()
    first = world.deliver(envelopes(*[3] * 7), alerter=alerter)
    assert (first.notified, first.unlogged, world.log()) == (21, 21, {})

    world.s3._faults.clear()
    second = world.deliver(envelopes(*[3] * 7), alerter=alerter)

    assert (second.notified, second.unlogged) == (21, 0)
    assert len(world.log()) == 16 + 21


def test_a_record_that_comes_again_changes_nothing(world, record):
    """A redrive finds its alert sent: the log keeps its first object, with the time it was sent at."""
    records = [record(squawk="7700")]
    world.deliver(records)
    first, newest = world.log(), world.read(objects.ALERTS)

    world.deliver([records[0]._replace(arrival=records[0].arrival + 7_200)])

    assert (world.log(), world.read(objects.ALERTS)) == (first, newest)


def test_all_alerts_of_an_envelope_are_logged(world, record, envelope):
    """Many in one record, cut short by a process that ends: each is in the log, once."""
    whole = envelope(*(record(f"{n:06X}", squawk="7700") for n in range(50)))
    world.inject(put_object=[None] * 20 + ["died before"])

    world.deliver([whole])

    assert set(world.logged().values()) == {1}
    assert world.logged().keys() == world.notified().keys()
    assert len(world.logged()) == 50


def test_the_newest_alerts_are_shown_newest_first(world, record):
    """By when they were sent, a hundred at most, each once; a late update's alert is new all the same."""
    alerter = world.alerter()
    records = [record(f"{n:06X}", seconds=-n, squawk="7700") for n in range(MOST + 5)]
    world.deliver(records[: MOST - 5], alerter=alerter)
    for one in records[MOST - 5 :]:
        world.deliver([one], alerter=alerter)

    shown = world.read(objects.ALERTS)

    assert shown["version"] == 1
    assert len({one["id"] for one in shown["alerts"]}) == len(shown["alerts"]) == MOST
    sent = [one["sent_at"] for one in shown["alerts"]]
    assert sent == sorted(sent, reverse=True)
    logged = world.log().values()
    left_out = {one["icao_address"] for one in logged} - {one["icao_address"] for one in shown["alerts"]}
    assert len(left_out) == 5
    assert max(one["sent_at"] for one in logged if one["icao_address"] in left_out) <= sent[-1]


class Interfered:
    """S3 in which another invocation shows its own alert whenever this one has looked."""

    def __init__(self, s3, meanwhile):
        self._s3 = s3
        self._meanwhile = iter(meanwhile)

    def __getattr__(self, name):
        return getattr(self._s3, name)

    def get_object(self, **request):
        try:
            return self._s3.get_object(**request)
        finally:
            next(self._meanwhile, lambda: None)()


def test_two_invocations_show_the_alerts_of_both(world, record):
    """Who was second writes on what the first has written: neither's alert is lost, whoever is faster."""
    others = [world.alerter() for _ in range(2)]
    meanwhile = [
        lambda: others[0].process([record("A00001", squawk="7700")], lambda: 60.0),
        lambda: others[1].process([record("A00002", squawk="7700")], lambda: 60.0),
    ]
    world.s3 = Interfered(world.s3, meanwhile)

    result = world.deliver([record("A00003", squawk="7700")])

    assert result.not_shown == 0
    assert {one["icao_address"] for one in world.read(objects.ALERTS)["alerts"]} == {"A00001", "A00002", "A00003"}


@pytest.mark.parametrize(
    "found", [b"", b"{", b"[]", b'{"version":1,"alerts":[3]}', b'{"alerts":[{"at":"x"}]}', b"[" * 9_999]
)
def test_what_is_no_list_of_alerts_is_replaced(world, record, found):
    """Whatever lies there: the next alert is shown."""
    world.s3.put_object(Bucket=BUCKET, Key=objects.ALERTS, Body=found)

    world.deliver([record(squawk="7700")])

    assert [one["icao_address"] for one in world.read(objects.ALERTS)["alerts"]] == ["78121E"]


def test_newest_alerts_that_cannot_be_written_are_counted_and_shown_with_the_next(world, record):
    """The log has it, the map not yet: that fails nothing, and is corrected later."""
    faults = {"get_object": ["refused"]}
    world.s3 = FaultyClient(world.s3, faults)
    alerter = world.alerter()

    first = alerter.process([record(squawk="7700")], lambda: 60.0)
    second = alerter.process([record("040172", squawk="7700")], lambda: 60.0)

    assert (first.unlogged, first.not_shown, second.not_shown) == (0, 1, 0)
    assert len(world.log()) == len(world.read(objects.ALERTS)["alerts"]) == 2


def test_newest_alerts_that_are_cut_short_on_their_way_are_kept(world, record):
    """What came of them is no list, and is not taken for none: the next alert does not stand in the place of all."""
    world.s3 = FaultyClient(world.s3, {"get_object": [None, "cut short"]})
    alerter = world.alerter()

    results = [alerter.process([record(f"{n:06X}", squawk="7700")], lambda: 60.0) for n in range(3)]

    assert [result.not_shown for result in results] == [0, 1, 0]
    assert len(world.read(objects.ALERTS)["alerts"]) == 3


def test_an_alert_whose_log_was_written_and_never_answered_is_shown(world, record):
    """The next batch finds it there: by its own write."""
    world.s3 = FaultyClient(world.s3, {"put_object": ["answer lost"]})
    alerter = world.alerter()

    first = alerter.process([record(squawk="7700")], lambda: 60.0)
    alerter.process([record("040172", squawk="7700")], lambda: 60.0)

    assert first.unlogged == 1
    assert {alert["icao_address"] for alert in world.read(objects.ALERTS)["alerts"]} == {"78121E", "040172"}
    assert len(world.log()) == 2


def test_a_hundred_alerts_have_their_bound(world, record):
    """However long a feed's texts are, the page that polls this gets 300 KB at most."""
    callsign = "\U00020bb7" * 64  # a longer one is no callsign
    alerter = world.alerter()
    world.deliver(
        [record(f"{n:06X}", squawk="7700", callsign=callsign, tail_number=callsign) for n in range(MOST)],
        alerter=alerter,
    )

    body = world.s3.get_object(Bucket=BUCKET, Key=objects.ALERTS)["Body"].read()

    assert [one["callsign"] for one in json.loads(body)["alerts"]] == [callsign] * MOST
    assert len(body) <= 300_000


def test_who_has_no_time_left_leaves_the_log_for_later(world, record):
    """What is left of the invocation is kept for its answer."""
    alerter = world.alerter()

    result = alerter.process([record(squawk="7700")], lambda: 5.0)
    assert (result.notified, result.unlogged, world.log()) == (1, 1, {})

    assert alerter.process([], lambda: 60.0).unlogged == 0
    assert len(world.log()) == 1


@pytest.mark.parametrize("error", [MalformedEventError, ConfigurationError])
def test_what_was_sent_before_the_batch_failed_as_a_whole_is_in_the_log(world, record, error):
    """The event breaks off, or an envelope comes whose patterns nobody knows: Lambda may never send the batch again."""

    def breaks_off():
        yield record(squawk="7700")
        raise error

    with pytest.raises(error):
        world.deliver(breaks_off())

    assert list(world.logged().values()) == [1]

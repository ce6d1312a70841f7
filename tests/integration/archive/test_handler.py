"""The function as Lambda calls it: what it returns, and what it counts, of a run that fails too."""

from __future__ import annotations

import gzip
import json

import pytest

from archive import wiring
from archive.archiving import UnreadError
from archive.handler import handler
from archive.staging import BrokenObjectError
from local.runtime.schedule import scheduled_event
from tests.integration.archive.conftest import BUCKET, HOUR

EVENT = {"hours": [f"{HOUR:%Y-%m-%dT%H}"]}
LATER_VERSION = b'{"v":2,"n":1,"shard":"shardId-000000000000","icao_address":["78121E"],"z":""}\n'


class Context:
    """What a handler knows of its invocation."""

    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "test"

    def get_remaining_time_in_millis(self):
        return 900_000


@pytest.fixture(autouse=True)
def settings(archive, aws, monkeypatch, tmp_path):  # noqa: ARG001 - the bucket has to be there
    """The function's environment."""
    monkeypatch.setenv("DATA_BUCKET", BUCKET)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    _forget()
    yield
    _forget()


def _forget():
    wiring.settings.cache_clear()
    wiring.store.cache_clear()


@pytest.fixture
def counted(capsys):
    """What was counted since the last look, by the metrics' names."""

    def read():
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
        return {
            metric["Name"]: sum(line[metric["Name"]])
            for line in lines
            for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
        }

    return read


def _half(data):
    packed = gzip.compress(data)
    return packed[: len(packed) // 2]


def test_a_run_that_ends_well_says_that_nothing_is_left(archive, traffic, counted):
    """As a number: that none comes is what the alarm is for."""
    archive.put_raw("a", traffic[:100])
    result = handler(EVENT, Context())
    assert (result["objects"], result["updates"], result["objects_left"]) == (1, 100, 0)
    assert counted() == {"UpdatesArchived": 100, "RawObjectsLeft": 0}


def test_damage_is_counted_though_another_object_cannot_be_read(archive, traffic, counted):
    """It is in the ledger, so that no later run finds it; the failed run does not say that nothing is left."""
    archive.put_raw("damaged", traffic, compress=_half)
    archive.put_raw("later-version", [LATER_VERSION])
    with pytest.raises(UnreadError):
        handler(EVENT, Context())
    found = counted()
    assert found["RawObjectsDamaged"] == 1
    assert found["UpdatesArchived"] > 0
    assert "RawObjectsLeft" not in found


@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_damage_is_counted_once_where_the_run_fails_before_its_ledger(archive, traffic, counted):
    """The object is read again, and counted by the run that keeps what it read."""
    archive.put_raw("damaged", traffic, compress=_half)
    key = f"archive/updates/date={HOUR:%Y-%m-%d}/hour={HOUR:%H}/updates.parquet"
    archive.s3.put_object(Bucket=BUCKET, Key=key, Body=b"not Parquet")
    with pytest.raises(BrokenObjectError):
        handler(EVENT, Context())
    assert counted() == {}
    archive.s3.delete_object(Bucket=BUCKET, Key=key)
    handler(EVENT, Context())
    assert counted()["RawObjectsDamaged"] == 1


def test_what_cannot_be_read_fails_the_run_once_all_else_is_read(archive, traffic):
    """A run that leaves objects for want of time says so in its result, by which the next one goes on."""
    archive.put_raw("0-later-version", [LATER_VERSION])
    for number in range(1, 4):
        archive.put_raw(str(number), traffic[number * 100 : number * 100 + 100])

    class Short(Context):
        """Time for one round of two objects."""

        def __init__(self):
            self._seconds = iter([900, 900, 900, 100])

        def get_remaining_time_in_millis(self):
            return next(self._seconds, 1) * 1_000

    first = handler(EVENT, Short())
    assert first["objects_left"] > 0
    assert (first["objects_unread"], list(first["unread"])) == (1, [archive.keys("raw/")[0]])
    rest = handler(EVENT | {"after": first["read_up_to"]}, Context())
    assert first["updates"] + rest["updates"] == 300
    with pytest.raises(UnreadError, match="All others that this run found are in the archive"):
        handler(EVENT, Context())


@pytest.mark.parametrize(
    "event", [[], None, "2024-03-04T23", {"hour": ["2024-03-04T23"]}, {"hours": None}, {"hours": ["2024-03-04"]}]
)
@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_an_event_that_it_does_not_know_is_no_schedules(event, counted):
    """It is refused with what was expected, and nothing is read."""
    with pytest.raises(ValueError, match="expected"):
        handler(event, Context())
    assert counted() == {}


def test_by_schedule_it_reads_the_last_hours(counted):
    """As EventBridge's event has it, in which nothing else is named."""
    assert handler(scheduled_event("rule", 0.0), Context())["objects"] == 0
    assert counted()["RawObjectsLeft"] == 0

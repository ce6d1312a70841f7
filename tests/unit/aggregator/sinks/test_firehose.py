"""Rows are packed into few records, and each record is sent until Firehose has taken it, once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.sinks.firehose import ATTEMPTS, CALL_BYTES, CALL_RECORDS, SinkError, Waiter, WindowRowsSink, pack


class ServiceUnavailableException(Exception):  # noqa: N818 - the name is botocore's
    """Firehose's throttling answer."""


class FlakyFirehose:
    """Firehose that refuses what `refuse(call number, place in call)` says; moto's never refuses a part of a call."""

    class exceptions:  # noqa: N801 - the name is boto3's
        """The client's exceptions."""

        ServiceUnavailableException = ServiceUnavailableException

    def __init__(self, refuse=lambda _call, _place: False, throttled_calls=0):
        self.refuse = refuse
        self.throttled_calls = throttled_calls
        self.refusal = {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."}
        self.calls = []
        self.taken = []

    def put_record_batch(self, *, DeliveryStreamName, Records):  # noqa: N803 - the names are the API's
        assert DeliveryStreamName == "rows"
        self.calls.append(Records)
        if len(self.calls) <= self.throttled_calls:
            raise ServiceUnavailableException("Slow down.")
        answers = []
        for place, record in enumerate(Records):
            if self.refuse(len(self.calls), place):
                answers.append(self.refusal)
            else:
                self.taken.append(record["Data"])
                answers.append({"RecordId": str(place)})
        return {"FailedPutCount": sum("ErrorCode" in answer for answer in answers), "RequestResponses": answers}


def sink(client, waits=None):
    """The sink with waits that are noted instead of waited."""
    return WindowRowsSink(
        client, "rows", Waiter(sleep=[].append if waits is None else waits.append, random=lambda: 0.5)
    )


@given(st.lists(st.binary(min_size=1, max_size=50)), st.integers(1, 120))
def test_packing_keeps_every_row_whole_and_in_order(rows, record_bytes):
    """Records joined are the rows joined; none exceeds the size unless it is one row."""
    records = pack(rows, record_bytes)
    assert b"".join(records) == b"".join(rows)
    assert all(len(record) <= record_bytes or record in rows for record in records)


def test_900_byte_rows_of_5000_aircraft_are_18_records():
    """Firehose bills in steps of 5 KB a record: many rows share one."""
    assert len(pack([b"x" * 899 + b"\n"] * 5_000)) == 18


@pytest.mark.parametrize(("count", "size"), [(1_200, 10), (40, 262_144), (9, 1_000_000)])
def test_a_call_stays_within_firehoses_bounds(count, size):
    """No call has more than 500 records or 4 MiB, and all records are sent."""
    client = FlakyFirehose()
    sink(client).write([bytes(size)] * count, set())
    assert len(client.taken) == count
    assert all(len(call) <= CALL_RECORDS for call in client.calls)
    assert all(sum(len(record["Data"]) for record in call) <= CALL_BYTES for call in client.calls)


def test_only_refused_records_are_sent_again():
    """An accepted record is never sent a second time, and the waits grow with jitter."""
    client, waits = FlakyFirehose(refuse=lambda call, place: call <= 2 and place == 1), []
    sink(client, waits).write([b"a", b"b", b"c", b"d"], set())
    # The first call refuses b; the second has b alone, in place 0, and takes it.
    assert sorted(client.taken) == [b"a", b"b", b"c", b"d"]
    assert [len(call) for call in client.calls] == [4, 1]
    assert waits == [0.05]


@pytest.mark.parametrize("said", [{}, {"RecordId": ""}, {"RecordId": None}, {"ShardId": "shardId-000000000000"}])
def test_only_a_record_id_acknowledges(said):
    """What Firehose says nothing of, or something else, is sent again."""
    client = FlakyFirehose(refuse=lambda call, place: call == 1 and place == 1)
    client.refusal = said
    sink(client).write([b"a", b"b"], set())
    assert client.taken == [b"a", b"b"]


def test_a_throttled_call_is_sent_again():
    """A call refused as a whole is waited for like a refused record."""
    client, waits = FlakyFirehose(throttled_calls=2), []
    sink(client, waits).write([b"a", b"b"], set())
    assert client.taken == [b"a", b"b"]
    assert waits == [0.05, 0.1]


def test_what_is_refused_to_the_end_fails_and_says_what_was_taken():
    """The error counts what is left, and `accepted` has what needs no second sending."""
    client, accepted = FlakyFirehose(refuse=lambda call, place: call > 1 or place == 1), set()
    with pytest.raises(SinkError, match=rf"refused 1 of 3 records in {ATTEMPTS} attempts; .*Slow down"):
        sink(client).write([b"a", b"b", b"c"], accepted)
    assert accepted == {0, 2}
    sink(healthy := FlakyFirehose()).write([b"a", b"b", b"c"], accepted)
    assert healthy.taken == [b"b"]


def test_nothing_to_send_makes_no_call():
    """A call without records would be refused by the API."""
    client = FlakyFirehose()
    sink(client).write([b"a"], {0})
    sink(client).write([], set())
    assert client.calls == []

"""Updates read many at a time are those that are read one by one."""

from __future__ import annotations

import base64
import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from aggregator.events import decoding
from aggregator.events.decoding import Undecodable
from aggregator.instants import EPOCH, offset
from common.target_update import UndecodableUpdateError, decode


def event(*records):
    """An event of these records' data."""
    return {
        "Records": [
            {
                "kinesis": {"sequenceNumber": str(number), "data": base64.b64encode(data).decode()},
                "eventID": f"shardId-000000000000:{number}",
            }
            for number, data in enumerate(records)
        ]
    }


def folded(update, timestamp, ingestion_time):
    """What is folded of an update, with its instants as given."""
    return (timestamp, ingestion_time, *(getattr(update, name) for name in decoding.FOLDED if name != "ingestion_time"))


def in_order(records):
    """What `read` gives of the records, one by one: updates, and the sequence numbers of what is not one."""
    found = []
    for read in decoding.read(event(*records)):
        if isinstance(read, Undecodable):
            found.append(read.sequence_number)
        else:
            found += map(folded, *read.in_microseconds()[1:])
    return found


def one_by_one(records):
    """The same by the decoder of one record."""
    found = []
    for number, data in enumerate(records):
        try:
            update = decode(data)
        except UndecodableUpdateError:
            found.append(str(number))
        else:
            ingested = update.ingestion_time
            found.append(
                folded(
                    update,
                    offset(EPOCH, update.timestamp),
                    None if ingested is None else offset(EPOCH, ingested),
                )
            )
    return found


def line(address="A", **fields):
    """A record as the consumer writes it."""
    return json.dumps({"icao_address": address, "timestamp": "2024-03-04T23:24:01Z", **fields}).encode() + b"\n"


PIECES = [
    line(),
    line("B", speed=5.5),
    line("C", speed="fast"),  # a field that only the lenient decoder mends
    line("D", timestamp="2024-03-04 23:24:01"),
    line("D", timestamp="2024-03-04T23:24:01"),
    line("D", timestamp="2024-03-04T23:24:01.25+01:00", ingestion_time=None),
    line("D", timestamp="2024-03-04T23:24:01.000001Z", ingestion_time="2024-03-04T23:24:02.123Z"),
    line("D", timestamp="2024-03-04T23:24:01.120Z", ingestion_time="2024-03-04T23:24:02.123Z"),
    line("D", timestamp="2024-03-04T23:24:61Z"),
    line("D", ingestion_time="2024-02-30T23:24:02.123Z"),
    line("D", ingestion_time=5, airline_name=7),
    line("D", timestamp="2016-12-31T23:59:60Z"),
    line("D", timestamp="0001-01-01T00:00:01Z"),
    line("D", ingestion_time="9999-12-31T23:59:59Z"),
    line("D", ingestion_time=""),
    line(" 78121e ", callsign=" CCA1 "),
    line("78121e", callsign=" "),
    line("78121E", callsign=""),
    line("  "),
    line(" " * 40 + "a"),
    line()[:-2] + b',"altitude_baro":1e309}\n',
    line()[:-2] + b',"x":1e309,"speed":' + b"9" * 5_000 + b"}\n",
    line()[:-1],
    line() + line("E"),
    b"\n",
    b"",
    b"{}\n",
    b"no JSON\n",
    line()[:20],
    line()[20:],
    b"[1]\n",
    json.dumps(json.loads(line()), indent=1).encode() + b"\n",
]


@settings(max_examples=200)
@given(records=st.lists(st.sampled_from(PIECES) | st.binary(max_size=6), max_size=12))
@example(records=[line()[:-1], b"\n", line() + line("E")])  # as many lines as records, and none its own
@example(records=[line()[:20], line()[20:] + line()])
@example(records=[b"\n", line() + line("E")])  # each ends a line, and as many updates as records
def test_joined_records_are_read_as_each_by_itself(records):
    """Whatever the records hold, and wherever their lines end: the same updates and refusals, in the same order."""
    assert in_order(records) == one_by_one(records)


def test_many_records_are_decoded_by_few_calls():
    """Records of a real size come joined up to the bound, and none is left behind."""
    records = [line(f"{number:06X}", padding="x" * 800) for number in range(2_000)]
    lists = list(decoding.read(event(*records)))
    assert [update.icao_address for read in lists for update in read.updates] == [f"{n:06X}" for n in range(2_000)]
    assert [len(read.updates) for read in lists] == [decoding.JOINED_RECORDS] * 13 + [2_000 % decoding.JOINED_RECORDS]


def test_an_update_that_cannot_be_read_stands_in_its_place():
    """Those before it come before it: it belongs to the part of the window that is being filled then."""
    reads = list(decoding.read(event(line("A"), b"{}\n", line("B"))))
    assert [read if isinstance(read, Undecodable) else read.updates[0].icao_address for read in reads] == [
        "A",
        Undecodable("1", "icao_address: got nothing; expected a text of 1 to 32 characters"),
        "B",
    ]

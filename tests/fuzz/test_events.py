"""Whatever Lambda could be made to pass to a handler: a plain error or a counted rejection, and nothing half done."""

from __future__ import annotations

import base64
import copy
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import targets

WINDOW = {"start": "2024-03-04T23:24:00Z", "end": "2024-03-04T23:25:00Z"}
scalars = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        -1,
        2**63,
        10**400,
        -1.5,
        1e308,
        float("inf"),
        float("nan"),
        "",
        "7700",
        "\ud800",
        "\x00",
        "é",
    ]
) | st.text(max_size=6)
junk = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
updates = st.fixed_dictionaries(
    {
        "icao_address": st.sampled_from(["78121E", "040172", "~", "x" * 33]) | junk,
        "timestamp": st.sampled_from(
            ["2024-03-04T23:24:05Z", "2024-03-04T23:24:05.000001Z", "0001-01-01T00:00:00+14:00"]
        )
        | junk,
    },
    optional={
        name: junk | st.sampled_from([7700, -9000.0, 45.0, "7700", "2024-03-04T23:24:07Z", "9999-12-31T23:59:59-12:00"])
        for name in ("ingestion_time", "latitude", "longitude", "altitude_baro", "speed", "vertical_rate", "heading")
    }
    | {name: junk | st.just("7700") for name in ("squawk", "callsign", "collection_type", "on_ground", "tail_number")},
)
payloads = updates.map(lambda update: json.dumps(update).encode()) | st.binary(max_size=60)


def record(payload, number):
    """A record as Lambda passes it."""
    return {
        "kinesis": {
            "sequenceNumber": str(number),
            "data": base64.b64encode(payload).decode(),
            "approximateArrivalTimestamp": 1709594645.5,
        },
        "eventID": f"shardId-000000000000:{number}",
    }


def event(contents, *, final=False, early=False):
    """An event as a mapping with a tumbling window sends it."""
    return {
        "Records": [record(content, number) for number, content in enumerate(contents)],
        "window": dict(WINDOW),
        "state": {},
        "shardId": "shardId-000000000000",
        "isFinalInvokeForWindow": final,
        "isWindowTerminatedEarly": early,
    }


events = st.builds(event, st.lists(payloads, max_size=5), final=st.booleans(), early=st.booleans())


@st.composite
def damaged_events(draw):
    """An event in which a few fields at any depth are left out or hold something else."""
    damaged = copy.deepcopy(draw(events))
    for _ in range(draw(st.integers(1, 3))):
        holder = damaged
        while True:
            keys = list(holder) if isinstance(holder, dict) else range(len(holder))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(holder[key], dict | list) and holder[key] and draw(st.integers(0, 3)):
                holder = holder[key]
                continue
            if draw(st.booleans()):
                del holder[key]
            else:
                holder[key] = draw(junk)
            break
    return damaged


@settings(max_examples=80)
@given(event=events)
def test_the_aggregator_counts_or_refuses_each_record(event):
    """Records of any content: each is counted, a duplicate, or undecodable; the state stays bounded."""
    assert targets.aggregator_event(event) is not None


@settings(max_examples=80)
@given(event=damaged_events() | junk)
def test_the_aggregator_refuses_an_event_of_another_shape_before_it_writes(event):
    """Missing fields, wrong types and numbers no clock holds fail the invocation with a text and no row written."""
    targets.aggregator_event(event)


@settings(max_examples=80)
@given(event=events)
def test_alerts_skip_what_is_no_update_and_send_nothing_twice(event):
    """Records of any content: what SNS is handed it would take, and the same batch again tells of nothing."""
    targets.alerts_event(event)


@settings(max_examples=80)
@given(event=damaged_events() | junk)
def test_alerts_leave_nothing_half_done_by_an_event_of_another_shape(event):
    """An event that breaks off in a record leaves each alert before it sent and marked, and none claimed only."""
    targets.alerts_event(event)


@settings(max_examples=100)
@given(event=junk | st.fixed_dictionaries({"detail": junk | st.fixed_dictionaries({"run_seconds": junk})}))
def test_the_consumer_takes_a_bounded_time_from_its_event_or_refuses_it(event):
    """The schedule's event is trusted with one number, and with that only within an invocation's length."""
    targets.consumer_event(event)

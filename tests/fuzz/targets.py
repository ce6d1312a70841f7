"""What is fuzzed, and what must hold for any input: each target takes bytes, and raises only where a promise is broken.

Hypothesis calls them with inputs built to get far (`test_*.py`), atheris with whatever finds new
branches (`__main__.py`).
"""

# ruff: noqa: PT017 - a target must tell a refusal with a text from one without; most inputs are not refused at all

from __future__ import annotations

import base64
import io
import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import msgspec
from botocore.exceptions import ClientError

from aggregator.aggregation import Aggregator
from aggregator.sinks import row_schema
from aggregator.sinks.delivery_log import DeliveryRecord
from aggregator.state import codec, packed_part, packing
from aggregator.state.codec import StateError
from aggregator.state.packed_part import INFLATED_BYTES
from aggregator.state.splitting import PACKED_BYTES
from alerts.alert_log import AlertLog
from alerts.alerter import Alerter
from alerts.newest_alerts import NewestAlerts
from alerts.pattern_matcher import AlertPatterns
from alerts.suppression import MOST_SPANS, MOST_WINDOWS, History, State, expires_at, judge
from api.schemas import Alert, Alerts
from common.environment import ConfigurationError
from common.kinesis_event import MalformedEventError, records
from common.target_update import TargetUpdate as ReadUpdate
from common.target_update import UndecodableUpdateError, decode
from consumer.checkpoint.rejected_lines import RejectedLine
from consumer.settings import run_seconds
from consumer.stream.batch_parser import BatchParser
from consumer.stream.chunked_body import ChunkedBody, ChunkedBodyError
from consumer.stream.line_decoder import MAX_LINE_BYTES, CorruptStreamError, Inflater, LineDecoder, OversizedLine
from consumer.stream.messages import MessageParser, PositionToken, Rejected, Status, StreamUpdate, without_mark
from live import objects
from local.event_source_mapping.filter import PatternError, RecordFilter
from local.simulator import query
from local.simulator.query import QueryError
from local.simulator.tokens import TokenError, TokenSealer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NOW = datetime(2024, 3, 4, 23, 24, tzinfo=UTC)
LARGEST_PIECE = 64 * 1024
"""What one step of decompression gives at most."""


class Source:
    """A socket's file that gives the bytes in pieces of the given lengths, and the rest at once."""

    def __init__(self, data, cuts=()):
        ends = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
        self._pieces = iter([data[start:end] for start, end in pairwise(ends)])

    def read1(self, _size=-1):
        """The next piece; nothing at the end."""
        return next(self._pieces, b"")


def stream_body(data, cuts=(), *, is_chunked=True):
    """Framing, inflating, lines, messages: errors of their own classes, bounded steps. Gives lines and messages."""
    out = []
    inflater, decoder = Inflater(), LineDecoder()
    source = Source(data, cuts)
    chunks = ChunkedBody(source) if is_chunked else iter(source.read1, b"")
    with suppress(ChunkedBodyError, CorruptStreamError):
        for chunk in chunks:
            for plain in inflater.feed(chunk):
                assert 0 < len(plain) <= max(LARGEST_PIECE, len(chunk))
                out += messages(decoder.feed(plain))
                assert len(decoder._kept) <= MAX_LINE_BYTES
    return out


def messages(blocks):
    """The fast way gives what the plain one gives line by line, without byte order marks. Gives lines and messages."""
    lines = []
    for block in blocks:
        lines += [block] if isinstance(block, OversizedLine) else block.split(b"\n")[:-1]
    out = []
    for line in lines:
        if isinstance(line, OversizedLine):
            out.append((line, message(line)))
        elif (unmarked := without_mark(line)).strip():
            out.append((line, message(unmarked)))
    fast = []
    for run in BatchParser().runs(blocks):
        assert run
        fast += run if isinstance(run, list) else [run]
    assert fast == [parsed for _, parsed in out]
    return out


def message(line):
    """A line is a message of some kind, or is kept whole with a reason. Gives the message."""
    if isinstance(line, OversizedLine):
        assert len(line.beginning) == MAX_LINE_BYTES < line.length
        reason = "too long; only its beginning is kept"
        kept = RejectedLine(line.beginning, line.length, reason, NOW)
        assert json.loads(kept.as_json())["bytes"] == line.length
        return Rejected(reason, line.beginning, line.length)
    parsed = MessageParser().parse(line)
    if isinstance(parsed, Rejected):
        assert parsed.reason
        assert (parsed.line, parsed.length) == (line, len(line))
        kept = json.loads(RejectedLine(line, len(line), parsed.reason, NOW).as_json())
        again = kept["line"].encode() if "line" in kept else base64.b64decode(kept["line_base64"])
        assert (again, kept["reason"]) == (line, parsed.reason)
    elif isinstance(parsed, StreamUpdate):
        assert parsed.data in line
        assert 1 <= len(parsed.icao_address) <= 256
        for moment in filter(None, (parsed.timestamp, parsed.ingestion_time)):
            moment.astimezone(UTC).isoformat()
        update(parsed.data)
    else:
        assert isinstance(parsed, PositionToken | Status)
    return parsed


def update(data):
    """A record's bytes are an update or are refused with a text. Gives the update or None."""
    try:
        decoded = decode(data)
    except UndecodableUpdateError as error:
        assert str(error)
        return None
    assert isinstance(decoded, ReadUpdate)
    return decoded


def window_state(document):
    """A state document gives a part that can be gone on with, or a StateError. Gives the part or None."""
    try:
        part = codec.decode(document, NOW)
    except StateError as error:
        assert str(error)
        return None
    columns = part.columns
    held = (
        len(columns.rows)
        + len(columns.first_seen_rows)
        + sum(len(column) * column.itemsize for column in columns.log.values())
    )
    assert held <= 2 * INFLATED_BYTES
    return part


def packed_state(packed):
    """The same for the binary form that a state carries."""
    return window_state({"v": packed_part.VERSION, "z": base64.b64encode(packed).decode()})


def event_of(data):
    """An event whose records hold the lines of the data."""
    return {
        "Records": [
            {"kinesis": {"sequenceNumber": str(number), "data": base64.b64encode(line).decode()}}
            for number, line in enumerate(data.split(b"\n"))
        ],
        "window": {"start": "2024-03-04T23:24:00Z", "end": "2024-03-04T23:25:00Z"},
        "shardId": "shardId-000000000000",
        "state": {},
    }


class Sinks:
    """Where the aggregator writes; remembers that it did."""

    def __init__(self):
        self.written = 0

    def write(self, *_):
        """Take rows, or aircraft."""
        self.written += 1
        return 0

    def load(self, *_):
        """No earlier try."""
        return DeliveryRecord()

    def save(self, *_):
        """Leave the record."""
        self.written += 1

    def warning(self, _message, *, extra):
        """A line of the log, whose fields must be writable as JSON."""
        json.dumps(extra)


def aggregator_event(event):
    """The answer is a state within Lambda's bound; an error leaves nothing half written. Gives the outcome or None."""
    sinks = Sinks()
    aggregator = Aggregator(sinks, sinks, sinks, sinks, sinks, NOW.timestamp)
    try:
        outcome = aggregator.process(event)
    except (MalformedEventError, StateError, ValueError) as error:
        assert str(error)
        assert not sinks.written
        return None
    assert outcome.counted + outcome.duplicates + outcome.undecodable == len(event.get("Records") or ())
    assert len(json.dumps(outcome.state)) < 1_000_000
    if outcome.state:
        part = codec.decode(json.loads(json.dumps(outcome.state)), NOW)
        list(row_schema.rows(part, row_schema.PartName("start", "end", "shard", 0)))
    return outcome


class Table:
    """The suppression table's contract in memory (`alerts.suppression_table` against moto: the integration tests)."""

    def __init__(self):
        self.histories = {}

    def claim(self, claim):
        """Take the window if none covers the update."""
        assert len(claim.item_key.encode()) <= 2048  # DynamoDB's bound on a partition key
        decision = judge(claim, self.histories.get(claim.item_key, History()))
        if decision.history is not None:
            assert 0 < expires_at(decision.history.newest_ms, claim.suppression_ms, NOW) < 2**53
            assert len(decision.history.windows) <= MOST_WINDOWS
            assert len(decision.history.spans) <= MOST_SPANS
            self.histories[claim.item_key] = decision.history
        return decision

    def mark_notified(self, claim):
        """Mark the claim's window."""
        there = self.histories[claim.item_key]
        windows = {
            replace(one, state=State.NOTIFIED) if one.update_key == claim.update_key else one for one in there.windows
        }
        self.histories[claim.item_key] = replace(there, windows=frozenset(windows))


class Progress:
    """Notes nothing: what was sent is found again by the table alone."""

    def lines_done(self, _record):
        """None."""
        return 0

    def advance(self, _record, _lines_done):
        """Forget it."""


class Topic:
    """Takes what SNS takes (API reference, Publish), and nothing else."""

    def __init__(self):
        self.notified = []

    def publish(self, notification):
        """Check the notification, and keep it."""
        assert notification.subject.isascii()
        assert notification.subject.isprintable()
        assert 0 < len(notification.subject) < 100
        assert 0 < len(notification.text.encode()) <= 262_144
        assert notification.icao_address.isprintable()
        self.notified.append((notification.rule, notification.icao_address, notification.text))


class Clock:
    """A clock that stands."""

    def now(self):
        """The time."""
        return NOW

    def monotonic(self):
        """Seconds."""
        return 0.0

    def sleep(self, _seconds):
        """Go on at once."""


def _refusal(status) -> Any:
    """The answer of S3 that botocore makes an error of."""
    code = {404: "NoSuchKey", 412: "PreconditionFailed"}[status]
    return {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}


class LogBucket:
    """S3 for the alert log: what is not JSON, or not what the API reads, is refused."""

    def __init__(self):
        self.objects = {}

    def get_object(self, *, Bucket, Key):  # noqa: ARG002, N803 -- boto3's
        if Key not in self.objects:
            raise ClientError(_refusal(404), "GetObject")
        return {"ETag": "", "Body": io.BytesIO(self.objects[Key])}

    def put_object(self, *, Key, Body, **condition):  # noqa: N803 -- boto3's
        if "IfNoneMatch" in condition and Key in self.objects:
            raise ClientError(_refusal(412), "PutObject")
        assert isinstance(json.loads(Body), dict)
        msgspec.json.decode(Body, type=Alerts if Key == objects.ALERTS else Alert)
        self.objects[Key] = Body


def alerts_event(event):
    """Records raise alerts, are skipped or reported; sent again, the batch sends nothing twice. Gives the topic."""
    table, topic = Table(), Topic()
    bucket = LogBucket()
    alerter = Alerter(
        table,
        Progress(),
        topic,
        AlertLog(cast("S3Client", bucket), "data", NewestAlerts(cast("S3Client", bucket), "data")),
        wanted=AlertPatterns('{"data":{"icao_address":[{"exists":true}]}}').match,
        suppression=timedelta(minutes=15),
        clock=Clock(),
        pause=lambda _seconds: None,
    )
    notified, results = [], []
    for _ in range(2):
        with suppress(MalformedEventError):
            results.append(alerter.process(records(event), lambda: 900.0))
        windows = [window for history in table.histories.values() for window in history.windows]
        assert all(window.state is State.NOTIFIED for window in windows)  # none is left half done
        notified.append(len(topic.notified))
    assert notified[0] == notified[1] == len(bucket.objects) - bool(bucket.objects)  # the newest are one more
    assert results[1:] == [] or results[0].undecodable == results[1].undecodable
    return topic


def consumer_event(event):
    """The schedule's event gives a bound that a clock can take, or a ConfigurationError."""
    with suppress(ConfigurationError):
        seconds = run_seconds(event)
        assert seconds is None or 0 < seconds <= 900


def record_filter(pattern, data):
    """A pattern is refused with a text, or tells of any data whether it passes. Gives the verdict, None if refused."""
    try:
        accepts = RecordFilter([pattern])
    except PatternError as error:
        assert str(error)
        return None
    verdict = accepts(data)
    assert isinstance(verdict, bool)
    return verdict


def simulator_request(query_string, token):
    """A query is read or refused by the name of a parameter; a token is this feed's or refused."""
    with suppress(QueryError):
        query.parse(query_string, NOW.timestamp())
    with suppress(TokenError):
        TokenSealer("fuzzed").open(token)


assert PACKED_BYTES * packing.MOST_COMPRESSION < INFLATED_BYTES

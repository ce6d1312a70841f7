"""Where `ops status` looks: each look reads a few things of one part, and says how it is."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from live import objects
from live.container import read_header
from live.errors import SnapshotError
from live.layout import POSITIONS
from live.status import pause
from ops import metrics
from ops.duration import shown
from ops.errors import code
from ops.failures import PREFIX
from ops.finding import ATTENTION, OK, UNKNOWN, Finding
from ops.metrics import Query
from ops.redriving import MARK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ops.stack import Stack

OLD_TOKEN_SECONDS = 120.0
"""CommittedTokenAgeAlarm's threshold (template.yaml)."""
STALE_SECONDS = 60.0
"""Live objects are written every few seconds: what is older has stopped (api.health)."""
_SHARD_RECORDS, _SHARD_BYTES = 1_000, 1024 * 1024  # a second in (Kinesis quotas)
_NEARLY_FULL = 0.9
_MOST_LISTED = 1_000
_MOST_TAGS = 50  # a request each

_ABSENT = {"NoSuchKey", "404"}

type Look = tuple[str, Callable[[], Iterable[Finding]]]


class Looks:
    """What can be looked at of a stack, with metrics of the last `span`."""

    def __init__(self, stack: Stack, span: timedelta) -> None:
        self._stack = stack
        self._span = span
        self._s3 = stack.client("s3")
        self._now = datetime.now(UTC)

    def all(self, now: datetime) -> list[Look]:
        """Return all looks at one moment."""
        self._now = now
        return [
            ("consumer", self._consumer),
            ("schedule", self._schedule),
            ("stream", self._stream),
            *((name, lambda name=name: self._function(name)) for name in self._functions()),
            ("live objects", self._live),
            ("archives", self._archives),
            ("given up", self._failures),
            ("rejected", self._rejected),
            ("alarms", self._alarms),
        ]

    def _functions(self) -> list[str]:
        return [name for name in self._stack.resources if name.endswith("Function")]

    def _consumer(self) -> Iterator[Finding]:
        status = self._status()
        if status is None:
            do = "has a run begun? `ops doctor` says what keeps it"
            yield Finding("consumer", UNKNOWN, f"{objects.STATUS} is not there yet", do)
            return
        written = self._age(status.get("written_at"))
        facts = status | {"status_age_seconds": written}
        token = status.get("committed_token_age_seconds")
        # Ages go on from when they were written.
        token_age = None if token is None or written is None else token + written
        parts = [
            f"{status.get('received_per_second', 0):,.0f} updates/s in",
            f"{status.get('published_per_second', 0):,.0f} out",
            f"lag {_span(status.get('source_lag_seconds'))}",
            f"committed token {_span(token_age)} old",
            f"reading {100 * status.get('reading_share', 0):.1f} % of the time",
        ]
        if gap := status.get("recovering_gap"):
            parts.append(f"recovering {gap['start']} to {gap['end']}")
        if failed := status.get("run_failed"):
            yield Finding("consumer", ATTENTION, f"its last run failed: {failed}", _page("consumer-errors"), facts)
        elif token_age is None or token_age > OLD_TOKEN_SECONDS + pause(status):
            yield Finding("consumer", ATTENTION, ", ".join(parts), _page("committed-token-age"), facts)
        else:
            yield Finding("consumer", OK, ", ".join(parts), "", facts)

    def _schedule(self) -> Iterator[Finding]:
        rule = self._stack.client("events").describe_rule(Name=self._stack["ConsumerSchedule"].rpartition("/")[2])
        state, facts = rule["State"], {"state": rule["State"], "expression": rule.get("ScheduleExpression")}
        if state == "ENABLED":
            yield Finding("schedule", OK, f"on, {rule.get('ScheduleExpression')}", "", facts)
        else:
            yield Finding(
                "schedule", ATTENTION, "off: no run begins", "`ops drain --resume`, or ScheduleState=ENABLED", facts
            )

    def _stream(self) -> Iterator[Finding]:
        name = self._stack["UpdatesStream"]
        summary = self._stack.client("kinesis").describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        shards = summary["OpenShardCount"]
        mode = summary.get("StreamModeDetails", {}).get("StreamMode", "PROVISIONED")
        dimensions = {"StreamName": name}
        queries = {
            "records": Query("AWS/Kinesis", "IncomingRecords", dimensions, "Sum"),
            "bytes": Query("AWS/Kinesis", "IncomingBytes", dimensions, "Sum"),
            "write_throttles": Query("AWS/Kinesis", "WriteProvisionedThroughputExceeded", dimensions, "Sum"),
            "read_throttles": Query("AWS/Kinesis", "ReadProvisionedThroughputExceeded", dimensions, "Sum"),
        }
        values = self._metrics(queries)
        seconds = self._span.total_seconds()
        used = max(
            values.get("records", 0.0) / seconds / shards / _SHARD_RECORDS,
            values.get("bytes", 0.0) / seconds / shards / _SHARD_BYTES,
        )
        facts = {"status": summary["StreamStatus"], "mode": mode, "shards": shards, "used": round(used, 4), **values}
        text = f"{summary['StreamStatus']}, {mode}, {shards} shards, {100 * used:.0f} % of their capacity used"
        if throttles := values.get("write_throttles"):
            yield Finding(
                "stream", ATTENTION, f"{text}; {throttles:,.0f} writes throttled", _page("stream-throttled"), facts
            )
        elif used > _NEARLY_FULL and mode == "PROVISIONED":
            yield Finding("stream", ATTENTION, text, _page("resharding"), facts)
        else:
            yield Finding("stream", OK, text, "", facts)

    def _function(self, logical_id: str) -> Iterator[Finding]:
        part = logical_id.removesuffix("Function").lower()
        name = self._stack[logical_id]
        dimensions = {"FunctionName": name}
        wanted = (
            ("invocations", "Invocations", "Sum"),
            ("errors", "Errors", "Sum"),
            ("throttles", "Throttles", "Sum"),
            ("duration_ms", "Duration", "Maximum"),
            ("iterator_age_ms", "IteratorAge", "Maximum"),
            ("concurrent", "ConcurrentExecutions", "Maximum"),
        )
        values = self._metrics({key: Query("AWS/Lambda", metric, dimensions, of) for key, metric, of in wanted})
        mappings = self._stack.client("lambda").list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        off = [one for one in mappings if one.get("State") not in {"Enabled", None}]
        facts: dict[str, Any] = {**values, "mappings": [one.get("State") for one in mappings]}
        text = f"{values['invocations']:,.0f} invocations" if "invocations" in values else "no metrics yet"
        if "iterator_age_ms" in values:
            text += f", iterator age {shown(values['iterator_age_ms'] / 1_000)}"
        if off:
            said = f"its event source mapping is {off[0]['State']} ({off[0].get('LastProcessingResult', 'no result')})"
            yield Finding(part, ATTENTION, said, _page("iterator-age"), facts)
        elif values.get("errors") and logical_id != "ConsumerFunction":
            yield Finding(
                part, ATTENTION, f"{text}, {values['errors']:,.0f} errors", _page("stream-function-errors"), facts
            )
        elif values.get("throttles") and mappings:
            said = f"{text}, {values['throttles']:,.0f} throttled"
            yield Finding(part, ATTENTION, said, _page("stream-functions-throttled"), facts)
        else:
            yield Finding(part, OK, text, "", facts)

    def _live(self) -> Iterator[Finding]:
        listed = self._get("DataBucket", objects.SHARDS)
        if listed is None:
            yield Finding(
                "live objects", UNKNOWN, "no snapshot was written yet", "the first comes with the first updates"
            )
            return
        aircraft, newest, unreadable = 0, 0, 0
        shards = list(msgspec.json.decode(listed)["shards"])
        for shard in shards:
            body = self._get("DataBucket", objects.open_window(shard))
            try:
                header, _ = read_header(body or b"", POSITIONS)
            except SnapshotError:
                unreadable += 1
                continue
            aircraft += header.aircraft
            newest = max(newest, header.written_at)
        age = self._now.timestamp() - newest / 1_000 if newest else None
        facts = {"shards": len(shards), "aircraft": aircraft, "newest_age_seconds": age, "unreadable": unreadable}
        text = f"{aircraft:,} aircraft in {len(shards)} shards' open windows, the newest written {_span(age)} ago"
        is_fresh = age is not None and age <= STALE_SECONDS + pause(self._status())
        yield Finding("live objects", OK if is_fresh else ATTENTION, text, _page("live-snapshots"), facts)

    def _archives(self) -> Iterator[Finding]:
        names = [name for name in ("RawArchive", "WindowRows") if name in self._stack.resources]
        queries = {
            name: Query(
                "AWS/Firehose", "DeliveryToS3.DataFreshness", {"DeliveryStreamName": self._stack[name]}, "Maximum"
            )
            for name in names
        }
        values = self._metrics(queries)
        text = ", ".join(f"{name} {_span(values.get(name))} behind" for name in names)
        late = [name for name in names if values.get(name, 0) > (1_800 if name == "RawArchive" else 900)]
        yield Finding("archives", ATTENTION if late else OK, text, _page("archive-freshness"), {**values})

    def _failures(self) -> Iterator[Finding]:
        listed = self._list("FailuresBucket", PREFIX)
        if not listed:
            yield Finding("given up", OK, "nothing lies in the on-failure bucket", "", {"objects": 0})
            return
        waiting = self._not_redriven([one["Key"] for one in listed])
        if not waiting:
            text = f"{len(listed)} objects lie in the on-failure bucket, all redriven"
            yield Finding("given up", OK, text, "", {"objects": len(listed), "waiting": 0})
            return
        oldest = min(one["LastModified"] for one in listed)
        many = f"{len(listed):,}{' or more' if len(listed) >= _MOST_LISTED else ''}"
        text = f"{many} objects lie in the on-failure bucket, the oldest of {oldest:%Y-%m-%d %H:%M}"
        facts = {"objects": len(listed), "waiting": waiting}
        yield Finding("given up", ATTENTION, text, f"`ops redrive` shows why. {_page('on-failure-objects')}", facts)

    def _not_redriven(self, keys: list[str]) -> int:
        """Return how many have not been sent again; of many objects all are taken for such."""
        if len(keys) > _MOST_TAGS:
            return len(keys)
        bucket = self._stack["FailuresBucket"]
        tags = [self._s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"] for key in keys]
        return sum(1 for tagged in tags if all(tag["Key"] != MARK for tag in tagged))

    def _rejected(self) -> Iterator[Finding]:
        listed = self._list("StateBucket", f"rejected/{self._now:%Y/%m/%d}/")
        text = f"{len(listed):,} objects of rejected lines today"
        do = f"`ops tail rejected --since 24h --once` shows them. {_page('rejected-lines')}"
        yield Finding("rejected", ATTENTION if listed else OK, text, do, {"objects_today": len(listed)})

    def _alarms(self) -> Iterator[Finding]:
        names = {self._stack[one]: one for one in self._stack.resources if one.endswith("Alarm")}
        cloudwatch = self._stack.client("cloudwatch")
        listed: list[dict[str, Any]] = []
        for page in cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNames=sorted(names), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        ):
            listed += [*page.get("MetricAlarms", []), *page.get("CompositeAlarms", [])]
        sounding = [one for one in listed if one["StateValue"] == "ALARM"]
        for one in sounding:
            page_named = re.search(r"docs/operations/[a-z-]+\.md", one.get("AlarmDescription", ""))
            yield Finding(
                "alarms",
                ATTENTION,
                f"{names.get(one['AlarmName'], one['AlarmName'])}: {one.get('StateReason', '')}",
                f"runbook: {page_named[0]}" if page_named else "",
                {"alarm": one["AlarmName"]},
            )
        if not sounding:
            text = f"none of {len(listed)} sounds" if listed else "this stack has none"
            yield Finding("alarms", OK, text, "", {"alarms": len(listed)})

    def _metrics(self, queries: dict[str, Query]) -> dict[str, float]:
        return metrics.read(self._stack.client("cloudwatch"), queries, self._now, self._span)

    def _get(self, bucket: str, key: str) -> bytes | None:
        try:
            return bytes(self._s3.get_object(Bucket=self._stack[bucket], Key=key)["Body"].read())
        except ClientError as error:
            if code(error) in _ABSENT:
                return None
            raise

    def _status(self) -> dict[str, Any] | None:
        body = self._get("DataBucket", objects.STATUS)
        return None if body is None else msgspec.json.decode(body, type=dict[str, Any])

    def _list(self, bucket: str, prefix: str) -> list[dict[str, Any]]:
        answer = self._s3.list_objects_v2(Bucket=self._stack[bucket], Prefix=prefix, MaxKeys=_MOST_LISTED)
        return list(answer.get("Contents", []))

    def _age(self, moment: str | None) -> float | None:
        return None if moment is None else (self._now - datetime.fromisoformat(moment)).total_seconds()


def _span(seconds: float | None) -> str:
    return "unknown" if seconds is None else shown(max(0.0, seconds))


def _page(name: str) -> str:
    return f"runbook: docs/operations/{name}.md"

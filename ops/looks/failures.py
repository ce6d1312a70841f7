"""What went wrong: events that were given up, rejected lines, alarms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ops.failures import PREFIX
from ops.finding import ATTENTION, OK, Finding
from ops.looks.reading import MOST_LISTED, runbook
from ops.redriving import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.looks.reading import Reading

_MOST_TAGS = 50  # a request each


class FailureLooks:
    """Looks at what somebody has to deal with."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def failures(self) -> Iterator[Finding]:
        """Look at the events that were given up and not sent again."""
        listed = self._reading.list("FailuresBucket", PREFIX)
        if not listed:
            yield Finding("given up", OK, "nothing lies in the on-failure bucket", "", {"objects": 0})
            return
        waiting = self._not_redriven([one["Key"] for one in listed])
        if not waiting:
            text = f"{len(listed)} objects lie in the on-failure bucket, all redriven"
            yield Finding("given up", OK, text, "", {"objects": len(listed), "waiting": 0})
            return
        oldest = min(one["LastModified"] for one in listed)
        many = f"{len(listed):,}{' or more' if len(listed) >= MOST_LISTED else ''}"
        text = f"{many} objects lie in the on-failure bucket, the oldest of {oldest:%Y-%m-%d %H:%M}"
        facts = {"objects": len(listed), "waiting": waiting}
        yield Finding("given up", ATTENTION, text, f"`ops redrive` shows why. {runbook('on-failure-objects')}", facts)

    def _not_redriven(self, keys: list[str]) -> int:
        """Return how many have not been sent again; of many objects all are taken for such."""
        if len(keys) > _MOST_TAGS:
            return len(keys)
        bucket = self._reading.stack["FailuresBucket"]
        tags = [self._reading.s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"] for key in keys]
        return sum(1 for tagged in tags if all(tag["Key"] != MARK for tag in tagged))

    def rejected(self) -> Iterator[Finding]:
        """Look at today's lines that were no updates."""
        listed = self._reading.list("StateBucket", f"rejected/{self._reading.now:%Y/%m/%d}/")
        text = f"{len(listed):,} objects of rejected lines today"
        do = f"`ops tail rejected --since 24h --once` shows them. {runbook('rejected-lines')}"
        yield Finding("rejected", ATTENTION if listed else OK, text, do, {"objects_today": len(listed)})

    def alarms(self) -> Iterator[Finding]:
        """Look at the alarms that are in state ALARM."""
        names = {self._reading.stack[one]: one for one in self._reading.stack.resources if one.endswith("Alarm")}
        cloudwatch = self._reading.stack.client("cloudwatch")
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

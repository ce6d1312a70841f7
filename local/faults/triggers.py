"""What invokes the functions in a fault schedule: event source mappings, rules, and the delivery of raw objects."""

from __future__ import annotations

import dataclasses
import random
from typing import TYPE_CHECKING

from local.aws.raw_delivery import RawDelivery
from local.clock import SystemClock
from local.event_source_mapping import DestinationClients, EventSourceMapping
from local.event_source_mapping.observation import SilentListener
from local.event_source_mapping.pace import Pace
from local.function_names import AGGREGATOR
from local.runtime.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.faults.rig import Rig
    from local.faults.schedule import FaultSchedule
    from local.runtime.invocation import InvocationResult

CONSUMER_SECONDS, ARCHIVE_SECONDS = 1.0, 4.0
"""From one tick to the next; a minute and an hour in a deployment."""

_PACE = Pace(poll_interval=0.2, discovery_interval=0.2, first_retry=0.1, longest_retry=1.0, throttled=0.05)
_DELIVERY_SECONDS, _DELIVERY_POLL = 1.0, 0.2


def schedules(rig: Rig, function: str, invoke: Callable[[bytes], InvocationResult], *, every: float) -> list[Schedule]:
    """Return the rules that start a function, given by its logical id, every so many seconds."""
    return [
        Schedule(settings, invoke, SystemClock(), speed=settings.every / every, finished=lambda _: None)
        for settings in rig.stack.schedules
        if rig.stack.function(settings.function_arn).logical_id == function
    ]


def deliveries(rig: Rig, schedule: FaultSchedule) -> list[RawDelivery]:
    """Return the delivery of raw objects, some of which arrive twice."""
    cloud, chance = rig.cloud, random.Random(f"delivered twice {schedule.seed}")
    return [
        RawDelivery(
            settings,
            cloud.client("kinesis"),
            cloud.client("s3"),
            SystemClock(),
            interval=_DELIVERY_SECONDS,
            poll=_DELIVERY_POLL,
            twice=lambda: chance.random() < schedule.deliver_twice,
        )
        for settings in rig.stack.deliveries
    ]


def mappings(rig: Rig, schedule: FaultSchedule) -> list[EventSourceMapping]:
    """Return the event source mappings, the aggregator's with the batches that the schedule asks for."""
    cloud = rig.cloud
    found = []
    for settings in rig.stack.mappings:
        name = rig.stack.function(settings.function_arn).logical_id
        if name == AGGREGATOR:
            own = dataclasses.replace(
                settings, batch_size=schedule.batch_size, batching_window=schedule.batching_window
            )
        else:
            own = settings
        clients = DestinationClients(s3=cloud.client("s3"), sqs=cloud.client("sqs"), sns=cloud.client("sns"))
        found.append(
            EventSourceMapping(
                own,
                rig.functions[name].invoke,
                cloud.client("kinesis"),
                clients,
                SystemClock(),
                SilentListener(),
                pace=_PACE,
            )
        )
    return found

"""Event source mappings run locally, as Lambda runs them for a Kinesis stream.

`MappingSettings.from_properties` reads what a mapping is set to; `EventSourceMapping` runs it. The core (`shard`,
`lane`, `batch`, `window`, `failure`, `filter`) takes time as an argument and touches nothing outside; `poller`,
`shard_reader` and `destination` are the threads and the AWS calls around it.
"""

from __future__ import annotations

from local.event_source_mapping.destination import DestinationClients
from local.event_source_mapping.failure import Discard
from local.event_source_mapping.mapping import EventSourceMapping
from local.event_source_mapping.observation import (
    BatchFailed,
    Counters,
    Listener,
    SilentListener,
    WindowClosed,
)
from local.event_source_mapping.pace import Pace
from local.event_source_mapping.settings import MappingSettings, SettingsError

__all__ = [
    "BatchFailed",
    "Counters",
    "DestinationClients",
    "Discard",
    "EventSourceMapping",
    "Listener",
    "MappingSettings",
    "Pace",
    "SettingsError",
    "SilentListener",
    "WindowClosed",
]

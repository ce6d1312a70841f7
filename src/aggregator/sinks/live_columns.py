"""Converts a part's latest states to the columns that the live objects' writer takes."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from aggregator.state.latest import latest_states
from aggregator.state.layout import AIRLINE, NAMES
from live.columns import NO_TIME, Aircraft
from live.layout import EMERGENCIES, SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aggregator.state.latest import LatestStates
    from aggregator.state.window_part import WindowPart

MILLISECOND = 1_000
"""Microseconds."""

_OTHER = len(SOURCES) - 1
_PLACES = {source: place for place, source in enumerate(SOURCES)}
_EMERGENCIES = frozenset(squawk for squawk in EMERGENCIES if squawk is not None)


def columns(part: WindowPart) -> tuple[Aircraft, LatestStates]:
    """Return the columns of positions and motion, and the states that they were made of."""
    states = latest_states(part)
    timestamps = _milliseconds(states.timestamps, states.tick)
    delays = _delays(states)
    return (
        Aircraft(
            icao_address=states.icao_addresses,
            timestamp=timestamps,
            delay=delays,
            position_measured=_measured(states),
            latitude=states.latitudes,
            longitude=states.longitudes,
            altitude=states.altitudes,
            speed=states.speeds,
            vertical_rate=states.vertical_rates,
            heading=states.headings,
            on_ground=states.on_ground,
            source=bytes([_PLACES.get(source, _OTHER) for source in states.collection_types]),
            emergencies={
                place: squawk
                for place, squawk in enumerate(states.squawks)
                if squawk is not None and squawk in _EMERGENCIES
            },
        ),
        states,
    )


def identities(states: LatestStates) -> dict[str, Sequence[str | None]]:
    """Return the texts that seldom change, a list for each of the live objects' fields."""
    read = [states.names(place) for place in range(len(states.icao_addresses))]
    columns = zip(*read, strict=True) if read else [()] * len((*NAMES, *AIRLINE))  # of no aircraft zip makes no columns
    named: dict[str, Sequence[str | None]] = {
        name: list(texts) for name, texts in zip((*NAMES, *AIRLINE), columns, strict=True)
    }
    return {**named, "squawk": states.squawks, "collection_type": states.collection_types}


def _milliseconds(ticks: Iterable[int], tick: int) -> array[int]:
    """Return times in whole milliseconds, rounded down."""
    return array("q", ticks if tick == MILLISECOND else [time * tick // MILLISECOND for time in ticks])


def _delays(states: LatestStates) -> array[int]:
    """Return how long after `timestamp` each `ingestion_time` is, both in whole milliseconds, rounded down.

    To round the delay itself could have a position measured a millisecond after its own update.
    """
    none, tick = states.no_delay, states.tick
    if tick == MILLISECOND:
        return array("q", [NO_TIME if delay == none else delay for delay in states.delays])
    return array(
        "q",
        [
            NO_TIME if delay == none else (time + delay) * tick // MILLISECOND - time * tick // MILLISECOND
            for time, delay in zip(states.timestamps, states.delays, strict=True)
        ],
    )


def _measured(states: LatestStates) -> array[int]:
    """Return when each position was measured: the earlier of its update's times."""
    none, tick = states.no_delay, states.tick
    return array(
        "q",
        [
            (time if delay == none or delay > 0 else time + delay) * tick // MILLISECOND if has_position else NO_TIME
            for time, delay, has_position in zip(
                states.position_timestamps, states.position_delays, states.has_position, strict=True
            )
        ],
    )

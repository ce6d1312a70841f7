"""The notification: a text that a person can act on, with the update as JSON at its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from alerts.rules import Finding
    from common.target_update import TargetUpdate

LONGEST_SUBJECT: Final = 99
"""Characters. SNS takes ASCII without line breaks, less than 100 characters long (API reference, Publish)."""

LONGEST_UPDATE: Final = 200_000
"""Bytes of the update that go into the text. SNS takes 262,144 bytes in all (API reference, Publish), Kinesis more."""

LONGEST_VALUE: Final = 80
"""Characters of one field in the text for people. The update at the end has the whole."""


_UNPRINTABLE: Final = dict.fromkeys([*range(0x20), 0xFFFE, 0xFFFF], " ")
"""What would tear the line or be refused. The control characters that JSON allows stand between values only."""


_MENTIONS: Final = str.maketrans("<>@", "‹›＠")  # noqa: RUF001 - they only look alike, which is what is wanted
"""A chat that a webhook posts to calls everybody by `<!channel>` or `@everyone`, and hides where `<...|...>` leads."""

_ESCAPED: Final = _UNPRINTABLE | {ord(each): f"\\u{ord(each):04x}" for each in "<>@"}
"""The same in JSON, where these stand within texts only."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert: a rule's finding, the update it was found in, and that update as received."""

    finding: Finding
    update: TargetUpdate
    data: bytes


@dataclass(frozen=True, slots=True)
class Notification:
    """One message for the topic. `rule` and `icao_address` go along as attributes, for subscriptions that filter."""

    subject: str
    text: str
    rule: str
    icao_address: str


def compose(alert: Alert, *, now: datetime, suppressed_until: datetime, suppression: timedelta) -> Notification:
    """Write the notification of one alert; `suppressed_until` is in the updates' own time."""
    finding, update = alert.finding, alert.update
    title = headline(alert)
    lines = (
        title,
        "",
        finding.meaning,
        "",
        *(f"{label + ':':<10} {value.translate(_MENTIONS)}" for label, value in _facts(update, now) if value),
        "",
        f"Further alerts of this aircraft on {finding.subject} are held back for {_duration(suppression)}:",
        f"until an update measured at {_utc(suppressed_until)} or later.",
        "",
        "The update, as it was received:",
        as_received(alert),
    )
    return Notification(
        subject=_subject(title),
        text="\n".join(lines),
        rule=finding.rule,
        icao_address=clean(update.icao_address) or "unknown",  # SNS refuses an empty attribute
    )


def headline(alert: Alert) -> str:
    """Return what is found about whom, on one line of bounded length."""
    return f"{alert.finding.title}: {_who(alert.update)}".translate(_MENTIONS)


def _who(update: TargetUpdate) -> str:
    name = clean(update.callsign) or clean(update.tail_number)
    address = clean(update.icao_address)
    return f"{name} ({address})" if name else f"aircraft {address}"


def _facts(update: TargetUpdate, now: datetime) -> tuple[tuple[str, str], ...]:
    return (
        ("Measured", _measured(update, now)),
        ("Aircraft", _aircraft(update)),
        ("Airline", clean(update.airline_name) or clean(update.airline_iata)),
        ("Route", _route(update)),
        ("Position", _position(update)),
        ("Altitude", _altitude(update)),
        ("Speed", _speed(update)),
        ("Vertical", _vertical(update)),
        ("Squawk", clean(update.squawk) or "not reported"),
    )


def _measured(update: TargetUpdate, now: datetime) -> str:
    age = now - update.timestamp
    since = f"{_duration(age)} before this was written" if age >= timedelta(0) else "ahead of this function's clock"
    by = clean(update.collection_type)
    return f"{_utc(update.timestamp)}, {since}" + (f", by a {by} receiver" if by else "")


def _aircraft(update: TargetUpdate) -> str:
    kind = clean(update.aircraft_type_name) or clean(update.aircraft_type_icao)
    callsign, flight, tail = clean(update.callsign), clean(update.flight_number), clean(update.tail_number)
    parts = (
        kind or "type not known",
        f"tail number {tail}" if tail else "",
        f"callsign {callsign}" if callsign else "no callsign",
        f"flight {flight}" if flight else "",
        f"ICAO address {clean(update.icao_address)}",
    )
    return ", ".join(part for part in parts if part)


def _route(update: TargetUpdate) -> str:
    origin = _airport(update.departure_airport_iata, update.departure_airport_icao)
    destination = _airport(update.arrival_airport_iata, update.arrival_airport_icao)
    if origin and destination:
        return f"{origin} to {destination}"
    if origin:
        return f"from {origin}, destination not known"
    return f"to {destination}, origin not known" if destination else "not known"


def _airport(iata: str | None, icao: str | None) -> str:
    names = [name for name in (clean(iata), clean(icao)) if name]
    return " / ".join(names)


def _position(update: TargetUpdate) -> str:
    if update.latitude is None or update.longitude is None:
        return "not reported"
    return f"{update.latitude:.6f}, {update.longitude:.6f} (latitude, longitude in degrees, WGS 84)"


def _altitude(update: TargetUpdate) -> str:
    height = "not reported" if update.altitude_baro is None else f"{update.altitude_baro:,.0f} ft (barometric)"
    if update.on_ground is None:
        return height
    return f"{height}, {'on the ground' if update.on_ground else 'in the air'}"


def _speed(update: TargetUpdate) -> str:
    speed = "not reported" if update.speed is None else f"{update.speed:,.0f} knots"
    return speed if update.heading is None else f"{speed}, heading {update.heading:03.0f} degrees"


def _vertical(update: TargetUpdate) -> str:
    rate = update.vertical_rate
    if rate is None:
        return "not reported"
    if rate == 0:
        return "level"
    return f"{'climbing' if rate > 0 else 'descending'} {abs(rate):,.0f} ft/min"


def as_received(alert: Alert) -> str:
    """Return the update as one line of JSON; where it is too long for a notification, its key and where to find it."""
    line = _one_line(alert.data)
    if len(line.encode()) <= LONGEST_UPDATE:
        return line
    key = {
        "icao_address": alert.update.icao_address,
        "timestamp": alert.update.timestamp,
        "ingestion_time": alert.update.ingestion_time,
        "left_out": f"the update has {len(alert.data):,} bytes; the raw archive in the data bucket has the whole",
    }
    return _one_line(msgspec.json.encode(key))


def _one_line(data: bytes) -> str:
    """Return JSON as a line that SNS takes and a chat only shows."""
    # Fields that nobody decodes may hold bytes that are no UTF-8, which SNS would refuse each time.
    return data.strip().decode("utf-8", "replace").translate(_ESCAPED)


def _subject(text: str) -> str:
    # What is no ASCII becomes "?": the text below has it right.
    short = text if len(text) <= LONGEST_SUBJECT else text[: LONGEST_SUBJECT - 3] + "..."
    return short.encode("ascii", "replace").decode("ascii")


def clean(value: str | None) -> str:
    """Return the field on one line, without control characters, and not longer than what a person reads."""
    text = " ".join("".join(c if c.isprintable() else " " for c in value or "").split())
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _duration(span: timedelta) -> str:
    """Return the span in its two largest units: `12 s`, `2 min 5 s`, `2 h 57 min`, `3 days 4 h`."""
    seconds = round(span.total_seconds())
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        parts = ((days, "day" if days == 1 else "days"), (hours % 24, "h"))
    elif hours:
        parts = ((hours, "h"), (minutes % 60, "min"))
    elif minutes:
        parts = ((minutes, "min"), (seconds % 60, "s"))
    else:
        return f"{seconds} s"
    return " ".join(f"{amount} {unit}" for amount, unit in parts if amount)

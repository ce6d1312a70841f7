"""The consumer's environment, read once into a typed value; a wrong parameter is found before any connection opens."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from common.environment import ConfigurationError, number, text
from consumer.timing import Timing

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_STREAM_URL = "https://api.airsafe.spire.com/v2/targets/stream"

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_FUNCTION = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*")
_URL_SECRETS = frozenset("@?#")
"""What credentials, a query and a fragment begin or end with."""

_LONGEST_RUN_SECONDS = 900
"""No invocation lasts longer (Lambda quotas)."""

_LONGEST_VISIT_SECONDS = 86_400
_LONGEST_DELAY_MINUTES = 720

_LOCAL_NAMES = ("localhost", "host.docker.internal")


@dataclass(frozen=True, slots=True)
class Settings:
    """What one deployment reads, and where it writes.

    `envelopes` says whether updates are published in envelopes or one per record. `filters` are the API's query
    parameters under its names, validated; an absent one filters nothing. A run begins every `visit_seconds`, and with
    StopWhenCaughtUp ends once it has read what was there then. The stream is late by `stream_delay`, by design.
    `update_processor` is `module:function`, or empty.
    """

    stream_url: str
    api_token_secret_arn: str
    state_bucket: str
    data_bucket: str
    updates_stream_name: str
    start_position: str
    envelopes: bool
    compression: str
    filters: Mapping[str, str]
    stop_when_caught_up: bool = False
    visit_seconds: int = 60
    stream_delay: timedelta = timedelta()
    update_processor: str = ""
    timing: Timing = field(default_factory=Timing)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read and check every variable of `docs/design.md`'s table.

        Raises
        ------
        ConfigurationError
            One is missing or wrong; the text names it, what it holds and what it takes.
        """
        return cls(
            stream_url=_url(environ),
            api_token_secret_arn=text(environ, "API_TOKEN_SECRET_ARN"),
            state_bucket=text(environ, "STATE_BUCKET"),
            data_bucket=text(environ, "DATA_BUCKET"),
            updates_stream_name=text(environ, "UPDATES_STREAM_NAME"),
            start_position=_one_of(environ, "START_POSITION", "LATEST", "BEGINNING"),
            envelopes=_envelopes(environ),
            compression=_one_of(environ, "COMPRESSION", "gzip", "none"),
            filters=_filters(environ),
            stop_when_caught_up=_one_of(environ, "STOP_WHEN_CAUGHT_UP", "false", "true") == "true",
            stream_delay=timedelta(
                minutes=number(environ, "STREAM_DELAY_MINUTES", 0, low=0, high=_LONGEST_DELAY_MINUTES)
            ),
            update_processor=_processor(environ),
            visit_seconds=round(number(environ, "VISIT_SECONDS", 60, low=60, high=_LONGEST_VISIT_SECONDS)),
            timing=Timing.from_environment(environ),
        )


def _envelopes(environ: Mapping[str, str]) -> bool:
    if _one_of(environ, "RECORD_FORMAT", "single", "envelope") == "single":
        return False
    from consumer.publish import pattern_validation  # noqa: PLC0415 - the other format need not load it

    pattern_validation.check(environ.get("ALERT_PATTERNS", ""))
    return True


def _processor(environ: Mapping[str, str]) -> str:
    value = environ.get("UPDATE_PROCESSOR", "").strip()
    if value and not _FUNCTION.fullmatch(value):
        raise ConfigurationError(f"UPDATE_PROCESSOR: got {value!r}; expected module:function, or nothing")
    return value


def _filters(environ: Mapping[str, str]) -> dict[str, str]:
    found = {
        "icao_address": _list(environ, "ICAO_ADDRESSES", r"[0-9A-Fa-f]{6}", "24-bit addresses of 6 hexadecimal digits"),
        "callsign": _list(environ, "CALLSIGNS", r"[0-9A-Za-z]{1,8}", "callsigns of 1 to 8 letters and digits"),
        "tail_number": _list(environ, "TAIL_NUMBERS", r"[0-9A-Za-z-]{1,12}", "registrations such as B-8700"),
        "airline": _list(environ, "AIRLINES", r"[^\s,][^,]*", "airlines such as DL"),
        "latitude_between": _range(environ, "LATITUDE_BETWEEN", "south,north in degrees", -90, 90),
        "longitude_between": _range(environ, "LONGITUDE_BETWEEN", "west,east in degrees", -180, 180, wraps=True),
        "altitude_between": _range(environ, "ALTITUDE_BETWEEN", "low,high in feet", -2_000, 200_000),
        "max_age": _seconds(environ, "MAX_AGE_SECONDS"),
        "late_filter": _one_of(environ, "LATE_FILTER", "", "true", "false"),
    }
    return {name: value for name, value in found.items() if value}


def _url(environ: Mapping[str, str]) -> str:
    """Return STREAM_URL: https, or plain http to this machine or a private address, so that the token stays secret."""
    value = text(environ, "STREAM_URL", DEFAULT_STREAM_URL)
    if not _URL_SECRETS.isdisjoint(value):  # looked for before any parsing, so that no error below can show them
        raise ConfigurationError(
            "STREAM_URL: holds credentials or a query; expected a bare address: the token comes from "
            "Secrets Manager, and each query parameter has its own variable"
        )
    if not _is_acceptable(value):
        raise ConfigurationError(
            f"STREAM_URL: got {value!r}; expected https://..., or http://... to this machine or a private address"
        )
    return value


def _is_acceptable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port  # the port is checked by looking at it
        host.encode("idna")  # as sockets do: no part of a name may be empty, or too long
    except ValueError:
        return False
    if not host or not url.isprintable() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_local(host))


def _is_local(host: str) -> bool:
    if host in _LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False


def _one_of(environ: Mapping[str, str], name: str, default: str, *others: str) -> str:
    value = environ.get(name, "").strip() or default
    if value not in (default, *others):
        choices = " or ".join(repr(choice) for choice in (default, *others) if choice)
        raise ConfigurationError(f"{name}: got {value!r}; expected {choices}")
    return value


def _list(environ: Mapping[str, str], name: str, pattern: str, expected: str) -> str:
    values = [value.strip() for value in environ.get(name, "").split(",") if value.strip()]
    for value in values:
        if not re.fullmatch(pattern, value):
            raise ConfigurationError(f"{name}: got {value!r}; expected {expected}, separated by commas")
    return ",".join(values)


def _range(  # noqa: PLR0913 - the bounds differ by name and unit
    environ: Mapping[str, str], name: str, expected: str, low: float, high: float, *, wraps: bool = False
) -> str:
    raw = environ.get(name, "").replace(" ", "")
    if not raw:
        return ""
    ends = raw.split(",")
    is_valid = (
        len(ends) == 2  # noqa: PLR2004 - a range has two ends
        and all(_NUMBER.fullmatch(end) and low <= float(end) <= high for end in ends)
        and (wraps or float(ends[0]) < float(ends[1]))
    )
    if not is_valid:
        order = "" if wraps else ", the lower one first"
        raise ConfigurationError(f"{name}: got {raw!r}; expected {expected}, each from {low} to {high}{order}")
    return raw


def _seconds(environ: Mapping[str, str], name: str) -> str:
    raw = environ.get(name, "").strip()
    if raw and not (raw.isascii() and raw.isdigit() and int(raw) > 0):
        raise ConfigurationError(f"{name}: got {raw!r}; expected a whole number of seconds above 0")
    return raw


def run_seconds(event: Mapping[str, Any]) -> float | None:
    """Return the event's `detail.run_seconds`: a short run for `sam local invoke`; None where it is not given.

    Raises
    ------
    ConfigurationError
        It is no number above 0.
    """
    detail = event.get("detail") if isinstance(event, dict) else None
    value = detail.get("run_seconds") if isinstance(detail, dict) else None
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ConfigurationError(f"event detail.run_seconds: got {value!r}; expected a number of seconds above 0")
    return float(min(value, _LONGEST_RUN_SECONDS))  # an integer may be larger than any float

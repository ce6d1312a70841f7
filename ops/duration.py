"""Spans of time on the command line: `90s`, `15m`, `6h`, `2d`."""

from __future__ import annotations

import argparse
import re

from ops import metrics

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_LONGEST = 3_650 * _UNITS["d"]
"""Nothing is kept for longer, and further back is no date."""
_SPAN = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)([smhd])")


def seconds(text: str) -> float:
    """Return the seconds that an option's text means, for argparse."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"got {text!r}; expected a number and a unit, such as 90s, 15m, 6h or 2d")
    span = float(found[1]) * _UNITS[found[2]]
    if span > _LONGEST:
        raise argparse.ArgumentTypeError(f"got {text!r}; expected ten years, 3650d, at most")
    return span


def of_some_length(text: str) -> float:
    """Return the seconds that an option's text means, a second at least."""
    span = seconds(text)
    if span < 1.0:
        raise argparse.ArgumentTypeError(f"got {text!r}; expected 1s or more")
    return span


def of_metrics(text: str) -> float:
    """Return the seconds that an option's text means, from a second to as many as CloudWatch keeps each minute for."""
    span = of_some_length(text)
    if span > metrics.DAYS_KEPT * _UNITS["d"]:
        raise argparse.ArgumentTypeError(
            f"got {text!r}; expected {metrics.DAYS_KEPT}d at most: CloudWatch keeps the figures of minutes no longer"
        )
    return span


def shown(span: float) -> str:
    """Return seconds as people say them: `4.2 s`, `15 min`, `3.5 h`, `2.0 d`."""
    for unit, name, most in ((1.0, "s", 120.0), (60.0, "min", 7_200.0), (3600.0, "h", 172_800.0)):
        if abs(span) < most:
            value = span / unit
            return f"{value:.1f} {name}" if abs(value) < 10 else f"{value:.0f} {name}"  # noqa: PLR2004 - two digits
    return f"{span / 86_400:.1f} d"

"""Evaluates the times in a delivery stream's object prefix, as Firehose does: `date=!{timestamp:yyyy-MM-dd}/`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_TIMESTAMP = re.compile(r"!\{timestamp:([^}]*)\}")
_FORMATS = {"yyyy-MM-dd": "%Y-%m-%d", "HH": "%H"}


def evaluated(prefix: str, moment: datetime) -> str:
    """Return the prefix of an object of a moment, in UTC.

    Raises
    ------
    KeyError
        It has a format that the template has not used so far.
    """
    return _TIMESTAMP.sub(lambda found: moment.strftime(_FORMATS[found[1]]), prefix)

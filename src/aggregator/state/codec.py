"""A window part's state as Lambda carries it from one invocation to the next: `{"v": 4, "z": "..."}`.

`z` is base64 of the part in its binary form (`aggregator.state.packed_part`). Lambda ends a window early whose state
exceeds 1 MB (developer guide, tumbling windows): `aggregator.state.splitting` keeps it below that, and `encode` is the
safety net.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pybase64

from aggregator.state import packed_part, packing, unpacking
from aggregator.state.packed_part import VERSION, VERSION_3
from aggregator.state.window_part import WindowPart

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

LAMBDA_BYTES = 1_000_000
"""What Lambda takes of state: its 1 MB, read as the smaller of two."""


def packed_size(state_bytes: int) -> int:
    """Return how large a part may be when packed, so that its state has no more than so many characters.

    Base64 makes four of three; 1,000 are left for the JSON around it, and for what is no column: headers and counts.
    """
    return state_bytes * 3 // 4 - 1_000


MOST_PACKED_BYTES = packed_size(LAMBDA_BYTES)


class StateError(Exception):
    """The state that Lambda passed in is not one that this version reads."""


def encode(part: WindowPart, most_bytes: int = MOST_PACKED_BYTES) -> dict[str, Any]:
    """Return the part's state as the JSON object for the response's `state`.

    A part larger than `most_bytes` when packed is compressed harder. Only here: where a part ends, and what identifies
    its content (`packing`), must depend on the updates alone, not on what a batch happened to end with.
    """
    packed = packing.pack(part)
    if len(packed) > most_bytes:
        packed = packing.harder(packed)
    return {"v": VERSION, "z": pybase64.b64encode_as_string(packed)}


def decode(state: Mapping[str, Any], origin: datetime) -> WindowPart:
    """Return the part that `encode` wrote, for the window that starts at `origin`; a new one for an empty state.

    Raises
    ------
    StateError
        The state is of another version, or damaged.
    """
    if not state:
        return WindowPart(origin)
    version = state.get("v")
    if version not in (VERSION, VERSION_3):
        raise StateError(
            f"window state: got version {version!r}; expected {VERSION} or {VERSION_3}. Another version of the "
            "function wrote it: deploy that version again until its windows have closed, or let the batch go to the "
            "failures bucket"
        )
    try:
        packed = packed_part.decode(pybase64.b64decode(state["z"], validate=True))
        return WindowPart(
            origin,
            packed.number,
            packed.size_bound,
            packed.duplicates_ignored,
            packed.undecodable,
            unpacking.columns(packed, version),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StateError(f"window state of version {version}: damaged ({error}); expected what encode wrote") from error

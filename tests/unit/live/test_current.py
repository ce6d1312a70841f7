"""Which shards are still written: by the age of their snapshots, against the newest of them."""

from __future__ import annotations

import pytest

from benchmarks.inputs.live_fleet import header
from live.current import LEFT_OUT_SECONDS, current

NOW = 1_709_594_660_000


def written(**seconds_ago):
    """The headers of open windows, by shard."""
    return {shard: header(NOW, shard, written_at=NOW - 1_000 * seconds) for shard, seconds in seconds_ago.items()}


@pytest.mark.parametrize(("window_seconds", "longest"), [(0, 300), (60, 300), (100, 300), (101, 303), (900, 2_700)])
def test_a_shard_is_left_out_after_five_minutes_or_three_windows(window_seconds, longest):
    """Of long windows a quiet shard's snapshot is written at their end at the latest."""
    opened = written(new=0, kept=longest, gone=longest + 1)
    assert current(opened, window_seconds * 1_000) == ["new", "kept"]


def test_of_a_stack_that_has_stopped_the_shards_stay():
    """Nothing is written any more, and what there is has the time it was written at."""
    assert current(written(a=86_400, b=86_400 + LEFT_OUT_SECONDS), 60_000) == ["a", "b"]
    assert current({}, 60_000) == []

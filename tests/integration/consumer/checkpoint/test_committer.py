"""The committer with a real S3 (moto): rejected lines before the token, lease renewal, failures reported at once."""

from __future__ import annotations

import base64
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from consumer.checkpoint import watermark
from consumer.checkpoint.committer import Committer
from consumer.checkpoint.position import Position
from consumer.checkpoint.rejected_lines import RejectedLine, RejectedStore
from consumer.checkpoint.store import CheckpointStore
from consumer.checkpoint.watermark import Interval, Watermark
from consumer.errors import CheckpointError, LeaseLostError
from consumer.stream.redaction import Redactor
from consumer.timing import LEASE_SECONDS
from tests.integration.consumer.conftest import BUCKET
from tests.integration.consumer.publish.test_publisher import ClearedAfterwards
from tests.support.conditions import wait_until
from tests.support.faulty_aws import client_error

MOMENT = datetime(2024, 3, 4, 12, 0, 0, tzinfo=UTC)


def position(name):
    """Return the position of a token."""
    return Position(position_token=name, token_received_at=MOMENT)


class Observed:
    """An S3 client that notes the keys written, in order, and refuses those with a given beginning."""

    def __init__(self, s3):
        self.written = []
        self.refuses = None
        self._s3 = s3
        self.get_object = s3.get_object

    def put_object(self, **request):
        if self.refuses is not None and request["Key"].startswith(self.refuses):
            raise client_error("AccessDenied", 403, "PutObject")
        self.written.append(request["Key"])
        return self._s3.put_object(**request)


class Parts:
    """A committer with what is around it."""

    def __init__(self, state, clock):
        self.s3 = Observed(state.s3)
        self.watermark = Watermark()
        self.store = CheckpointStore(self.s3, BUCKET, "run-1", clock)
        self.rejected = RejectedStore(self.s3, BUCKET, "run-1", clock, redactor=Redactor("api-token"))
        self.committer = Committer(self.watermark, self.store, self.rejected)
        self.commits, self.failed = [], threading.Event()
        self.store.acquire()
        self.s3.written.clear()

    def renew_every(self, seconds):
        self.committer = Committer(self.watermark, self.store, self.rejected, renewal_seconds=seconds)

    def pause(self, seconds):
        self.committer = Committer(
            self.watermark, self.store, self.rejected, renewal_seconds=seconds, pause_seconds=seconds
        )

    def start(self):
        self.committer.start(on_commit=self.commits.append, on_error=self.failed.set)

    def reject(self, *lines):
        self.watermark.current.rejected += [RejectedLine(line, len(line), "not valid JSON", MOMENT) for line in lines]

    def reach(self, name):
        self.watermark.close(position(name))
        self.committer.notify()


@pytest.fixture
def parts(state, clock):
    """A committer that has the lease and has not begun."""
    return Parts(state, clock)


def test_a_token_is_committed_only_when_all_before_it_is_acknowledged(parts, state):
    """A token must wait for every update before it, in its own interval and in earlier ones."""
    parts.start()
    first = parts.watermark.current
    first.taken = 1
    parts.reach("first")
    parts.reach("second")
    parts.committer.close()
    assert parts.commits == []
    assert state.checkpoint["position_token"] is None


def test_what_became_safe_together_is_committed_once(parts, state):
    """Several tokens that became safe meanwhile must be written as one, the newest."""
    first = parts.watermark.current
    first.taken = 1
    parts.reach("first")
    parts.reach("second")
    first.acknowledged = 1
    parts.start()
    wait_until(lambda: parts.commits)
    parts.committer.close()
    assert [committed.position_token for committed in parts.commits] == ["second"]
    assert parts.committer.committed == position("second")
    assert state.checkpoint["position_token"] == "second"
    assert state.checkpoint["lease"] is None


def test_tokens_without_end_do_not_cost_a_write_each(parts, state):
    """After a commit there is a pause, which the end of the run cuts short; what came in it is written together."""
    parts.pause(3600)
    parts.start()
    parts.reach("first")
    wait_until(lambda: parts.commits)
    for number in range(20):
        parts.watermark.current.taken = parts.watermark.current.acknowledged = 1
        parts.reach(f"t{number}")
        time.sleep(0.02)  # in which it would be written, were there no pause
    parts.committer.close()
    assert [committed.position_token for committed in parts.commits] == ["first", "t19"]
    assert len(parts.s3.written) == 2
    assert state.checkpoint["position_token"] == "t19"


def test_a_run_that_stops_at_a_token_has_it_committed_though_too_many_were_open(parts, state, monkeypatch):
    """While many wait for one update the newest are skipped; what was drained must not be read again for that."""
    monkeypatch.setattr(watermark, "MAX_OPEN_INTERVALS", 2)
    parts.start()
    intervals = []
    for number in range(4):
        intervals.append(parts.watermark.current)
        parts.watermark.current.taken += 1
        parts.reach(f"t{number}")
    for interval in intervals:
        interval.acknowledged += 1
    parts.committer.notify()
    parts.committer.close()
    assert parts.commits[-1] == position("t3")
    assert state.checkpoint["position_token"] == "t3"


def test_rejected_lines_are_kept_before_the_token_after_them(parts, state):
    """One object per checkpoint, with each line and its reason, must be in S3 before the token is."""
    parts.start()
    parts.reject(b'{"target":', "caf\u00e9 \U0001f6e9".encode(), b"\xff\xfe\x00")
    parts.reach("first")
    wait_until(lambda: parts.commits)
    parts.reach("second")
    wait_until(lambda: len(parts.commits) == 2)
    parts.committer.close()
    head = {"reason": "not valid JSON", "received_at": "2024-03-04T12:00:00.000Z"}
    assert state.rejected == [
        [
            head | {"bytes": 10, "line": '{"target":'},
            head | {"bytes": 10, "line": "caf\u00e9 \U0001f6e9"},
            head | {"bytes": 3, "line_base64": base64.b64encode(b"\xff\xfe\x00").decode()},
        ]
    ]
    kept, *checkpoints = parts.s3.written
    assert kept.startswith("rejected/20")
    assert kept.endswith("-run-1-1.ndjson")
    assert set(checkpoints) == {"checkpoint.json"}


def test_lines_that_could_not_be_kept_hold_the_token_back(parts, state):
    """If the rejected lines cannot be written the token after them must not be, and the reader must hear of it."""
    parts.s3.refuses = "rejected/"
    parts.start()
    parts.reject(b"x")
    parts.reach("first")
    assert parts.failed.wait(10)
    with pytest.raises(CheckpointError, match=r"rejected lines could not be kept.*read again"):
        parts.committer.close()
    assert parts.commits == []
    assert state.checkpoint["position_token"] is None


def test_a_checkpoint_that_cannot_be_written_stops_the_committing(parts, state):
    """After a failed write nothing more may be committed, and the lease must stay as it was."""
    parts.start()
    parts.reach("first")
    wait_until(lambda: parts.commits)
    parts.s3.refuses = "checkpoint"
    parts.reach("second")
    assert parts.failed.wait(10)
    parts.s3.refuses = None
    parts.reach("third")
    with pytest.raises(CheckpointError, match="could not be written"):
        parts.committer.close()
    assert state.checkpoint["position_token"] == "first"
    assert state.checkpoint["lease"]["owner"] == "run-1"


def test_the_lease_is_renewed_while_nothing_else_is_written(parts, state):
    """A quiet stream must not cost the lease: it is renewed, and the position stays."""
    parts.committer._renewal_seconds = 0.01
    before = state.checkpoint["lease"]["expires_at"]
    parts.start()
    wait_until(lambda: len(parts.s3.written) >= 2)
    assert state.checkpoint["lease"]["expires_at"] > before
    parts.committer.close()
    assert parts.commits == []


def test_a_lease_lost_while_idle_is_reported_at_once(parts, state, clock):
    """A run that has nothing to commit must still notice that another took over."""
    parts.committer._renewal_seconds = 0.01
    clock.advance(seconds=LEASE_SECONDS + 1)
    CheckpointStore(state.s3, BUCKET, "run-2", clock).acquire()
    parts.start()
    assert parts.failed.wait(10)
    with pytest.raises(LeaseLostError, match="run-2 holds the lease"):
        parts.committer.close()
    assert state.checkpoint["lease"]["owner"] == "run-2"


def test_closing_is_noticed_at_any_moment(parts):
    """A close that falls between two steps of the committer must not wait for the next renewal."""
    parts.committer._renewal_seconds = 0.05
    parts.committer._work = ClearedAfterwards()
    parts.start()
    parts.committer.close()
    assert parts.s3.written == ["checkpoint.json"], "only the release, no renewal"


def test_the_last_settled_interval_may_be_taken_while_another_thread_looks():
    """Looking at the head of the line must not fail when the committer takes the last interval at that moment."""

    class TakenMeanwhile:
        """A line that has one interval when its length is asked for, and none when it is looked at."""

        def __bool__(self):
            return True

        def __len__(self):
            return 1

        def __getitem__(self, _):
            raise IndexError("deque index out of range")

    watermark = Watermark()
    watermark._waiting = TakenMeanwhile()  # type: ignore[assignment]
    assert not watermark.has_settled


def test_two_threads_never_write_rejected_lines_under_one_name(state, clock):
    """Reader and committer may both write rejected lines: neither may overwrite the other's."""
    both = threading.Barrier(2)
    names = []

    class NamedTogether:
        """A clock that brings both threads to the moment at which the name is made."""

        def now(self):
            both.wait(10)
            return clock.now()

    class Noting:
        def put_object(self, **request):
            names.append(request["Key"])
            return state.s3.put_object(**request)

    store = RejectedStore(Noting(), BUCKET, "run-1", NamedTogether(), redactor=Redactor("api-token"))
    lines = [[RejectedLine(b"%d" % number, 1, "reason", MOMENT)] for number in range(2)]
    with _threads(*(threading.Thread(target=store.write, args=(line,)) for line in lines)):
        pass
    assert len(set(names)) == 2
    assert sorted(line["line"] for [line] in state.rejected) == ["0", "1"]


@contextmanager
def _threads(*threads):
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join(10)


def test_an_interval_settles_with_its_last_acknowledgement(parts):
    """An open interval is never safe, nor is a closed one before its last acknowledgement."""
    interval = parts.watermark.current
    assert isinstance(interval, Interval)
    interval.taken = 2
    assert not parts.watermark.has_settled
    parts.watermark.close(position("a"))
    interval.acknowledged = 1
    assert not parts.watermark.has_settled
    interval.acknowledged = 2
    assert parts.watermark.has_settled

"""`ops drain`: brings a stack to rest with no window open, before a deployment that changes the state's format.

No new run begins, the one under way ends, all it published is read, and every shard's window closes. Nothing is lost
meanwhile: the provider keeps what comes for 24 hours, and the consumer goes on at its token.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from common.clock import SystemClock
from live import objects
from live.container import read_header
from live.errors import SnapshotError
from live.layout import POSITIONS
from ops import duration, stored
from ops.asking import ask
from ops.errors import AWS_ERRORS, OpsError, code, explained
from ops.output import complain, say, say_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from common.clock import Clock
    from ops.stack import Stack

EXAMPLES = """\
examples:
  pipenv run ops drain --stack aircraft-stream              asks, then waits until nothing is under way: some 17
                                                            minutes at most
  pipenv run ops drain --stack aircraft-stream --yes        the same in a script, without asking
  pipenv run ops drain --stack aircraft-stream --resume     begin again, at the committed token
  pipenv run ops drain --local                              the same with the local stack that runs: try it first

Between the two, deploy. The schedule stays off until --resume. Only a deployment that changes the rule itself switches
it on, as its last step.
exit code: 0 when all is at rest, 1 if it is not within --timeout (the schedule stays off), 2 if it cannot be done."""

_STEP, _LOCAL_STEP = 5.0, 0.5
_RUN = "a run is under way"
_TICK_SECONDS, _LOCAL_TICK_SECONDS = 75.0, 10.0
"""How long after the schedule is off a run may still begin: a tick waits in Lambda's queue for a minute at most. The
local stack forgets what waits: only an invocation that has begun may not have its lease yet."""


@dataclass(frozen=True, slots=True)
class Rest:
    """What still keeps a stack from being at rest; all empty when nothing does."""

    lease_until: str | None = None
    open_windows: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Return whether all is at rest."""
        return not (self.lease_until or self.open_windows or self.unread)

    def text(self) -> str:
        """Return it for people."""
        if self:
            return "at rest: no run, nothing unread, no window open"
        parts = []
        if self.lease_until:
            parts.append(f"{_RUN} (its lease: until {self.lease_until})")
        if self.unread:
            parts.append(f"not read to the end: {', '.join(self.unread)}")
        if self.open_windows:
            parts.append(f"windows open: {', '.join(self.open_windows)}")
        return "; ".join(parts)


class Drain:
    """Looks at, and changes, what of a stack moves."""

    def __init__(self, stack: Stack, clock: Clock) -> None:
        self._stack = stack
        self._clock = clock
        self._tick_seconds = _LOCAL_TICK_SECONDS if stack.is_local else _TICK_SECONDS
        self._step = _LOCAL_STEP if stack.is_local else _STEP
        self._kinesis = stack.client("kinesis")
        self._events = stack.client("events")
        self._rule = stack["ConsumerSchedule"].rpartition("/")[2]

    def switch(self, *, on: bool) -> None:
        """Switch the schedule."""
        (self._events.enable_rule if on else self._events.disable_rule)(Name=self._rule)

    def look(self) -> Rest:
        """Return what still moves."""
        lease = self._lease()
        if lease is not None:
            return Rest(lease)
        open_windows, unread = [], []
        for shard in self._shards():
            window = self._window(shard)
            if window is None:
                continue
            end, sequence = window
            if stored.get(self._stack, "DataBucket", objects.closed_window(shard, end)) is None:
                open_windows.append(f"{shard} until {datetime.fromtimestamp(end / 1_000, UTC):%H:%M:%S}")
            if self._has_more(shard, sequence):
                unread.append(shard)
        return Rest(None, open_windows, unread)

    def wait(self, timeout: float, tell: Callable[[str], None]) -> bool:
        """Wait until all is at rest and no run can begin any more; return whether it is, within `timeout` seconds."""
        began = self._clock.monotonic()
        said = ""
        while True:
            rest = self.look()
            passed = self._clock.monotonic() - began
            is_sure = not rest or passed >= self._tick_seconds
            text = rest.text() if is_sure else "waiting for a tick that may be under way"
            news = _RUN if rest.lease_until else text  # its lease is another at every token
            if news != said:
                said = news
                tell(text)
            if rest and passed >= self._tick_seconds:
                return True
            if passed >= timeout:
                return False
            self._clock.sleep(self._step)

    def _lease(self) -> str | None:
        """Return until when a run holds the checkpoint's lease, if one does."""
        checkpoint = stored.read(self._stack, "StateBucket", stored.CHECKPOINT, stored.Checkpoint)
        lease = checkpoint and checkpoint.lease
        if not lease or lease.expires_at < self._clock.now():
            return None
        return f"{lease.expires_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

    def _shards(self) -> list[str]:
        listed = stored.read(self._stack, "DataBucket", objects.SHARDS, stored.Shards)
        return [] if listed is None else list(listed.shards)

    def _window(self, shard: str) -> tuple[int, str] | None:
        """Return the end of the window that a shard's newest snapshot is of, and the last record in it."""
        body = stored.get(self._stack, "DataBucket", objects.open_window(shard))
        if body is None:
            return None
        try:
            header, _ = read_header(body, POSITIONS)
        except SnapshotError as error:
            raise OpsError(
                f"{objects.open_window(shard)}: {error}. Whether its window is closed is unknown: wait for twice "
                "WindowSeconds with the schedule off, then deploy"
            ) from error
        return header.window_end, header.sequence

    def _has_more(self, shard: str, sequence: str) -> bool:
        """Return whether a shard holds records after this one."""
        stream = self._stack["UpdatesStream"]
        try:
            answer = self._kinesis.get_shard_iterator(
                StreamName=stream,
                ShardId=shard,
                ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                StartingSequenceNumber=sequence,
            )
        except ClientError as error:
            if code(error) in {"ResourceNotFoundException", "InvalidArgumentException"}:
                return False  # a shard that is gone, or whose record is no longer kept
            raise
        iterator = answer["ShardIterator"]
        while True:
            got = self._kinesis.get_records(ShardIterator=iterator, Limit=1)
            if got["Records"]:
                return True
            iterator = got.get("NextShardIterator")
            if iterator is None or not got.get("MillisBehindLatest"):
                return False


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--resume", action="store_true", help="switch the schedule on again; does not ask")
    parser.add_argument("--yes", action="store_true", help="do not ask before the schedule is switched off")
    parser.add_argument(
        "--timeout",
        type=duration.seconds,
        default=1_500.0,
        metavar="SPAN",
        help="how long to wait: a run of 15 minutes, and a window (default 25m)",
    )


def run(stack: Stack, options: argparse.Namespace) -> int:
    """Drain, or resume, as the command line says; return 1 if something is still running."""
    drain = Drain(stack, SystemClock())
    if options.resume:
        drain.switch(on=True)
        say_json({"schedule": "on"}) if options.json else say("the schedule is on: the next tick begins a run")
        return 0
    if not options.yes:
        ask(f"Switch the schedule of stack {stack.name} off? No new run begins until --resume.", "drain")
    drain.switch(on=False)
    stays_off = f"the schedule of {stack.name} is off, and stays so: `ops drain --resume` switches it on again"
    try:
        at_rest = drain.wait(options.timeout, (lambda _: None) if options.json else say)
        text = drain.look().text()
    except (OpsError, *AWS_ERRORS) as error:
        if stack.is_local and isinstance(error, BotoCoreError):
            raise  # no answer: it has ended, and its schedule with it
        raise OpsError(f"{explained(error)}\n{stays_off}") from error
    except BaseException:
        complain(stays_off)
        raise
    if options.json:
        say_json({"schedule": "off", "at_rest": at_rest, "text": text})
    elif not at_rest:
        say("not at rest within --timeout; the schedule stays off. Ask again, or --resume")
    return 0 if at_rest else 1

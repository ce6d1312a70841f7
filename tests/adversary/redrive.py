"""Plays an attack on `ops redrive`: the command as a person runs it, again and again, at a stub of AWS."""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.adversary.aws import Aws
from tests.adversary.ledger import Ledger
from tests.adversary.nursery import nursery
from tests.adversary.process import Outcome
from tests.adversary.stage import API_TOKEN, StallWatch

if TYPE_CHECKING:
    from tests.adversary.wire import Rule


@dataclass(frozen=True, slots=True)
class Failure:
    """An on-failure object: the updates that are in it, and those of them that have to go back into the stream.

    `sound`: all of it can go back (True), some of it cannot (False), or either is right (None).
    """

    key: str
    content: bytes
    marks: frozenset[int] = frozenset()
    owed: frozenset[int] = frozenset()
    sound: bool | None = True


@dataclass(frozen=True, slots=True)
class Command:
    """One run of the command, and what AWS does meanwhile."""

    arguments: tuple[str, ...] = ("--confirm", "--yes")
    rules: tuple[Rule, ...] = ()
    seconds: float = 90.0
    """How long it may take."""
    unwritable: bool = False
    """Whether its report has no place where it could be written: nothing may be done then."""


@dataclass(frozen=True, slots=True)
class RedrivePlan:
    """An attack on redrive. The last command finds all well, and what is owed has to be in the stream after it."""

    objects: tuple[Failure, ...]
    commands: tuple[Command, ...]
    page: int = 1000
    may_double: bool = False
    """Whether an answer is lost, a mark is refused, or a command is asked to send again."""
    output: int = 100_000
    """Bytes of output of one command at most."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of one command: its exit code (None: it had to be killed), its output, and what is there after it."""

    code: int | None
    output: bytes
    """Standard output and error."""
    took: float
    arrivals: int
    """How many updates it put into the stream."""
    published: frozenset[int]
    """The updates that are in the stream after it."""
    there: frozenset[str]
    """The objects that are there after it."""
    before: frozenset[str]
    """The objects that were marked before it."""


@dataclass(slots=True)
class RedriveEvidence:
    """What an attack left behind."""

    ran: list[Ran] = field(default_factory=list)
    gone: list[tuple[str, str, tuple[int, ...]]] = field(default_factory=list)
    """What was marked or deleted, and the updates of it that were not in the stream at that moment."""
    times: Counter[int] = field(default_factory=Counter)
    """How often each update is in the stream."""
    keys: list[tuple[bytes, str]] = field(default_factory=list)
    """The records in the stream: data and partition key."""
    stall: float = 0.0

    @property
    def outcomes(self) -> list[Outcome]:
        """How each command ended, in the words of a function's runs."""
        return [Outcome({"code": each.code, "arrivals": each.arrivals}, took=each.took) for each in self.ran]

    @property
    def log(self) -> bytes:
        """All output."""
        return b"".join(each.output for each in self.ran)


def play(plan: RedrivePlan) -> RedriveEvidence:
    """Play the attack."""
    evidence = RedriveEvidence()
    ledger = Ledger()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="adversary-"))
        watch = StallWatch()
        stack.callback(watch.close)
        aws = Aws(ledger, API_TOKEN, shards=2)
        stack.callback(aws.close)
        contents = {each.key: each for each in plan.objects}
        aws.failures.objects = {each.key: each.content for each in plan.objects}
        aws.failures.page = plan.page

        def gone(what: str, key: str) -> None:
            evidence.gone.append((what, key, tuple(sorted(contents[key].marks - ledger.published()))))

        aws.failures.watch = gone
        for command in plan.commands:
            aws.rules.begin(command.rules)
            evidence.ran.append(_run(command, aws, Path(folder)))
        if aws.faults:
            raise RuntimeError(f"the stub of AWS failed, not what it attacks: {aws.faults[0]}")
        evidence.times = Counter(arrival.number for arrival in ledger.arrivals)
        evidence.keys = [(record.data, record.key) for record in ledger.records]
        evidence.stall = watch.longest
    return evidence


def _run(command: Command, aws: Aws, folder: Path) -> Ran:
    before = len(aws.ledger.arrivals)
    marked = frozenset(key for key, tags in aws.failures.tags.items() if "redriven" in tags)
    began = time.monotonic()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_ACCESS_KEY_ID": "attack",
        "AWS_SECRET_ACCESS_KEY": "attack",
    }
    arguments = ["redrive", "--stack", "attack", "--region", "us-east-1", *command.arguments]
    told = folder / "output"
    with told.open("wb") as output, Path(os.devnull).open("rb") as nothing:
        process = nursery().start("ops", arguments, environment, nothing.fileno(), output.fileno())
    code = process.wait(command.seconds + 5)
    process.kill()
    took = time.monotonic() - began
    published = frozenset(aws.ledger.published())
    return Ran(
        code,
        told.read_bytes(),
        took,
        len(aws.ledger.arrivals) - before,
        published,
        frozenset(aws.failures.objects),
        marked,
    )

"""The faults of a seed for a run of the local stack that people watch: `pipenv run local --chaos SEED`.

As in a fault schedule, but for two kinds: a clock that jumps hours ahead, and a refused token, after which the consumer
fetches what it missed by the time of day. A recording's times are years old, and a seed's traffic has its own day.
"""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

from local.faults.aws.plan import by_kind
from local.faults.aws.proxy import AwsProxy
from local.faults.schedule import FaultSchedule
from local.faults.stream.fault import UpstreamKind
from local.faults.stream.injector import UpstreamFaults
from local.faults.stream.jumping_clock import JumpingClock
from local.faults.timed.processes import ProcessFaults
from local.faults.timed.resharding import Resharding
from local.faults.waits import waits
from local.function_names import CONSUMER

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Mapping

    from mypy_boto3_kinesis import KinesisClient

    from local.runtime.function import Function
    from local.runtime.invocation import InvocationResult
    from local.stack import Stack

KEEP_ALIVE_SECONDS = 0.25
"""The simulator's keep-alives come as much sooner as the consumer waits shorter."""

_NEEDS_TODAY = frozenset({UpstreamKind.CLOCK_JUMP, UpstreamKind.TOKEN_REFUSED})


class LiveFaults:
    """What goes wrong in one run; `upstream` has the hooks of the stream's server."""

    def __init__(self, seed: int) -> None:
        self._schedule = FaultSchedule.draw(seed)
        self._ending = contextlib.ExitStack()
        self._proxy: AwsProxy | None = None
        self._processes: ProcessFaults | None = None
        self._resharding: Resharding | None = None
        self.upstream = UpstreamFaults(
            (fault for fault in self._schedule.upstream if fault.kind not in _NEEDS_TODAY),
            seed=seed,
            clock=JumpingClock(),
        )

    def before_aws(self, endpoint: str) -> str:
        """Stand before the local AWS; return the address for the functions."""
        self._proxy = self._ending.enter_context(AwsProxy(endpoint, plan=self._schedule.aws))
        return self._proxy.url

    @property
    def parameters(self) -> dict[str, str]:
        """The template's parameters that the seed asks for: two consumers at once need an account that lets them."""
        return {"ReserveConcurrency": "true" if self._schedule.consumers == 1 else "false"}

    @staticmethod
    def hurry(stack: Stack) -> Stack:
        """Return the stack with a consumer that waits no longer than in a fault schedule."""
        consumer = stack.functions[CONSUMER]
        hurried = dataclasses.replace(consumer, environment=consumer.environment | waits())
        return dataclasses.replace(stack, functions=stack.functions | {CONSUMER: hurried})

    def start(
        self,
        functions: Mapping[str, Function],
        kinesis: KinesisClient,
        stream: str,
        finished: Callable[[InvocationResult], None],
    ) -> None:
        """Begin.

        `stream` is the name of the one that is resharded; `finished` is called with the result of a second consumer
        that ran beside the schedule's.
        """
        self._processes = ProcessFaults(self._schedule.processes, functions, finished)
        self._processes.start()
        self._ending.callback(self._processes.stop)
        self._resharding = Resharding(self._schedule.reshards, kinesis, stream)
        self._resharding.start()
        self._ending.callback(self._resharding.stop)

    def join(self) -> None:
        """Wait until all that was to happen at some second has happened: a few seconds after the start at most."""
        for one in (self._processes, self._resharding):
            if one is not None:
                one.join()

    def join_invocations(self) -> None:
        """Wait for the second consumer, which must have been asked to stop by then."""
        if self._processes is not None:
            self._processes.join_invocations()

    def stop(self) -> None:
        """Let nothing more happen."""
        self.upstream.stopping.set()
        self._ending.close()

    @property
    def injected(self) -> Counter[str]:
        """What has happened so far, by kind."""
        found = self.upstream.injected.copy()
        for one in (self._processes, self._resharding):
            if one is not None:
                found += one.injected
        if self._proxy is not None:
            found += by_kind(self._proxy.injected)
        return found

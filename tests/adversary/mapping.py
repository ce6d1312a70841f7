"""Plays an attack on the aggregator or the alerts function: batches, retries and a window's state, as Lambda does."""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.adversary.aws import Aws
from tests.adversary.events import FunctionEvidence, event, number_of
from tests.adversary.ledger import Ledger
from tests.adversary.process import Child
from tests.adversary.stage import API_TOKEN, StallWatch, environment

if TYPE_CHECKING:
    from tests.adversary.events import FunctionPlan, Given

ENVIRONMENT = {
    "WINDOW_ROWS_STREAM_NAME": "rows",
    "AIRCRAFT_TABLE_NAME": "aircraft",
    "SUPPRESSION_TABLE_NAME": "suppression",
    "SUPPRESSION_SECONDS": "900",
    "ALERTS_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:alerts",
}


class Mapping:
    """One attack's event source mapping."""

    def __init__(self, plan: FunctionPlan, log: Path, stack: ExitStack) -> None:
        self._plan = plan
        self.evidence = FunctionEvidence()
        self.aws = Aws(Ledger(), API_TOKEN)
        stack.callback(self.aws.close)
        variables = {**environment(self.aws.url, plan.function), **ENVIRONMENT}
        self._child = Child(f"{plan.function}.handler.handler", variables, log, plan.megabytes)
        stack.callback(self._child.close)
        self._state: Any = {}

    def play(self) -> None:
        """Hand every batch over, and close the window."""
        first = 0
        for index, batch in enumerate(self._plan.batches):
            records = list(enumerate(batch, start=first))
            first += len(batch)
            if not self._through(records, final=False):
                self.evidence.stuck.append(index)
        if self._plan.function == "aggregator" and not self._through([], final=True):
            self.evidence.stuck.append(len(self._plan.batches))

    def _through(self, records: list[tuple[int, Given]], *, final: bool) -> bool:
        """Try the batch until it comes through, or as often as it may be tried."""
        for _ in range(self._plan.attempts):
            result = self._invoke(event(records, self._plan.shard, self._window(final=final)))
            if result is None:
                continue
            if self._plan.function == "aggregator":
                self._state = result["state"]
                self.evidence.states.append(len(json.dumps(self._state, separators=(",", ":"))))
                return True
            failed = result.get("batchItemFailures") or []
            if not failed:
                return True
            lowest = min(number_of(each["itemIdentifier"]) for each in failed)
            records = [record for record in records if record[0] >= lowest]
        return False

    def _invoke(self, made: dict[str, Any]) -> Any:
        if not self._child.alive:
            return None
        done = len(self.evidence.outcomes)
        self.aws.rules.begin(self._plan.rules[done] if done < len(self._plan.rules) else ())
        outcome = self._child.invoke(made, self._plan.seconds)
        self.evidence.outcomes.append(outcome)
        return outcome.result

    def _window(self, *, final: bool) -> dict[str, Any]:
        if self._plan.function != "aggregator":
            return {}
        return {
            "window": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:01:00Z"},
            "state": self._state,
            "shardId": self._plan.shard,
            "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/updates",
            "isFinalInvokeForWindow": final,
            "isWindowTerminatedEarly": False,
        }


def play(plan: FunctionPlan) -> FunctionEvidence:
    """Play the attack."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="adversary-"))
        log = Path(folder, "log")
        watch = StallWatch()
        stack.callback(watch.close)
        mapping = Mapping(plan, log, stack)
        mapping.play()
        evidence = mapping.evidence
        evidence.rows, evidence.messages = mapping.aws.rows, mapping.aws.messages
        evidence.items = mapping.aws.tables["aircraft"].items if "aircraft" in mapping.aws.tables else {}
        evidence.objects = mapping.aws.store.objects
        evidence.log = log.read_bytes()
        if mapping.aws.faults:
            raise RuntimeError(f"the stub of AWS failed, not what it attacks: {mapping.aws.faults[0]}")
        evidence.stall = watch.longest
    return evidence

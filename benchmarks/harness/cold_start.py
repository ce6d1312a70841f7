"""Cold starts: the setting of one function's, ours beside the usual one, each in the runtime emulator.

Measured is the runtime process's CPU time from its start to its first answer, by `getrusage` inside it. Ours answers
a real event: the consumer reads its secret and its checkpoint (whose lease another holds), the aggregator folds a
batch, the alerts function claims, publishes and marks two alerts, all against a stub. The usual one does nothing.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from benchmarks.harness import settings
from benchmarks.harness.case import Comparison
from benchmarks.harness.workspace import ROOT
from benchmarks.inputs import packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.harness.workspace import Workspace

SIDES = {
    "ours": "benchmarks.sides.cold:ours",
    "peer": "benchmarks.sides.cold:peer",
    "peer compiled": "benchmarks.sides.cold:peer_compiled",
    "peer + clients": "benchmarks.sides.cold:peer_with_clients",
    "both": "benchmarks.sides.cold:peer_compiled_with_clients",
    "bare runtime": "benchmarks.sides.cold:bare",
}


def comparison(function: str, clients: str, environment: Mapping[str, str], peer: str = "usual") -> Comparison:
    """Return the comparison for one of our functions.

    `clients` are the AWS services that the function calls, `environment` is what the template gives it, `peer` the
    module of `benchmarks.peers.functions` beside it.
    """

    @contextmanager
    def setting(workspace: Workspace, workload: str) -> Iterator[dict[str, Any]]:  # noqa: ARG001 - there is only one
        event = json.loads((ROOT / "events" / f"{function}.json").read_text(encoding="utf-8"))
        usual = packages.usual(workspace.folder)
        with settings.aws() as stub:
            yield {
                "checkpoint": f"{stub['aws']}/state/checkpoint.json",
                "event": json.dumps(event),
                "ours": str(packages.ours(function, workspace.folder)),
                "module": f"{function}.handler",
                "runtime": str(packages.runtime(workspace.folder)),
                "usual": str(usual),
                "peer": peer,
                "usual_compiled": str(packages.compiled(usual)) if workspace.sizes.thorough else "",
                "clients": clients,
                "updates": 1,
                "function_environment": {**environment, **stub["environment"]},
            }

    return Comparison(
        what=f"Cold start of the {function} function as packaged, its first answer included",
        target=2,
        setting=setting,
        sides=SIDES,
    )

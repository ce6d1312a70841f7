"""One attack of each kind, quick ones: `pipenv run adversary` plays as many of each as wanted."""

from __future__ import annotations

import pytest

from tests.adversary.campaign import campaign

SELECTION = {
    "asked-to-wait": 1,
    "byte-order-mark": 1,
    "changing-emergencies": 1,
    "disturbed-recovery": 1,
    "failing-notification": 1,
    "failing-sinks": 1,
    "failures-of-every-status": 1,
    "failing-reads": 4,
    "hostile-lists": 1,
    "hostile-snapshots": 13,
    "hot-until-the-deadline": 2,
    "impossible-positions": 3,
    "keepsakes": 1,
    "killed": 2,
    "live-backlog": 4,
    "live-data": 7,
    "live-parts": 2,
    "live-retries": 4,
    "live-shards": 5,
    "live-writes": 10,
    "lost-answers": 2,
    "newest-state": 1,
    "no-first-token": 2,
    "odd-acknowledgements": 1,
    "odd-checkpoints": 1,
    "odd-emergencies": 1,
    "odd-failures": 2,
    "odd-framing": 2,
    "odd-secrets-and-shards": 1,
    "odd-statuses": 1,
    "odd-updates": 3,
    "partial-failures": 3,
    "poisoned-windows": 1,
    "redrive-answers": 11,
    "redrive-bucket": 9,
    "redriven-again": 1,
    "refused-calls": 1,
    "reordered-keys": 1,
    "resharded": 1,
    "silent-stream": 1,
    "slow-feed": 1,
    "spelt-addresses": 1,
    "storm": 2,
    "unwritten-alerts": 29,
    "wrong-clock-before-a-gap": 52,
    "wrong-clock-before-an-alert": 2,
}
"""A seed for each kind. A busy machine makes runs late, and a late one is judged by seconds here, not by tenths."""

pytestmark = pytest.mark.timeout(900)  # the first test plays all attacks, and a busy machine takes its time

WORKERS = 4
TOLERANCE = 3.0


@pytest.fixture(scope="module")
def results(request):
    """What came of the attacks whose tests were asked for, played beside one another: they mostly wait."""
    asked = [item.callspec.params["kind"] for item in request.session.items if item.fspath == request.node.fspath]
    return {result.kind: result for result in campaign([(SELECTION[kind], kind) for kind in asked], WORKERS, TOLERANCE)}


@pytest.mark.parametrize("kind", SELECTION)
def test_the_attack_breaks_nothing(results, kind):
    """Every promise holds."""
    assert results[kind].held, results[kind].report()

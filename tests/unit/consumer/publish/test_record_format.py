"""What a run needs for one record format or the other, and no more."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, sys
import consumer.handler
from consumer.publish import record_format

{made}
print(json.dumps([name for name in sys.modules if name.startswith("consumer.publish.")]))
"""


@pytest.mark.parametrize(
    ("made", "own", "others"),
    [
        ("record_format.single()", {"single_outbox"}, {"envelope_outbox", "envelope_writer", "shard_queue"}),
        ("record_format.envelopes(lambda: None)", {"envelope_outbox", "envelope_writer"}, {"single_outbox"}),
    ],
    ids=["single", "envelope"],
)
def test_a_format_loads_nothing_of_the_other(repository, monkeypatch, made, own, others):
    """A cold start pays for one of them."""
    monkeypatch.setenv("PYTHONPATH", str(repository / "src"))
    run = subprocess.run([sys.executable, "-c", SCRIPT.format(made=made)], capture_output=True, text=True, check=True)
    loaded = {name.rpartition(".")[2] for name in json.loads(run.stdout)}
    assert own <= loaded
    assert not others & loaded

"""The windows' benchmarks send the batches that the template's event source mapping sends."""

from __future__ import annotations

import pytest
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from benchmarks.cases import window, window_envelope


def test_the_batches_are_the_templates(repository):
    """Longer batches than it sends would spread the state's cost over more updates than it is spread over on AWS."""
    resources = yaml_parse((repository / "template.yaml").read_text())["Resources"]
    mapping = resources["AggregatorFunction"]["Properties"]["Events"]["Updates"]["Properties"]
    assert mapping["BatchSize"] == window.BATCH
    assert window.RATE * mapping["MaximumBatchingWindowInSeconds"] == window_envelope.ENVELOPES_BATCH


@pytest.mark.parametrize("batch", [window.BATCH, window_envelope.ENVELOPES_BATCH])
@pytest.mark.parametrize(
    "updates",
    [
        window_envelope.BUILT,
        window_envelope.MEASURED,
        window_envelope.QUICKLY_BUILT,
        window_envelope.QUICKLY_MEASURED,
    ],
)
def test_both_sides_get_whole_batches_of_the_same_updates(batch, updates):
    """Else one side would build its state of fewer updates than the other, or be measured on a batch cut short."""
    assert updates % batch == 0

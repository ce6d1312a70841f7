"""What is calculated from measured CPU time: durations, shares and costs by memory size."""

from __future__ import annotations

import pytest

from benchmarks.cost import lambda_sizes
from benchmarks.measures import memory_sizes as measure
from benchmarks.report import memory_sizes


def test_a_vcpu_comes_with_1769_megabytes():
    """CPU grows with memory up to one vCPU, which is all that one thread can use."""
    assert lambda_sizes.cpus(1769) == 1.0
    assert lambda_sizes.cpus(3538) == 1.0
    assert 1769 * lambda_sizes.cpus(128) == pytest.approx(128)


def test_work_costs_the_same_at_every_size():
    """Half the memory takes twice as long, at half the price."""
    half, whole = lambda_sizes.invocation(512, 0.1), lambda_sizes.invocation(1024, 0.1)
    assert half[0] == pytest.approx(2 * whole[0])
    assert half[1] == pytest.approx(whole[1])


def test_an_invocation_costs_what_the_price_list_says():
    """A second of CPU at 1,769 MB is 1.7275 GB-seconds, and a request costs 20 cents a million."""
    duration, dollars = lambda_sizes.invocation(1769, 1.0)
    assert duration == 1.0
    assert dollars == pytest.approx(1e6 * (1769 / 1024 * 0.0000133334) + 0.20)


def test_a_function_around_the_clock():
    """30 days of a GB of arm64."""
    assert lambda_sizes.around_the_clock(1024) == pytest.approx(34.56, abs=0.01)


@pytest.mark.parametrize(("share", "enough"), [(0.09, 512), (0.1, 1024), (0.5, None)])
def test_the_smallest_size_within_the_bound_is_enough(share, enough):
    """The consumer's may use a third of its CPU at 4,000 updates/s."""
    measured = {"start": 0.2, "live_50": 0.01, "live_4000": share, "bulk": 8e-6, "peak_mb": 90}
    rows = [measure._consumer_row(size, measured) for size in lambda_sizes.SIZES_MB]
    assert next((row["memory_mb"] for row in rows if row["enough"]), None) == enough


def test_a_size_without_memory_to_spare_is_not_enough():
    """A function that fits barely is killed by the next larger fleet."""
    measured = {"start": 0.1, "batch": 0.001, "full": 0.1, "peak_mb": 65}
    assert not measure._alerts_row(128, measured)["enough"]
    assert measure._alerts_row(256, measured)["enough"]


def test_a_month_of_a_full_shard_counts_its_batches_and_its_windows():
    """43,200 windows of 30 batches and an end each; the requests are a share of a dollar."""
    measured = {"start": 0.1, "batch": 0.02, "closing": 3.0, "peak_mb": 80}
    gb_seconds = 43_200 * (30 * 0.02 + 3.0) * 1769 / 1024
    expected = gb_seconds * 0.0000133334 + 43_200 * 31 * 0.20e-6
    for size in (128, 1769):
        assert measure._aggregator_row(size, measured)["dollars_a_month"] == pytest.approx(expected)


def test_the_page_has_a_table_for_each_function():
    """Each size is a row, and the one that is enough is marked."""
    consumer = {"start": 0.2, "live_50": 0.01, "live_4000": 0.06, "bulk": 8e-6, "peak_mb": 90}
    aggregator = {"start": 0.1, "batch": 0.02, "closing": 3.0, "peak_mb": 80}
    alerts = {"start": 0.16, "batch": 0.005, "full": 0.2, "peak_mb": 45}
    lines = "\n".join(
        memory_sizes.section(
            {
                "measured": {"consumer": consumer, "aggregator": aggregator, "alerts": alerts},
                "tables": {
                    "consumer": [measure._consumer_row(size, consumer) for size in lambda_sizes.SIZES_MB],
                    "aggregator": [measure._aggregator_row(size, aggregator) for size in lambda_sizes.SIZES_MB],
                    "alerts": [measure._alerts_row(size, alerts) for size in lambda_sizes.SIZES_MB],
                },
                "enough": {"consumer": 512, "aggregator": 1024, "alerts": 256},
            }
        )
    )
    assert lines.count("| 128 MB |") == 3
    assert "| 512 MB (enough) | 0.69 s | 3.5% | 20.7% | 276.4% | 36,179 | $17.28 |" in lines
    assert "| 1024 MB (enough) | 0.17 s | 0.03 s | 5.18 s |" in lines
    assert "| 256 MB (enough) | 1.11 s |" in lines

"""What it costs: the pages show the tables that the command prints, and the command counts what AWS charges for."""

from __future__ import annotations

import pytest
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from benchmarks.cost import __main__ as cost
from benchmarks.cost import age, model, prices, tables, viewers
from benchmarks.cost.envelope_size import RecordSize
from consumer.publish.envelope_outbox import LINGER_SECONDS


@pytest.mark.parametrize(
    ("page", "table"),
    [
        ("README.md", tables.by_size),
        ("docs/decisions/record-format.md", tables.by_format),
        ("docs/decisions/batching-window.md", tables.by_batching_window),
        ("docs/decisions/page-access.md", tables.by_viewers),
    ],
)
def test_the_page_shows_the_table(repository, page, table):
    """Whoever changes a price, an assumption or the packing prints the table again."""
    assert "\n".join(table()) in (repository / page).read_text()


def test_a_stream_has_shards_for_its_tightest_bound():
    """Records, bytes written, and what three readers share: each can be the one."""
    assert model.shards_for(2_500, RecordSize(1, 100, 10)) == 3
    assert model.shards_for(100, RecordSize(1, 30_000, 10)) == 5  # 9 MB/s to read
    assert model.shards_for(1, RecordSize(1, 100, 10)) == 1


def test_a_record_is_charged_by_the_units_it_begins():
    """One byte over a PUT unit is two, and one over five kilobytes of Firehose is ten."""
    size = model.Size("any", 10, 10)
    exact, over = (model.monthly(size, RecordSize(10, length, 10)) for length in (25 * 1024, 25 * 1024 + 1))
    units = 10 / 10 * prices.SECONDS
    assert over["Kinesis, provisioned"] - exact["Kinesis, provisioned"] == pytest.approx(units * prices.PUT_UNIT)
    exact, over = (model.monthly(size, RecordSize(10, length, 10)) for length in (5_000, 5_001))
    archive = "raw archive (Firehose, S3)"
    assert over[archive] - exact[archive] == pytest.approx(units * 5_000 / prices.GB * prices.FIREHOSE_GB)


def test_an_envelope_holds_what_comes_until_it_has_to_go():
    """Little traffic sends small envelopes, much sends full ones."""
    assert model.enveloped(50).updates == 50 * LINGER_SECONDS
    assert model.enveloped(4_000).updates == model.enveloped(100_000).updates > 200


def test_the_command_line_says_what_it_prints(capsys):
    """Help is help, a misspelt option is refused, and each table is printed by its own."""
    with pytest.raises(SystemExit, match="0"):
        cost.main(["--help"])
    assert "--formats" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        cost.main(["--format=envelope"])
    assert "unrecognized arguments" in capsys.readouterr().err
    assert cost.main(["--viewers"]) == 0
    assert capsys.readouterr().out.splitlines() == tables.by_viewers()
    assert cost.main(["--formats"]) == 0
    assert capsys.readouterr().out.splitlines() == tables.by_format()
    assert cost.main([]) == 0
    assert capsys.readouterr().out.splitlines() == tables.by_size()


def test_the_world_in_envelopes_costs_at_most_200_dollars_a_month():
    """All in but for the optional table: the stack, its API, and a viewer of the page."""
    world = model.SIZES[-1]
    assert model.without_table(model.monthly(world, model.enveloped(world.updates))) <= 200


def test_a_small_stack_costs_at_most_25_dollars_a_month():
    """One airport, read periodically and watched by few alarms, with its API and without a page."""
    assert model.without_table(model.monthly(model.SMALL)) <= 25


def test_a_key_of_ones_own_costs_what_its_parameter_says(repository):
    """Requests alone: the key takes the place of the stack's own."""
    cents = f"{100 * model.key_requests():.0f}"
    assert cents == "52"
    said = yaml_parse((repository / "template.yaml").read_text())["Parameters"]["KmsKeyArn"]["Description"]
    assert "some 50 cents for requests" in said


def test_the_batching_window_keeps_positions_young():
    """95 % are drawn within 8 s of the provider's receiving them, in the slower format, and with room to spare."""
    assert age.drawn_within(model.BATCH_SECONDS, LINGER_SECONDS) < 7


def test_the_age_is_the_sum_of_waits():
    """Half of all positions wait half as long as they can, and nearly all no longer than that and the work."""
    waits = 0.8 + age.SHARD_READ_SECONDS + 3 + age.CACHE_SECONDS + age.POLL_SECONDS
    assert age.drawn_within(3, 0.8, 0.5) == pytest.approx(age.WORK_SECONDS + waits / 2, abs=0.1)
    assert age.drawn_within(3, 0.8, 0.999999) == pytest.approx(age.WORK_SECONDS + waits, abs=0.5)


def test_the_figures_are_the_templates(repository):
    """A window or a memory size that is changed there is calculated with here."""
    resources = yaml_parse((repository / "template.yaml").read_text())["Resources"]
    aggregator = resources["AggregatorFunction"]["Properties"]
    mapping = aggregator["Events"]["Updates"]["Properties"]
    assert mapping["MaximumBatchingWindowInSeconds"] == model.BATCH_SECONDS
    assert mapping["BatchSize"] == model.BATCH_RECORDS
    assert aggregator["MemorySize"] == 1_024 * model.AGGREGATOR_GB
    assert resources["ApiFunction"]["Properties"]["MemorySize"] == 1_024 * model.API_GB


def test_the_metrics_are_the_designs(repository):
    """What is counted as published in every hour is there under this name."""
    design = (repository / "docs/design.md").read_text()
    assert [name for names in model.STEADY_METRICS.values() for name in names if f"`{name}`" not in design] == []


def test_egress_is_cheaper_by_the_step():
    """The first 10 TB at one price, the next 40 at another."""
    assert prices.cloudfront_egress(1) == pytest.approx(0.085)
    assert prices.cloudfront_egress(12e3) == pytest.approx(10e3 * 0.085 + 2e3 * 0.080)


def test_what_many_viewers_ask_of_s3_is_bounded_by_the_caches():
    """Ten thousand viewers pay for their own bytes and requests, and S3 is asked as often as copies expire."""
    one, many = (viewers.monthly(count, batch_seconds=3) for count in (1, 1_000_000))
    assert many < 1_000_000 * one / 1.2

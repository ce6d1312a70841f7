"""What it costs: the pages show the tables that the command prints, and the command counts what AWS charges for."""

from __future__ import annotations

import re

import pytest
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from benchmarks.cost import __main__ as cost
from benchmarks.cost import age, model, options, prices, tables, viewers
from benchmarks.cost.envelope_size import RecordSize
from consumer.publish.envelope_outbox import LINGER_SECONDS


@pytest.mark.parametrize(
    ("page", "table"),
    [
        ("README.md", tables.by_size),
        ("docs/decisions/record-format.md", tables.by_format),
        ("docs/decisions/batching-window.md", tables.by_batching_window),
        ("docs/decisions/page-access.md", tables.by_viewers),
        ("docs/parameters.md", tables.by_option),
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
    """All in but for what is optional, the table and flights: the stack, its API, and a viewer of the page."""
    world = model.SIZES[-1]
    assert model.without_options(model.monthly(world, model.enveloped(world.updates))) <= 200


def test_a_small_stack_costs_at_most_25_dollars_a_month():
    """One airport, read periodically and watched by few alarms, with its API and without a page."""
    assert model.without_options(model.monthly(model.SMALL)) <= 25


WORLD, AIRPORT = model.SIZES[-1], model.SIZES[0]
IN_WORDS = {
    "RetentionHours": [
        f"{100 * prices.KEPT_SHARD_HOUR:.0f} cents a shard and hour",
        f"on demand {100 * prices.ON_DEMAND_KEPT_GB:.0f} cents a GB",
        f"beyond 7 days {100 * prices.KEPT_LONG_GB:.1f} cents a GB",
    ],
    "StreamMode": [
        f"${options.on_demand(WORLD, model.SINGLE):,.0f} a month",
        f"{model.shards_for(WORLD.updates, model.SINGLE)} shards cost ",
        f"cost ${model.monthly(WORLD)['Kinesis, provisioned']:.0f}",
    ],
    "AlertsFanOut": [
        f"{100 * prices.FAN_OUT_SHARD_HOUR:.1f} cents a shard and hour",
        f"(${prices.FAN_OUT_SHARD_HOUR * prices.HOURS:.0f} a month)",
        f"{100 * prices.FAN_OUT_GB:.1f} cents a GB",
        f"on demand {100 * prices.ON_DEMAND_FAN_OUT_GB:.0f} cents a GB",
    ],
    "AlertEmail": [f"{100_000 * prices.MAIL:.0f} cents a thousand"],
    "AlertWebhook": [
        f"{100 * options.webhook(0):.0f} cents a month",
        f"${options.webhook(1e6) - options.webhook(0):.2f} a million alerts",
    ],
    "AlertWebhookSecretArn": [f"{100 * prices.SECRET:.0f} cents a month"],
    "QueryLimitGigabytes": ["10 gigabytes cost 5 cents"],
    "LogLevel": [
        f"some {options.DEBUG_BYTES_DAY / 1e6:.0f} MB a day",
        f"{100 * options.DEBUG_BYTES_DAY / prices.GB * prices.LOG_GB:.0f} cents, for the consumer and for each shard",
    ],
    "Watching": [f"${model.watching(is_lean=False) - model.watching(is_lean=True):.2f} a month"],
    "Tracing": [
        f"${1e6 * prices.TRACE:.0f} a million traces",
        f"${options.traced(WORLD, model.SINGLE):.0f} a month, in envelopes to ",
        f"one airport to ${options.traced(AIRPORT, model.SINGLE):.0f}",
    ],
    "LambdaInsightsLayerArn": [
        f"${options.FUNCTIONS * prices.INSIGHTS_METRICS * prices.METRIC:.0f} a month for all",
        f"{1e6 * 100 * prices.INSIGHTS_LOG_BYTES / prices.GB * prices.LOG_GB:.0f} cents a million invocations",
    ],
    "KmsKeyArn": [
        f"${prices.KMS_KEY:.0f} a month",
        f"some {round(100 * model.key_requests(), -1):.0f} cents for requests",
    ],
    "SubnetIds": [
        f"${prices.HOURS * (prices.NAT_HOUR + prices.PUBLIC_ADDRESS_HOUR):.0f} a month and",
        f"{100 * prices.NAT_GB:.1f} cents a GB",
        f"${prices.HOURS * prices.ENDPOINT_HOUR:.2f} a zone and month",
    ],
    **{name: ["nothing"] for name in options.FREE},
}
"""What a parameter's description has to say of its cost."""


@pytest.fixture(scope="module")
def parameters(repository):
    """The template's parameters."""
    return yaml_parse((repository / "template.yaml").read_text())["Parameters"]


@pytest.mark.parametrize("name", IN_WORDS)
def test_a_parameter_says_what_it_costs(parameters, name):
    """By the same prices as the tables."""
    said = parameters[name]["Description"]
    assert [words for words in IN_WORDS[name] if words not in said] == []


def test_tracing_says_what_it_costs_in_envelopes(parameters):
    """How many updates are in one is measured, and so not before this test."""
    packed = options.traced(WORLD, model.enveloped(WORLD.updates))
    assert f"a month, in envelopes to ${packed:.0f}" in parameters["Tracing"]["Description"]


def test_every_option_is_in_words_as_well():
    """Each one of the table has a description that says so, and each that people ask for and that costs nothing."""
    named = {re.match(r"`(\w+)", option.setting)[1] for option in options.OPTIONS}
    assert named | set(options.FREE) <= IN_WORDS.keys()


def test_snapstart_costs_what_its_decision_says(repository):
    """A version of 256 MB, kept for a month."""
    page = (repository / "docs/decisions/aws-currency.md").read_text()
    assert f"${prices.SNAPSTART_GB_SECOND:.10f}" in page
    assert f"${prices.SNAPSTART_RESTORED_GB:.10f}" in page
    assert f"some ${prices.SECONDS * 0.25 * prices.SNAPSTART_GB_SECOND:.0f} a month" in page


def test_what_was_not_read_is_a_price():
    """The list of prices that nobody could look up names such that are there."""
    assert all(isinstance(getattr(prices, name), float) for name in prices.NOT_READ)


def test_fan_out_and_retention_are_charged_by_the_shard_and_by_the_byte():
    """Twice the shards, and twice the bytes."""
    size = model.Size("any", 1_000, 3_000)
    one, two = (options.fanned_out(size, model.SINGLE, shards) for shards in (1, 2))
    assert two - one == pytest.approx(prices.HOURS * prices.FAN_OUT_SHARD_HOUR)
    assert options.kept(size, model.SINGLE, 24, 3) == 0
    week = options.kept(size, model.SINGLE, 168, 3)
    assert week == pytest.approx(3 * prices.HOURS * prices.KEPT_SHARD_HOUR)
    assert options.kept(size, model.SINGLE, 720, 3) - week == pytest.approx(
        1_000 * model.UPDATE_BYTES * 552 * 3600 / prices.GB * prices.KEPT_LONG_GB
    )


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

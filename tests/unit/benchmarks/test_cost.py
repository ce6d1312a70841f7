"""What it costs: the pages show the tables that the command prints, and the command counts what AWS charges for."""

from __future__ import annotations

import pytest

from benchmarks.cost import __main__ as cost
from benchmarks.cost.envelope_size import RecordSize
from consumer.publish.envelope_outbox import LINGER_SECONDS


@pytest.mark.parametrize(
    ("page", "table"), [("README.md", cost.by_size), ("docs/decisions/record-format.md", cost.by_format)]
)
def test_the_page_shows_the_table(repository, page, table):
    """Whoever changes a price, an assumption or the packing prints the table anew."""
    assert "\n".join(table()) in (repository / page).read_text()


def test_a_stream_has_shards_for_its_tightest_bound():
    """Records, bytes written, and what three readers share: each can be the one."""
    assert cost.shards_for(2_500, RecordSize(1, 100, 10)) == 3
    assert cost.shards_for(100, RecordSize(1, 30_000, 10)) == 5  # 9 MB/s to read
    assert cost.shards_for(1, RecordSize(1, 100, 10)) == 1


def test_a_record_is_charged_by_the_units_it_begins():
    """One byte over a PUT unit is two, and one over five kilobytes of Firehose is ten."""
    size = cost.Size("any", 10, 10)
    exact, over = (cost.monthly(size, RecordSize(10, length, 10)) for length in (25 * 1024, 25 * 1024 + 1))
    units = 10 / 10 * cost.SECONDS
    assert over["Kinesis, provisioned"] - exact["Kinesis, provisioned"] == pytest.approx(units * cost.PUT_UNIT)
    exact, over = (cost.monthly(size, RecordSize(10, length, 10)) for length in (5_000, 5_001))
    archive = "raw archive (Firehose, S3)"
    assert over[archive] - exact[archive] == pytest.approx(units * 5_000 / cost.GB * cost.FIREHOSE_GB)


def test_an_envelope_holds_what_comes_until_it_has_to_go():
    """Little traffic sends small envelopes, much sends full ones."""
    assert cost.enveloped(50).updates == 50 * LINGER_SECONDS
    assert cost.enveloped(4_000).updates == cost.enveloped(100_000).updates > 200


def test_the_command_line_says_what_it_prints(capsys):
    """Help is help, a misspelt option is refused, and each table is printed by its own."""
    with pytest.raises(SystemExit, match="0"):
        cost.main(["--help"])
    assert "--formats" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        cost.main(["--format=envelope"])
    assert "unrecognized arguments" in capsys.readouterr().err
    assert cost.main(["--formats"]) == 0
    assert capsys.readouterr().out.splitlines() == cost.by_format()
    assert cost.main([]) == 0
    assert capsys.readouterr().out.splitlines() == cost.by_size()

"""What commands print holds nothing a terminal acts on."""

from __future__ import annotations

from ops.output import complain


def test_a_complaint_keeps_its_lines_and_nothing_a_terminal_acts_on(capsys):
    """Escape sequences, carriage returns and halves of surrogate pairs come in with what AWS answered."""
    complain("shard-1: \x1b[2Jno\rtrace \ud83d\nwhat to do")
    assert capsys.readouterr().err == "ops: shard-1: ?[2Jno\ntrace ?\nwhat to do\n"

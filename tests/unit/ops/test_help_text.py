"""Help fits into a terminal of 80 columns, and its commands can be copied."""

from __future__ import annotations

import pytest

from ops.command_line import main
from ops.help_text import fitted

COMMANDS = ("status", "tail", "redrive", "drain", "doctor", "plan", "explain-filter")


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_is_80_columns_wide(capsys, monkeypatch, command):
    """Only a command that is longer by itself goes beyond; each has examples and says its exit codes."""
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit, match="0"):
        main([*([command] if command else []), "--help"])
    said = capsys.readouterr().out
    assert [line for line in said.splitlines() if len(line) > 80 and "pipenv run" not in line] == []
    assert "\nexamples:\n  pipenv run ops" in said
    assert command is None or "\nexit code: 0" in said


def test_a_command_stays_whole_and_what_it_does_goes_below():
    """Where both do not fit into a line; a paragraph is filled, a blank line stays."""
    text = "examples:\n  run this --now      that it be done\n  run\n\nOne\ntwo three four five.\nexit code: 0 always."
    assert fitted(text, 22) == [
        "examples:",
        "  run this --now",
        "      that it be done",
        "  run",
        "",
        "One two three four",
        "five.",
        "exit code: 0 always.",
    ]
    assert fitted(text, 80)[1] == "  run this --now      that it be done"

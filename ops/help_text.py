"""The epilog of a command's help: examples and notes, as wide as the terminal."""

from __future__ import annotations

import argparse
import re
import textwrap

_EXAMPLE = re.compile(r"  (\S.*?)(?: {2,}(\S.*))?")


class HelpFormatter(argparse.HelpFormatter):
    """Fills paragraphs to the terminal's width, and leaves commands in one piece, to be copied.

    A line that begins with two blanks is a command; what stands behind it, after two more, says what it does, and goes
    on its own line where both do not fit into one. A line with a colon at its end stays alone.
    """

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(f"{indent}{line}".rstrip() for line in fitted(text, width - len(indent)))


def fitted(text: str, width: int) -> list[str]:
    """Return the lines of a text, `width` characters at most but for commands."""
    lines: list[str] = []
    prose: list[str] = []

    def end_paragraph() -> None:
        lines.extend(textwrap.wrap(" ".join(prose), width, break_long_words=False, break_on_hyphens=False))
        prose.clear()

    for line in text.splitlines():
        if line.startswith("exit code:"):
            end_paragraph()
        example = _EXAMPLE.fullmatch(line)
        if example is None and line and not line.endswith(":"):
            prose.append(line)
            continue
        end_paragraph()
        if example is None or len(line) <= width:
            lines.append(line)
            continue
        command, said = example.groups()
        lines.append(f"  {command}")
        lines += textwrap.wrap(said or "", width, initial_indent="      ", subsequent_indent="      ")
    end_paragraph()
    return lines

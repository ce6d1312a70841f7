"""Words: the field's own, in code, texts and pages; what we once said instead does not come back."""

from __future__ import annotations

import re
import subprocess

import pytest

NOT_OURS = {
    r"\banew\b": "again",
    r"\bbefall": "applies to",
    r"\bAs of `": "See `",
    r"\bpoke": "notify",
    r"\bbyte planes\b": "byte shuffle",
    r"\bput aside\b": "rejected, rotated",
    r"\btold of\b|\b(?:is|are|was|were|be|been) told\b": "sent, reported, notified",
    r"\btest_\w*_told(?:_|\b)": "sent, reported, notified",
    r"\bunless told\b": "by default",
    r"\bpassed over\b": "skipped, ignored",
    r"\bas good as\b": "treated as, counts as",
    r"\bso to speak\b": "nothing",
    r"\bat hand\b": "current",
    r"\bone's own\b": "your own",
    r"\bmade good\b|\bputs? it right\b": "repaired, corrected",
    r"\bupon which\b|\bbefalls\b|\bwhence\b": "and, applies to, from where",
    r"\bcomes? to nothing\b": "fails, has no effect",
}
"""By the pattern: what to write instead."""


@pytest.fixture(scope="module")
def texts(repository):
    """Every tracked file that people read, by name."""
    kinds = ("*.py", "*.md", "*.js", "*.html", "*.yaml", "*.yml", "*.toml", "*.sql", "Makefile", "Pipfile")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *kinds], cwd=repository, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    names = {name for name in listed.stdout.split("\0") if name and not name.endswith("test_words.py")}
    return {name: (repository / name).read_text(encoding="utf-8") for name in names if (repository / name).is_file()}


@pytest.mark.parametrize("pattern", NOT_OURS)
def test_a_word_that_nobody_in_the_field_uses_is_not_used(texts, pattern):
    """A reader who has to guess what is meant trusts the rest less."""
    assert len(texts) > 500
    found = re.compile(pattern, re.IGNORECASE)
    lines = {
        f"{name}:{number}: {line.strip()}"
        for name, text in texts.items()
        if found.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if found.search(line)
    }
    assert lines == set(), f"write {NOT_OURS[pattern]}"

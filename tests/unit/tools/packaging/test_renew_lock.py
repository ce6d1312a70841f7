"""The lock: no index's address is in it, and nothing else of it is changed."""

from __future__ import annotations

import json

from tools.packaging.renew_lock import without_sources


def test_addresses_go_and_nothing_else(repository):
    """A mirror that only one machine reaches does not get into everybody's lock."""
    text = (repository / "Pipfile.lock").read_text(encoding="utf-8")
    content = json.loads(text)
    content["_meta"]["sources"] = [{"name": "mirror", "url": "https://mirror.example", "verify_ssl": True}]
    assert without_sources(json.dumps(content, indent=4, sort_keys=True)) == text


def test_the_lock_names_no_index(repository):
    """What is in the repository was written by the command."""
    assert json.loads((repository / "Pipfile.lock").read_text(encoding="utf-8"))["_meta"]["sources"] == []

"""The operator's own processor: found by its name, believed only as far as what it returns can be published."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from common.environment import ConfigurationError
from consumer.errors import UpdateProcessorError
from consumer.ingestion import own_processor
from consumer.stream.messages import StreamUpdate

NOW = datetime(2024, 3, 4, 23, 24, tzinfo=UTC)


@pytest.fixture
def updates():
    """Three updates, of which the second is on the ground."""
    grounded = ("false", "true", "false")
    return [
        StreamUpdate(f"{n:06X}", NOW, None, data=b'{"on_ground":%b}' % text.encode()) for n, text in enumerate(grounded)
    ]


def test_no_name_is_no_processor():
    """And nothing that would be called."""
    assert own_processor.load("") is None


def test_the_documented_example_does_what_it_says(repository, tmp_path, monkeypatch, updates):
    """The page's own module, named as the page names it: what is on the ground is left out."""
    [text] = re.findall(
        r"```python\n(# src/consumer/airborne.*?)```", (repository / "docs/processor.md").read_text(), re.DOTALL
    )
    (tmp_path / "airborne.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    process = own_processor.load("airborne:process")
    assert own_processor.choose(process, updates) == [updates[0], updates[2]]


@pytest.mark.parametrize("name", ["consumer.absent:process", "consumer.errors:absent"])
def test_what_is_not_there_is_a_wrong_setting(name):
    """Found at the beginning of a run, with the setting's name."""
    with pytest.raises(ConfigurationError, match=r"UPDATE_PROCESSOR: .*module:function"):
        own_processor.load(name)


def test_its_error_is_one_that_says_what_became_of_the_updates(updates):
    """Which error, of how many updates, and what to do."""

    def fail(_updates):
        raise ZeroDivisionError

    with pytest.raises(UpdateProcessorError, match=r"failed on 3 updates: ZeroDivisionError.*reads them again"):
        own_processor.choose(fail, updates)


@pytest.mark.parametrize("characters", [5_000, 300_000])
def test_of_what_its_error_says_the_beginning_is_shown(updates, characters):
    """Programs like to quote what they could not read: an update of a megabyte, or an escape sequence."""

    def fail(_updates):
        raise ValueError("\x1b[31m" + "u" * characters)

    with pytest.raises(UpdateProcessorError, match=r"ValueError: \S+…; none of them") as raised:
        own_processor.choose(fail, updates)
    assert len(str(raised.value)) < 1000
    assert str(raised.value).isprintable()


def test_of_an_import_that_fails_the_beginning_is_shown(tmp_path, monkeypatch):
    """A module may raise whatever it likes."""
    (tmp_path / "failing_processor.py").write_text("raise ValueError('\\x1b[31m' + 'u' * 5_000)")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError, match="ValueError: ") as raised:
        own_processor.load("failing_processor:process")
    assert len(str(raised.value)) < 1000
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    "processor",
    [
        lambda updates: updates[::-1],
        lambda updates: [updates[0], updates[0]],
        lambda updates: [StreamUpdate("ABCDEF", NOW), *updates],
    ],
    ids=["another order", "one twice", "one of its own"],
)
def test_what_it_was_not_given_is_not_published(processor, updates):
    """Order and identity are what duplicates and hand-over rely on."""
    with pytest.raises(UpdateProcessorError, match="in their order"):
        own_processor.choose(processor, updates)

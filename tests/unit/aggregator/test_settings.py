"""The aggregator's environment."""

from __future__ import annotations

import pytest

from aggregator.settings import Settings
from common.environment import ConfigurationError

REQUIRED = {"WINDOW_ROWS_STREAM_NAME": "rows", "AIRCRAFT_TABLE_NAME": "aircraft"}


def test_what_is_optional_has_a_value_without_it():
    """The table of latest states is written unless it is switched off; without a bucket there are no live objects."""
    settings = Settings.from_environment(REQUIRED)
    assert (settings.latest_states, settings.data_bucket) == (True, None)
    settings = Settings.from_environment(REQUIRED | {"LATEST_STATE_TABLE": "off", "DATA_BUCKET": " b "})
    assert (settings.latest_states, settings.data_bucket) == (False, "b")


@pytest.mark.parametrize("name", REQUIRED)
def test_what_is_missing_is_named(name):
    """A wrong template is found by the first invocation's error."""
    with pytest.raises(ConfigurationError, match=name):
        Settings.from_environment({other: value for other, value in REQUIRED.items() if other != name})

"""The settings: what the environment must hold, and what is said when it does not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts.settings import Settings
from common.environment import ConfigurationError

COMPLETE = {
    "SUPPRESSION_TABLE_NAME": "suppression",
    "ALERTS_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:alerts",
    "DATA_BUCKET": "data",
}


def test_suppression_is_a_quarter_of_an_hour_by_default():
    """Without SUPPRESSION_SECONDS, one alert silences the next for 15 minutes."""
    assert Settings.from_environment(COMPLETE).suppression == timedelta(minutes=15)


def test_suppression_can_be_set():
    """SUPPRESSION_SECONDS is taken as it is written."""
    assert Settings.from_environment(COMPLETE | {"SUPPRESSION_SECONDS": "60"}).suppression == timedelta(minutes=1)


@pytest.mark.parametrize("value", ["0", "-1", "86401", "soon", "nan"])
def test_a_suppression_that_cannot_work_is_refused_by_name(value):
    """A wrong SUPPRESSION_SECONDS is named, with what it holds and what it takes."""
    with pytest.raises(ConfigurationError, match=rf"SUPPRESSION_SECONDS: got '{value}'; expected .* from 1 to 86400"):
        Settings.from_environment(COMPLETE | {"SUPPRESSION_SECONDS": value})


@pytest.mark.parametrize("name", COMPLETE)
def test_a_missing_resource_is_named(name):
    """A variable that is not set is named before anything is called."""
    with pytest.raises(ConfigurationError, match=f"{name}: not set"):
        Settings.from_environment({key: value for key, value in COMPLETE.items() if key != name})

"""The consumer's waits: a deployment's figures unless shortened, and never made longer."""

from __future__ import annotations

import pytest

from common.environment import ConfigurationError
from consumer.settings import Settings
from consumer.timing import Timing


def test_a_deployment_has_the_documented_figures():
    """Without variables the lease is 45 s, renewed every 15 s; silence ends after 45 s, standing still after 120 s."""
    assert Timing.from_environment({}) == Timing() == Timing(lease=45, renewal=15, silence=45, stale=120)


def test_each_wait_can_be_shortened():
    """The fault harness runs hours in seconds: each variable must reach its wait."""
    read = Timing.from_environment({"LEASE_SECONDS": "1.5", "SILENCE_SECONDS": "0.4", "STALE_SECONDS": "0.9"})
    assert read == Timing(lease=1.5, renewal=0.5, silence=0.4, stale=0.9)


@pytest.mark.parametrize("name", ["LEASE_SECONDS", "SILENCE_SECONDS", "STALE_SECONDS"])
@pytest.mark.parametrize("value", ["0", "-1", "121", "nan", "inf", "soon"])
def test_a_wait_out_of_range_is_refused(name, value):
    """A longer wait than a deployment's, or none at all, would take a promise away: the error names the variable."""
    with pytest.raises(ConfigurationError, match=f"{name}: got"):
        Timing.from_environment({name: value})


def test_standing_still_is_given_more_time_than_silence():
    """A connection without progress must not be given up sooner than one on which nothing comes at all."""
    with pytest.raises(ConfigurationError, match="STALE_SECONDS: got 1; expected at least SILENCE_SECONDS"):
        Timing.from_environment({"SILENCE_SECONDS": "2", "STALE_SECONDS": "1"})


def test_the_settings_hold_the_waits():
    """The consumer reads its waits together with everything else, before it opens anything."""
    environ = {"API_TOKEN_SECRET_ARN": "arn", "STATE_BUCKET": "state", "DATA_BUCKET": "data"}
    environ |= {"UPDATES_STREAM_NAME": "updates"}
    assert Settings.from_environment(environ).timing == Timing()
    assert Settings.from_environment(environ | {"LEASE_SECONDS": "3"}).timing.lease == 3


def test_the_template_shortens_nothing(repository):
    """The variables are for the local stack alone: a deployment that set one by mistake would lose its lease early."""
    template = (repository / "template.yaml").read_text()
    assert not [name for name in ("LEASE_SECONDS", "SILENCE_SECONDS", "STALE_SECONDS") if name in template]

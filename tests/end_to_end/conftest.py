"""One authorised run in each record format for all tests that look at one: it takes as long as all of them together."""

from __future__ import annotations

import pytest

from tests.support.authorised_run import AuthorisedRun

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.fixture(scope="session")
def authorised_run(repository):
    """The whole system ran once, each call authorised; the stack is still up."""
    with AuthorisedRun(repository) as run:
        yield run


@pytest.fixture(scope="session")
def authorised_envelope_run(repository):
    """The same, its updates in envelopes, everything under your own key that the roles have to be let use."""
    with AuthorisedRun(repository, "envelope", KEY) as run:
        yield run

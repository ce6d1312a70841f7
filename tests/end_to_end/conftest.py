"""One authorised run for all tests that look at one: it takes as long as all of them together."""

from __future__ import annotations

import pytest

from tests.support.authorised_run import AuthorisedRun


@pytest.fixture(scope="session")
def authorised_run(repository):
    """The whole system ran once, each call authorised; the stack is still up."""
    with AuthorisedRun(repository) as run:
        yield run

"""The airports that all tests of flights use."""

from __future__ import annotations

import pytest

from flights.airports import Airports


@pytest.fixture(scope="session")
def airports():
    """The table that is shipped."""
    return Airports.shipped()

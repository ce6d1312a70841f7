"""The rig that fault schedules run over, once for a module: real runtimes, local AWS, proxy."""

from __future__ import annotations

import pytest

from local.faults.pool import free_port
from local.faults.rig import Rig


@pytest.fixture(scope="module")
def rig():
    """A rig; a cold start each would cost more than all that is tried on it."""
    made = Rig(free_port())
    yield made
    made.close()

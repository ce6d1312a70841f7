"""Functions made of a few lines, run as the stack's functions are."""

from __future__ import annotations

import os

import pytest

from local.runtime.function import Function
from local.stack import FunctionSettings


@pytest.fixture
def function(tmp_path):
    """Makes a function of a handler's source text; all of them end with the test."""
    made = []

    def make(source, *, timeout=10, reserved=None, handler="throwaway.handler", environment=None):
        (tmp_path / "throwaway.py").write_text(source)
        settings = FunctionSettings(
            "Throwaway", "throwaway", "arn:throwaway", "arn:role", handler, timeout, 256, environment or {}, reserved
        )
        one = Function(settings, tmp_path, "http://127.0.0.1:9", os.environ["PATH"])
        made.append(one)
        return one

    yield make
    for one in made:
        one.stop()

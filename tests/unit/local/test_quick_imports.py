"""Quick imports: what is never used is not imported, and garbage is looked for as before."""

from __future__ import annotations

import gc
import importlib
import sys
from unittest import mock

import pytest

from local.quick_imports import quick_imports


@pytest.mark.parametrize("name", ["awscrt", "OpenSSL"])
def test_what_is_never_used_is_not_imported(name):
    """To whoever tries it is not installed, as in Lambda, then and afterwards."""
    with mock.patch.dict(sys.modules):
        sys.modules.pop(name, None)
        with quick_imports():
            pass
        with pytest.raises(ImportError):
            importlib.import_module(name)


def test_garbage_is_not_looked_for_meanwhile():
    """That would be for each thousand objects, all of which stay."""
    with quick_imports():
        assert not gc.isenabled()


def test_what_has_been_imported_stays():
    """Nobody loses a package that is in use."""
    with mock.patch.dict(sys.modules, {"awscrt": sys}):
        with quick_imports():
            pass
        assert importlib.import_module("awscrt") is sys


@pytest.mark.parametrize("was_on", [True, False])
def test_garbage_is_looked_for_again_as_before(was_on):
    """Also after an import that failed; who had switched it off finds it off."""
    before = gc.isenabled()
    (gc.enable if was_on else gc.disable)()
    try:
        with pytest.raises(ImportError), quick_imports():
            importlib.import_module("no_such_module")
        assert gc.isenabled() == was_on
    finally:
        (gc.enable if before else gc.disable)()

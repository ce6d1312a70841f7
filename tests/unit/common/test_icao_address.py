"""One aircraft has one key, however its address is written."""

from __future__ import annotations

import pytest

from common.icao_address import normalized


@pytest.mark.parametrize("written", ["78121E", "78121e", " 78121E ", "\t78121e\r\n"])
def test_every_spelling_is_one_address(written):
    """Case and blanks around an address do not make another aircraft of it."""
    assert normalized(written) == "78121E"


def test_a_blank_address_is_empty():
    """Blanks alone name no aircraft."""
    assert not normalized(" \t ")

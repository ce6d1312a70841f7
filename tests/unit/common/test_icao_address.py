"""One aircraft's address, however it is written."""

from __future__ import annotations

import pytest

from common.icao_address import normalized


@pytest.mark.parametrize("address", ["78121E", "78121e", " 78121E ", "\t78121e\n"])
def test_one_aircraft_has_one_key(address):
    """Its updates go into one shard and one row."""
    assert normalized(address) == "78121E"


def test_a_blank_address_is_none_that_a_key_could_hold():
    """Kinesis takes no empty partition key."""
    assert normalized(" \t ") == ""

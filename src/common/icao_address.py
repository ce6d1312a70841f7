"""Normalizes ICAO addresses, so that every spelling of an address gives the same key."""

from __future__ import annotations


def normalized(address: str) -> str:
    """Return the address as keys hold it: in upper case, without blanks around it; empty if it is blank.

    Feeds write one aircraft as `78121E`, `78121e` or ` 78121E `.
    """
    return address.strip().upper()

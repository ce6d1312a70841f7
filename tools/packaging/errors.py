"""Errors of packaging, written for people."""

from __future__ import annotations


class PackagingError(Exception):
    """A function cannot be packaged: the message names what, what was expected and what to do."""

"""The error that ends the command."""

from __future__ import annotations


class ReprocessError(Exception):
    """It cannot begin, or cannot go on; the message says why, and what to do."""

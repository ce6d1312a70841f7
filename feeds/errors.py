"""The error that ends a feeds command; its text is a sentence for the person who ran it."""

from __future__ import annotations


class FeedError(Exception):
    """Updates cannot be sent or served; the text says what happened, to what, and what to do."""

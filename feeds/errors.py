"""What ends a command of this room: one error, whose text is a sentence for the person who called it."""

from __future__ import annotations


class FeedError(Exception):
    """Updates cannot be sent or served; the text says what happened, to what, and what to do."""

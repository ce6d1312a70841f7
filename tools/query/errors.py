"""Errors in a query."""


class QueryError(Exception):
    """The question cannot be answered; the message says why, and what to do."""

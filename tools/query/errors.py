"""What can be wrong with a question."""


class QueryError(Exception):
    """The question cannot be answered; the message says why, and what to do."""

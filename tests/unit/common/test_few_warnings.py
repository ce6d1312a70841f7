"""A batch of bad records does not fill the log."""

from __future__ import annotations

from common.few_warnings import AT_MOST, FewWarnings


class Log:
    """Keeps what is logged."""

    def __init__(self):
        self.lines = []

    def warning(self, message, *, extra):
        self.lines.append((message, extra))


def test_some_are_logged_and_the_rest_is_counted():
    """The last line says how many are missing; the next invocation begins from nothing."""
    log = Log()
    warnings = FewWarnings(log)
    for _ in range(2):
        log.lines.clear()
        for number in range(AT_MOST + 2_000):
            warnings.warning("skipped", extra={"number": number})
        warnings.close()
        *first, last = log.lines
        assert first == [("skipped", {"number": number}) for number in range(AT_MOST)]
        assert last[1] == {"left_out": 2_000}


def test_nothing_is_said_where_nothing_is_left_out():
    """As many as are logged are no more than that."""
    log = Log()
    warnings = FewWarnings(log)
    for number in range(AT_MOST):
        warnings.warning("skipped", extra={"number": number})
    warnings.close()
    assert len(log.lines) == AT_MOST

"""Another try is made for the errors that are named, and no more often than asked."""

from __future__ import annotations

import pytest

from common.retries import again


@pytest.fixture
def failing():
    """A call that raises the errors given, one a call, then answers with how often it was called."""

    def make(*errors):
        waiting, calls = list(errors), []

        def call():
            calls.append(1)
            if waiting:
                raise waiting.pop(0)
            return len(calls)

        return call

    return make


def test_what_works_is_called_once(failing):
    """No try more than it takes."""
    assert again(failing(), (OSError,), 3) == 1


def test_the_last_try_may_work(failing):
    """As many as asked are made."""
    assert again(failing(OSError(), OSError()), (OSError,), 3) == 3


def test_the_last_error_is_raised(failing):
    """Whoever called knows how it ended."""
    with pytest.raises(OSError, match="third"):
        again(failing(OSError("first"), OSError("second"), OSError("third")), (OSError,), 3)


def test_another_error_is_raised_at_once(failing):
    """What no other try mends is not tried."""
    call = failing(ValueError("another"))
    with pytest.raises(ValueError, match="another"):
        again(call, (OSError, KeyError), 3)
    assert call() == 2

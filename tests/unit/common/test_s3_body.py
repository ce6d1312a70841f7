"""A body that is cut short is an error, however much of it is asked for."""

from __future__ import annotations

import io

import pytest
from botocore.exceptions import BotoCoreError

from common import s3_body


@pytest.mark.parametrize(("announced", "most"), [(10, 10), (10, 64), (100, 10), (0, 10)])
def test_as_much_is_returned_as_is_there_and_asked_for(announced, most):
    """The bound, or the whole body."""
    answer = {"Body": io.BytesIO(b"x" * announced), "ContentLength": announced}
    assert len(s3_body.read(answer, most)) == min(announced, most)


@pytest.mark.parametrize("came", [0, 4, 9])
def test_a_body_that_ends_early_is_an_error(came):
    """Taken for the whole it would be damage, or no list at all, and be kept or written over for that."""
    answer = {"Body": io.BytesIO(b"x" * came), "ContentLength": 10}
    with pytest.raises(BotoCoreError, match="10"):
        s3_body.read(answer, 64)

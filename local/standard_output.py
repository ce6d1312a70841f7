"""Standard output that may go away in the middle of a run: a full disk, or a reader that has seen enough."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO


class SurvivingOutput:
    """Passes on what is written until that fails; from then on all is dropped, and `lost` says why.

    Who writes is in the middle of work that has to come to its proper end, whether or not somebody looks.
    """

    def __init__(self, stream: TextIO) -> None:
        self.lost: OSError | None = None
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or drop."""
        if self.lost is None:
            try:
                return self._stream.write(text)
            except OSError as error:
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Have it written now."""
        if self.lost is None:
            try:
                self._stream.flush()
            except OSError as error:
                self._lose(error)

    def _lose(self, error: OSError) -> None:
        self.lost = error
        # What is still in the buffers is written at the interpreter's end: to nowhere, rather than with an error.
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def surviving() -> Iterator[SurvivingOutput]:
    """Let standard output be one that survives; flushed at the end, so that its loss is known by then."""
    before = sys.stdout
    output = SurvivingOutput(before)
    sys.stdout = output
    try:
        yield output
    finally:
        output.flush()
        sys.stdout = before

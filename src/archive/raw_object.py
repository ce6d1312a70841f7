"""Reads a raw object: gzip of Kinesis records one after another, single updates and envelopes alike.

Firehose does not say which shard a record came from, so an envelope that a reshard put elsewhere is not recognised
here. It need not be: its updates were sent again, and have the same keys.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from isal import isal_zlib

from common import envelope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

LONGEST_LINE: Final = 16 * 1024 * 1024
"""A Kinesis record has at most 10 MiB."""

INFLATED: Final = 256 * 1024
"""Inflated at a time: it is taken apart while it is still in the processor's cache."""

_ENVELOPE_WITHIN: Final = b"\n" + envelope.PREFIX


class DamagedObjectError(Exception):
    """The object is not whole gzip, or no lines: what comes before the damage was given out."""


class _UnreadableError(Exception):
    """Gzip that cannot be inflated any further; the text says where, and why."""


def blocks(chunks: Callable[[], Iterable[bytes]], rejected: Callable[[bytes, str], None]) -> Iterator[bytes]:
    """Yield an object's updates, many lines at a time, each with its line end; `rejected` gets damaged envelopes.

    `chunks` opens the object, as it is stored; a damaged one is opened twice.

    Raises
    ------
    DamagedObjectError
        After everything that could be read; the text says what is wrong, and where.
    common.envelope.UnknownVersionError
        An envelope is of a later version.
    """
    rest = b""
    try:
        for text in _inflated(chunks):
            whole, line_end, begun = text.rpartition(b"\n")
            if line_end:
                yield from _opened(rest + whole + b"\n", rejected)
                rest = begun
            else:
                rest += text
                _check_length(rest)
    except DamagedObjectError as error:
        raise DamagedObjectError(f"{error}; of the line it ends in there are {len(rest):,} bytes") from None
    if rest.strip():
        yield from _opened(rest + b"\n", rejected)


def _check_length(line: bytes) -> None:
    if len(line) > LONGEST_LINE:
        raise DamagedObjectError(f"a line of more than {LONGEST_LINE:,} bytes; what comes after it was not read")


def _opened(lines: bytes, rejected: Callable[[bytes, str], None]) -> Iterator[bytes]:
    """Yield lines with the envelopes among them opened."""
    if not lines.startswith(envelope.PREFIX) and _ENVELOPE_WITHIN not in lines:
        yield lines
        return
    singles: list[bytes] = []
    for line in lines.splitlines(keepends=True):
        if not envelope.is_envelope(line):
            singles.append(line)
            continue
        try:
            yield envelope.lines(line, None)[0]
        except envelope.BrokenEnvelopeError as error:
            rejected(line, str(error))
    if singles:
        yield b"".join(singles)


def _inflated(chunks: Callable[[], Iterable[bytes]]) -> Iterator[bytes]:
    """Yield what gzip members inflate to, a bounded piece at a time, and up to the damage where there is some."""
    given = 0
    try:
        for text in _inflated_fast(chunks()):
            given += len(text)
            yield text
    except _UnreadableError as error:
        if rest := b"".join(_inflated_slowly(chunks(), given)):
            yield rest
        raise DamagedObjectError(str(error)) from None


def _inflated_fast(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what members inflate to; what the step that fails had inflated before the damage is not among it."""
    inflater, begun, read = isal_zlib.decompressobj(31), False, 0
    for chunk in chunks:
        data = chunk
        while data:
            if inflater.eof:
                inflater, begun = isal_zlib.decompressobj(31), False
            try:
                text = inflater.decompress(data, INFLATED)
            except isal_zlib.error as error:  # type: ignore[misc]  # its stub calls the class an instance
                raise _UnreadableError(
                    f"damaged gzip within bytes {read:,} to {read + len(chunk):,} ({error})"
                ) from None
            begun = True
            data = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            if text:
                yield text
        read += len(chunk)
    if not read:
        raise DamagedObjectError("an empty object; expected gzip")
    if begun and not inflater.eof:
        raise DamagedObjectError(f"gzip that ends too early, after {read:,} bytes")


def _inflated_slowly(chunks: Iterable[bytes], given: int) -> Iterator[bytes]:
    """Yield what members inflate to behind so many bytes, until it fails: some 256 KB of it at the most.

    From there on the object is inflated byte by byte, so that nothing is lost but what the damaged byte says.
    """
    inflater = zlib.decompressobj(31)
    try:
        for chunk in chunks:
            data = chunk
            while data:
                if inflater.eof:
                    inflater = zlib.decompressobj(31)
                if given:
                    text = inflater.decompress(data, min(given, INFLATED))
                    given -= len(text)
                    data = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
                else:
                    yield inflater.decompress(data[:1])
                    data = inflater.unused_data + data[1:]
    except zlib.error:
        return

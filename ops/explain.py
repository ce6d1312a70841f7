"""`ops explain-filter`: whether records match a filter pattern and, where one does not, which part of it failed."""

from __future__ import annotations

import codecs
import gzip
import json
import zlib
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from common import envelope, event_pattern
from local.event_source_mapping.filter import MISSING, PatternError, RecordFilter, decoded, is_shallow, leaf
from local.simulator.options import count
from ops.errors import OpsError
from ops.failures import MOST_RECORD_BYTES
from ops.output import say, say_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

EXAMPLES = """\
examples:
  pipenv run ops explain-filter '{"data":{"squawk":["7700"]}}' updates.ndjson
  pipenv run ops explain-filter @pattern.json raw.ndjson.gz --limit 20

FILE holds a record a line: an update, the provider's {"target": ...}, or an envelope; gzip is inflated. Of an envelope
its header is what Lambda's filter is asked, and so is here; its updates are asked one by one after it.
exit code: 0 if a record matches, 1 if none does, 2 if the pattern or the file cannot be read."""

_LONGEST = 10 * MOST_RECORD_BYTES
"""Bytes of a line: a record, with what the provider puts around an update; Kinesis' larger records, too."""

_NOTHING = 1
_SHOWN = 60


def read_pattern(text: str) -> str:
    """Return the pattern that an option names: itself, or the content of the file behind an @.

    Raises
    ------
    OpsError
        AWS would refuse it, or the file cannot be read.
    """
    try:
        pattern = Path(text[1:]).read_text(encoding="utf-8").strip() if text.startswith("@") else text
        RecordFilter([pattern])
    except OSError as error:
        raise OpsError(f"{text[1:]}: cannot be read: {error.strerror}; expected a file that holds a pattern") from error
    except (PatternError, UnicodeDecodeError) as error:
        raise OpsError(f'{error}. Expected what EventBridge takes, e.g. {{"data":{{"squawk":["7700"]}}}}') from error
    return pattern


class Explainer:
    """Says of records why they do not match a pattern, one that `read_pattern` has taken."""

    def __init__(self, pattern: str) -> None:
        self._filter = RecordFilter([pattern])
        self._pattern, _ = event_pattern.read(pattern)

    def reasons(self, data: bytes) -> list[str]:
        """Return the parts of the pattern that a record's bytes do not match; none where it matches."""
        if self._filter(data):
            return []
        try:
            event = {"data": decoded(data)}
        except ValueError as error:
            return [f"the record is not JSON ({error}): a filter drops it"]
        except RecursionError:
            event = None
        if event is None or not is_shallow(event):
            return ["the record is nested deeper than a filter looks"]
        return list(_failures("", self._pattern, event))


def _failures(place: str, pattern: dict[str, Any], value: Any) -> Iterator[str]:
    """Yield what fails of an object of a pattern: of an array of objects, what fails of its nearest element."""
    if isinstance(value, list) and value:
        tried = [list(_failures(place, pattern, element)) for element in value]
        yield from min(tried, key=len)
        return
    fields = value if isinstance(value, dict) else {}
    for name, wanted in pattern.items():
        if name == "$or":
            tried = [list(_failures(place, one, value)) for one in wanted]
            if all(tried):
                yield f"{place or 'the record'}: none of {len(wanted)} alternatives: " + "; or ".join(
                    " and ".join(one) for one in tried
                )
            continue
        inner = f"{place}.{name}" if place else name
        if isinstance(wanted, dict):
            yield from _failures(inner, wanted, fields.get(name, MISSING))
        elif not leaf(wanted)(fields.get(name, MISSING)):
            yield f"{inner} is {_shown(fields.get(name, MISSING))}; expected {_expected(wanted)}"


def _shown(value: Any) -> str:
    if value is MISSING:
        return "absent"
    text = json.dumps(value, default=lambda _: "a number beyond every double")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _expected(alternatives: list[Any]) -> str:
    return " or ".join(_in_words(one) for one in alternatives)


def _in_words(alternative: Any) -> str:
    if not isinstance(alternative, dict):
        return json.dumps(alternative)
    ((operator, operand),) = alternative.items()
    match operator, operand:
        case "exists", True:
            return "any value"
        case "exists", False:
            return "no value"
        case "numeric", [*pairs]:
            return "a number " + " and ".join(f"{pairs[i]} {pairs[i + 1]}" for i in range(0, len(pairs), 2))
    return f"{operator} {json.dumps(operand)}"


def records(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each record of a file with what it is called in messages; envelopes are followed by their updates.

    Raises
    ------
    OpsError
        The file cannot be read.
    """
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(_LONGEST + 1), b""), start=1):
                if len(line) > _LONGEST:
                    raise OpsError(
                        f"{path}: line {number} has more than {_LONGEST:,} bytes, which no record holds; expected a "
                        "record a line"
                    )
                if record := line.removeprefix(codecs.BOM_UTF8).strip():
                    yield from _of_line(f"line {number}", record)
    except (OSError, EOFError, zlib.error) as error:
        raise OpsError(f"{path}: cannot be read: {error}; expected a record a line, plain or gzip") from error


def _of_line(name: str, line: bytes) -> Iterator[tuple[str, bytes]]:
    if not envelope.is_envelope(line):
        yield name, _unwrapped(line)
        return
    yield f"{name} (envelope)", line
    try:
        text, _ = envelope.lines(line, str(msgspec.json.decode(line)["shard"]))
    except (envelope.UnknownVersionError, ValueError, KeyError, RecursionError):
        return
    for number, update in enumerate(text.split(b"\n")[:-1], start=1):
        yield f"{name}, update {number}", update


def _unwrapped(line: bytes) -> bytes:
    """Return the update in a line of the provider's stream; any other line as it is."""
    try:
        content = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except (ValueError, RecursionError):
        return line
    return bytes(content["target"]) if list(content) == ["target"] else line


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("pattern", metavar="PATTERN", help="an EventBridge pattern, or @FILE that holds one")
    parser.add_argument("file", metavar="FILE", type=Path, help="records, one a line")
    parser.add_argument("--limit", type=count, metavar="N", help="look at the first N records alone")
    parser.add_argument("--only", choices=("matching", "failing"), help="show these alone")


def run(options: argparse.Namespace) -> int:
    """Explain each record; return 0 if one matches, 1 if none does."""
    explainer = Explainer(read_pattern(options.pattern))
    matching = looked_at = 0
    for name, data in islice(records(options.file), options.limit):
        failed = explainer.reasons(data)
        looked_at += 1
        matching += not failed
        if options.only == ("failing" if not failed else "matching"):
            continue
        if options.json:
            say_json({"record": name, "matches": not failed, "failed": failed})
        else:
            say(f"{name}: matches" if not failed else f"{name}: does not match: {'; '.join(failed)}")
    if not options.json:
        say(f"{matching} of {looked_at} records match")
    return 0 if matching else _NOTHING

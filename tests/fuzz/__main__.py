"""Fuzz one target for as long as wanted, guided by coverage: `python -m tests.fuzz TARGET [--seconds N] [CORPUS]`.

For a long run by hand; the suite fuzzes the same targets for seconds (`test_*.py`). A crash is written to a file in
the working directory, and `python -m tests.fuzz TARGET FILE` runs that one input again. What is said after the target
goes to libFuzzer as it is (`-max_len=65536`, `-rss_limit_mb=1024`, a folder for the corpus). The run starts from a few
real inputs, since the decoders are compiled, and tell of no branches.
"""

from __future__ import annotations

import base64
import gzip
import json
import sys
import tempfile
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "src"))

LIMITS = ("-rss_limit_mb=1024", "-timeout=10", "-max_len=16384", "-print_final_stats=1")
"""Memory in MB and seconds for one input, beyond which libFuzzer reports it as a failure."""


def main(arguments: list[str]) -> int:
    """Run libFuzzer on the target named first; it ends the process itself."""
    try:
        import atheris  # type: ignore[import-untyped]
    except ImportError:
        print(  # noqa: T201 - a command's answer
            "atheris is not installed: it is for long runs by hand, and not in the lock. Install it with\n"
            "    pipenv run pip install atheris",
            file=sys.stderr,
        )
        return 2
    with atheris.instrument_imports(include=["aggregator", "alerts", "common", "consumer", "local", "tests.fuzz"]):
        from tests.fuzz import targets
    entries = _entries(targets)
    if not arguments or arguments[0] not in entries:
        print(f"usage: python -m tests.fuzz TARGET [--seconds N] [libFuzzer's options]\ntargets: {', '.join(entries)}")  # noqa: T201
        return 2
    name, *options = arguments
    if options[:1] == ["--seconds"]:
        options = [f"-max_total_time={int(options[1])}", *options[2:]]
    _quieten()
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(_seeds(targets)[name]):
            Path(folder, str(number)).write_bytes(seed)
        if not any(Path(option).is_file() for option in options):  # a folder would be taken for another input
            options.append(folder)
        atheris.Setup([sys.argv[0], *LIMITS, *options], entries[name])
        atheris.Fuzz()
    return 0


def _entries(targets):
    """Each target as a function of bytes alone."""

    def split(data, run):
        head, _, tail = data.partition(b"\n")
        return run(head.decode(errors="replace"), tail)

    def from_json(data, run):
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            return
        run(document)

    def stream(data, *, is_chunked):
        targets.stream_body(data[2:], list(data[:2]), is_chunked=is_chunked)

    def state(document):
        if isinstance(document, dict):
            targets.window_state(document)

    return {
        "framing": partial(stream, is_chunked=True),
        "body": partial(stream, is_chunked=False),
        "message": targets.message,
        "update": targets.update,
        "state": partial(from_json, run=state),
        "packed_state": targets.packed_state,
        "aggregator": partial(from_json, run=targets.aggregator_event),
        "aggregator_record": lambda data: targets.aggregator_event(targets.event_of(data)),
        "alerts": partial(from_json, run=targets.alerts_event),
        "alerts_record": lambda data: targets.alerts_event(targets.event_of(data)),
        "consumer": partial(from_json, run=targets.consumer_event),
        "filter": partial(split, run=targets.record_filter),
        "simulator": partial(
            split, run=lambda head, tail: targets.simulator_request(head, tail.decode(errors="replace"))
        ),
    }


def _seeds(targets):
    """A few real inputs of each target."""
    events = Path(__file__).resolve().parent.parent.parent / "events"
    updates = [
        b'{"icao_address":"040172","timestamp":"2024-03-04T23:23:59Z","latitude":36.696758,"longitude":19.5334}',
        b'{"icao_address":"78121E","timestamp":"2024-03-04T23:24:05Z","vertical_rate":-9000,"squawk":"7700"}',
    ]
    lines = [b'{"target":' + update + b"}" for update in updates] + [
        b'{"position_token":"opaque"}',
        b'{"status":{"timestamp":"2024-03-04T23:24:02Z","level":"INFO","message":"welcome","code":100}}',
    ]
    body = b"".join(line + b"\n" for line in lines)
    bodies = [body, gzip.compress(body), gzip.compress(body[:99]) + gzip.compress(body[99:])]
    state = targets.aggregator_event(targets.event_of(b"\n".join(updates))).state
    patterns = (
        b'{"data":{"squawk":["7500","7700"]}}\n{"squawk":"7700"}',
        b'{"data":{"$or":[{"a":[{"numeric":["<",-6000]}]},{"b":[{"exists":false}]}]}}\n{"a":-7000,"b":[1]}',
        b'{"data":{"a":[{"wildcard":"x*y*z"},{"anything-but":{"prefix":["q"]}}]}}\n{"a":"xyyz"}',
    )
    return {
        "framing": [b"\x20\x40" + b"%x\r\n%b\r\n0\r\n\r\n" % (len(one), one) for one in bodies],
        "body": [b"\x20\x40" + one for one in bodies],
        "message": lines,
        "update": updates,
        "state": [json.dumps(state).encode()],
        "packed_state": [base64.b64decode(state["z"])],
        "aggregator": [(events / "aggregator.json").read_bytes()],
        "aggregator_record": [b"\n".join(updates)],
        "alerts": [(events / "alerts.json").read_bytes()],
        "alerts_record": [b"\n".join(updates)],
        "consumer": [b'{"detail":{"run_seconds":20}}'],
        "filter": patterns,
        "simulator": [b"start=2024-03-04T12:00:00Z&end=2024-03-04T13:00:00Z&latitude_between=1,2\nWzEsMiwiYSJd"],
    }


def _quieten() -> None:
    """Let the functions' log say nothing: millions of lines would be all that is seen."""
    from common.observability import logger

    logger.setLevel("CRITICAL")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

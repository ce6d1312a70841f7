"""Attacks the functions from outside: `pipenv run adversary --attacks 500 --seed 1`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from dataclasses import asdict
from pprint import pformat
from typing import TYPE_CHECKING

from tests.adversary.attacks import KINDS, drawn
from tests.adversary.campaign import campaign, harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.adversary.campaign import Result


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"got {value}; expected 1 or more")
    return value


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pipenv run adversary", description=__doc__)
    parser.add_argument(
        "--attacks", type=_positive, default=100, help="how many; each takes the next seed (default: 100)"
    )
    parser.add_argument("--seed", type=int, default=1, help="the first attack's seed (default: 1)")
    parser.add_argument("--workers", type=_positive, default=2, help="attacks at the same time (default: 2)")
    parser.add_argument(
        "--kind", choices=sorted(KINDS), metavar="KIND", help="attacks of one kind alone; --list names them"
    )
    parser.add_argument("--report", type=argparse.FileType("w", encoding="utf-8"), help="a JSON file of every result")
    parser.add_argument(
        "--verbose", action="store_true", help="show the functions' log of attacks that break something"
    )
    parser.add_argument("--list", action="store_true", help="name the kinds and what each tries to break, and end")
    parser.add_argument("--show", action="store_true", help="print what the attacks would do, and end")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the attacks; return 0 only if every promise held in each."""
    asked = _arguments(arguments)
    seeds = range(asked.seed, asked.seed + asked.attacks)
    if asked.list:
        for name, each in sorted(KINDS.items()):
            _say(f"{name:28} {each.promise}")
        return 0
    if asked.show:
        for seed in seeds:
            _say(pformat(drawn(seed, time.time(), asked.kind), width=120))
        return 0
    results: list[Result] = []
    began = time.monotonic()
    for result in campaign([(seed, asked.kind) for seed in seeds], asked.workers):
        results.append(result)
        state = "held" if result.held else "BROKEN"
        _say(
            f"[{len(results):4}/{asked.attacks}] seed {result.seed:5} {result.kind:28} {state} {result.seconds:5.1f} s"
        )
        if not result.held:
            _say(result.report())
            if asked.verbose:
                _say(harmless(result.log, keep="\n"))
    _close(results, time.monotonic() - began)
    if asked.report:
        json.dump([asdict(result) for result in results], asked.report, indent=1)
    return int(any(not result.held for result in results))


def _close(results: list[Result], seconds: float) -> None:
    tried, failed = (
        Counter(result.kind for result in results),
        Counter(result.kind for result in results if not result.held),
    )
    _say("")
    for name, count in sorted(tried.items()):
        _say(f"{name:28} {count:4} tried {failed[name]:4} broken")
    _say(f"{len(results)} attacks, {sum(failed.values())} broke something, in {seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())

"""`ops plan`: settings for a load, and what settings do under one."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.cost.model import UPDATE_BYTES
from ops import duration, metrics, template
from ops.duration import shown
from ops.errors import OpsError
from ops.output import say, say_json
from ops.plan import check
from ops.plan.choice import Plan, Wishes, plan
from ops.plan.load import Load, of_recording, of_stack
from ops.plan.simulation import Function, Mapping
from ops.plan.variants import Variant, variants
from ops.stack import find

if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLES = """\
examples:
  pipenv run ops plan --rate 4000 --aircraft 12000               settings for the whole world, and what they cost
  pipenv run ops plan --recording updates.ndjson.gz --latency 6s
  pipenv run ops plan --stack aircraft-stream --hours 24         from the busiest minute of the last day

What do 100 shards, ParallelizationFactor 1, BatchSize 100 do under 100,000 records a second, and what should change?
  pipenv run ops plan --rate 100000 --shards 100 --batch-size 100 --invocation 60ms --record 0.6ms

With --batch-size it simulates an event source mapping as given, and each change of it beside it. The simulation is the
local stack's own pollers without waiting; docs/plan.md says how close to running ones it is.
Is a template, or a stack as it is deployed, what would be planned, and what AWS takes (docs/limits.md)?
  pipenv run ops plan --check template.yaml                      AWS's limits alone
  pipenv run ops plan --check template.yaml --rate 4000 --aircraft 12000
  pipenv run ops plan --check --stack aircraft-stream            its own load, of the last day

exit code: 0; 1 if the settings as given fall behind, AWS would refuse the template, or it is not as planned; 2 if it
cannot be done."""

_MOST = 100_000_000
"""Beyond any stream of this kind: ten thousand shards take a tenth of it."""

_MOST_HOURS = 24 * metrics.DAYS_KEPT

_STACK = Path()
"""What `--check` checks without a FILE."""


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= _MOST:
        raise argparse.ArgumentTypeError(f"got {text[:40]!r}; expected a number above 0, {_MOST:,} at most")
    return value


def _whole(low: int, high: int) -> Any:
    def parse(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"got {text!r}; expected a whole number from {low} to {high}")
        return int(text)

    return parse


def _hours(text: str) -> float:
    hours = _positive(text)
    if hours > _MOST_HOURS:
        raise argparse.ArgumentTypeError(
            f"got {text[:40]!r}; expected {_MOST_HOURS} at most: CloudWatch keeps the figures of minutes no longer"
        )
    return hours


def _milliseconds(text: str) -> float:
    return _positive(text.removesuffix("ms")) / 1_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    load = parser.add_argument_group("the load: one of")
    load.add_argument("--rate", type=_positive, metavar="N", help="updates a second (with --batch-size: records)")
    load.add_argument("--recording", type=Path, metavar="FILE", help="as measured from a recording")
    load.add_argument("--stack", metavar="NAME", help="as a deployed stack's metrics say")
    load.add_argument("--aircraft", type=_whole(1, 1_000_000), metavar="N", help="heard of within a minute (3 a rate)")
    load.add_argument("--update-bytes", type=_positive, default=float(UPDATE_BYTES), metavar="N", help="default 750")
    load.add_argument(
        "--matching",
        type=_positive,
        metavar="PERCENT",
        help="of updates that the alerts' filter lets through (default 0.1, or as --stack says)",
    )
    load.add_argument("--hours", type=_hours, default=24.0, metavar="N", help="with --stack: how far back (24)")
    parser.add_argument("--region", help="with --stack; default: as the shell or the profile says")
    parser.add_argument("--profile", help="with --stack; profile of ~/.aws/config")
    parser.add_argument(
        "--latency", type=duration.seconds, default=8.0, metavar="SPAN", help="95 %% are drawn within (default 8s)"
    )
    parser.add_argument(
        "--alerts-within",
        type=duration.seconds,
        default=5.0,
        metavar="SPAN",
        help="95 %% of alerts are sent within, since Kinesis has their update (default 5s)",
    )
    parser.add_argument("--window", type=_whole(1, 900), default=60, metavar="SECONDS", help="tumbling (default 60)")
    parser.add_argument(
        "--outage",
        type=duration.seconds,
        default=6 * 3600.0,
        metavar="SPAN",
        help="how long a stream function may fail before records are given up (default 6h)",
    )
    given = parser.add_argument_group("a mapping as it is")
    given.add_argument("--batch-size", type=_whole(1, 10_000), metavar="N", help="simulate it, and what would help")
    given.add_argument("--batching-window", type=_whole(0, 300), default=0, metavar="SECONDS", help="default 0")
    given.add_argument("--parallelization", type=_whole(1, 10), default=1, metavar="N", help="default 1")
    given.add_argument("--tumbling-window", type=_whole(0, 900), default=0, metavar="SECONDS", help="default none")
    given.add_argument("--shards", type=_whole(1, 10_000), default=1, metavar="N", help="default 1")
    given.add_argument(
        "--readers", type=_whole(1, 20), default=1, metavar="N", help="of the shards, in all (default 1)"
    )
    given.add_argument("--memory", type=_whole(128, 10_240), default=256, metavar="MB", help="default 256")
    given.add_argument("--invocation", type=_milliseconds, default=0.05, metavar="MS", help="of itself (default 50ms)")
    given.add_argument("--record", type=_milliseconds, default=0.0005, metavar="MS", help="each record (default 0.5ms)")
    parser.add_argument(
        "--check",
        type=Path,
        nargs="?",
        const=_STACK,
        metavar="FILE",
        help="hold a template, without FILE the stack, against AWS's limits and, with a load, against the plan",
    )
    parser.set_defaults(local=None)


def run(options: argparse.Namespace) -> int:
    """Plan, or simulate, as the command line says."""
    if options.check is not None:
        return _check(options)
    load = _load(options)
    if options.batch_size is None:
        wishes = _wishes(options)
        made = plan(load, wishes)
        say_json({"load": asdict(load), **asdict(made)}) if options.json else _show(load, made, wishes)
        return 0
    mapping = Mapping(
        batch_size=options.batch_size,
        batching_window=options.batching_window,
        parallelization=1 if options.tumbling_window else options.parallelization,
        tumbling_window=options.tumbling_window,
    )
    found = variants(
        mapping,
        Function(invocation=options.invocation, record=options.record),
        rate=load.rate,
        shards=options.shards,
        record_bytes=round(load.update_bytes),
        readers=options.readers,
        memory_mb=options.memory,
    )
    if options.json:
        say_json([_as_json(one) for one in found])
    else:
        _compare(found, load.rate / options.shards)
    return 0 if found[0].keeps_up else 1


def _check(options: argparse.Namespace) -> int:
    """Check a template or a stack, against the plan too where a load is known."""
    is_file = options.check != _STACK
    if not is_file and options.stack is None:
        raise OpsError("--check: what of? Give the FILE of a template, or --stack NAME")
    name = f"{options.check}, with its parameters' defaults" if is_file else f"stack {options.stack}"
    given = template.of_file(options.check) if is_file else template.read(find(options))
    has_load = any(one is not None for one in (options.rate, options.recording, options.stack))
    load = _load(options, checked=not is_file) if has_load else None
    return check.report(name, given, load, plan(load, _wishes(options)).settings if load else {}, as_json=options.json)


def _load(options: argparse.Namespace, *, checked: bool = False) -> Load:
    """Return the load that the options name; `checked` says that `--stack` names what is checked, too."""
    named = (options.rate, options.recording, None if checked else options.stack)
    if sum(one is not None for one in named) > 1 or not (checked or any(one is not None for one in named)):
        raise OpsError("which load? Give one of --rate N, --recording FILE, --stack NAME")
    if options.recording is not None:
        load = of_recording(options.recording)
    elif options.rate is not None:
        load = Load(options.rate, options.update_bytes, options.aircraft or round(3 * options.rate) or 1, "given")
    else:
        load = of_stack(find(options), options.hours)
    return load if options.matching is None else replace(load, matching=min(1.0, options.matching / 100))


def _wishes(options: argparse.Namespace) -> Wishes:
    return Wishes(
        latency=options.latency,
        alerts_within=options.alerts_within,
        window=options.window,
        outage=options.outage,
    )


def _show(load: Load, made: Plan, wishes: Wishes) -> None:
    say(load.text())
    say()
    for name, value in made.settings.items():
        say(f"  {name:<44} {value}")
    say()
    for what, figure in (
        ("iterator age of the aggregator, 95 %", f"{shown(made.iterator_age)}, simulated"),
        (
            "95 % of alerts are sent within",
            f"{made.alerts_within:.1f} s, simulated; asked for: {wishes.alerts_within:g} s",
        ),
        ("of what a shard gives, its readers take", f"{100 * made.reading_share:.0f} %"),
        ("95 % of positions are drawn within", f"{made.freshness:.1f} s; asked for: {wishes.latency:g} s"),
        ("state of a window, a shard", f"{made.state_bytes:,} bytes of 950,000"),
    ):
        say(f"  {what:<44} {figure}")
    for note in made.notes:
        say(f"  note: {note}")
    say()
    for name, dollars in sorted(made.dollars.items(), key=lambda one: -one[1]):
        say(f"  {dollars:>10,.2f} $/month  {name}")
    say(f"  {sum(made.dollars.values()):>10,.2f} $/month  all, at list prices of us-east-1")


def _compare(found: Sequence[Variant], arriving: float) -> None:
    say(f"{arriving:,.0f} records/s come to each shard")
    say(f"{'':<36}{'a shard takes':>14}{'iterator age':>22}{'concurrent':>12}{'$/month':>12}")
    for one in found:
        age = shown(one.outcome.high) if one.keeps_up else f"grows by {_growth(one):.0f} s/min"
        say(f"{one.name:<36}{one.capacity:>12,.0f}/s{age:>22}{one.concurrency:>12,.0f}{one.dollars:>12,.0f}")
    cured = [one for one in found if one.keeps_up]
    if found[0].keeps_up:
        say("the settings as given keep up")
    elif cured:
        best = min(cured, key=lambda one: (round(one.dollars), one.outcome.high))
        say(f"cheapest change that keeps up: {best.name}")
    else:
        say("no single change keeps up: combine them, beginning with the one that takes most")


def _growth(one: Variant) -> float:
    """Return by how many seconds a minute the iterator age grows where more comes than is taken."""
    return 60 * (1 - one.capacity / (one.outcome.arrived / one.outcome.seconds))


def _as_json(one: Variant) -> dict[str, Any]:
    return {
        "settings": one.name,
        "capacity_per_shard": one.capacity,
        "keeps_up": one.keeps_up,
        "iterator_age": {"mean": one.outcome.mean, "p95": one.outcome.high, "max": one.outcome.most},
        "concurrent": one.concurrency,
        "dollars_a_month": one.dollars,
    }

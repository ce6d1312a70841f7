"""What the stack costs a month, as tables in Markdown; `model` calculates it."""

from __future__ import annotations

from itertools import batched

from benchmarks.cost import age, viewers
from benchmarks.cost.model import (
    BATCH_SECONDS,
    BY_FORMAT,
    PAGE,
    SINGLE,
    SIZES,
    SMALL,
    TWENTY_FIVE_WORLDS,
    enveloped,
    monthly,
    reprocessed,
    shards_for,
    without_options,
)
from benchmarks.cost.options import OPTIONS
from consumer.publish.envelope_outbox import LINGER_SECONDS
from consumer.publish.single_outbox import LINGER_SECONDS as SINGLE_LINGER_SECONDS


def by_batching_window() -> list[str]:
    """Return what the aggregator's batching window changes at the size of the world in envelopes, as Markdown."""
    world = SIZES[-1]
    record = enveloped(world.updates)
    rows = [
        "| window | aggregator, $ | live snapshots, $ | one viewer, $ | all, $ | 95 % drawn, single | envelopes |",
        "|---|" + "---:|" * 6,
    ]
    for seconds in (1, 2, 3, 4, 5):
        costs = monthly(world, record, seconds)
        dollars = (costs["aggregator"], costs["live snapshots (S3)"], costs[PAGE], without_options(costs))
        ages = (age.drawn_within(seconds, linger) for linger in (SINGLE_LINGER_SECONDS, LINGER_SECONDS))
        cells = [f"{one:,.2f}" for one in dollars] + [f"{one:.1f} s" for one in ages]
        rows.append(f"| {seconds} s | {' | '.join(cells)} |")
    return rows


def by_viewers() -> list[str]:
    """Return what viewers cost who are always there, by how many there are and what they look at, as Markdown."""
    counts = (1, 100, 10_000)
    columns = " | ".join(f"{count:,}" for count in counts)
    rows = [f"| US dollars a month, by viewers | {columns} | each: requests a second | bytes a second |"]
    rows.append("|---|" + "---:|" * (len(counts) + 2))
    for name, view in viewers.VIEWS.items():
        dollars = " | ".join(f"{viewers.monthly(count, view, batch_seconds=BATCH_SECONDS):,.0f}" for count in counts)
        taken = view.taken(BATCH_SECONDS)
        rows.append(f"| {name} | {dollars} | {taken.requests:.1f} | {taken.bytes:,.0f} |")
    return rows


def by_reprocessing() -> list[str]:
    """Return what `reprocess --stack` costs for a month at each size, as Markdown."""
    columns = [reprocessed(size) for size in SIZES]
    rows = [f"| US dollars for a month again | {' | '.join(f'{size.name}, {size.updates:g}/s' for size in SIZES)} |"]
    rows.append("|---|" + "---:|" * len(SIZES))
    return rows + [f"| {item} | {' | '.join(f'{one[item]:,.2f}' for one in columns)} |" for item in columns[0]]


def by_option() -> list[str]:
    """Return what parameters add that are off by default, at each size, the world in both formats, as Markdown."""
    world = SIZES[-1]
    columns = [(SMALL, SINGLE), *((size, SINGLE) for size in SIZES), (world, enveloped(world.updates))]
    names = [f"{size.name}, {size.updates:g}/s" for size, _ in columns[:-1]]
    rows = [f"| US dollars a month more | {' | '.join(names)} | the same in envelopes | for |"]
    rows.append("|---|" + "---:|" * len(columns) + "---|")
    for option in OPTIONS:
        dollars = " | ".join(f"{option.dollars(*column):,.2f}" for column in columns)
        rows.append(f"| {option.setting} | {dollars} | {option.assumed} |")
    return rows


def by_size() -> list[str]:
    """Return the table of all items at each size, one update a record, and the sum with envelopes, as Markdown."""
    sizes = (SMALL, *SIZES)
    columns = [monthly(size) for size in sizes]
    rows = [f"| US dollars a month | {' | '.join(f'{size.name}, {size.updates:g}/s' for size in sizes)} |"]
    rows.append("|---|" + "---:|" * len(sizes))
    rows += [f"| {item} | {' | '.join(f'{column[item]:,.2f}' for column in columns)} |" for item in columns[0]]
    in_envelopes = [monthly(size, enveloped(size.updates)) for size in sizes]
    for name, sums in (("", columns), (" with `RecordFormat=envelope`", in_envelopes)):
        rows += [
            f"| **all{name}{table}** | {' | '.join(f'**{one:,.0f}**' for one in dollars)} |"
            for table, dollars in (
                ("", [sum(column.values()) for column in sums]),
                (
                    f"{' and' if name else ' with'} `LatestStateTable=off` and `FlightsInParts=off`",
                    [without_options(column) for column in sums],
                ),
            )
        ]
    return rows


def by_format() -> list[str]:
    """Return the table of what the record format changes, as Markdown."""
    sizes = (*SIZES[1:], TWENTY_FIVE_WORLDS)
    columns = [(size, record) for size in sizes for record in (SINGLE, enveloped(size.updates))]
    costs = [monthly(size, record) for size, record in columns]
    saved = [
        sum(single[item] - packed[item] for item in BY_FORMAT) for single, packed in batched(costs, 2, strict=True)
    ]
    rows = ["| | " + " | ".join(f"{size.updates:,}/s single | envelope" for size in sizes) + " |"]
    rows.append("|---|" + "---:|" * len(columns))
    facts = {
        "updates a record": [f"{record.updates:,.0f}" for _, record in columns],
        "bytes an update, in the stream": [f"{record.bytes_per_update:,.0f}" for _, record in columns],
        "shards": [f"{shards_for(size.updates, record):,}" for size, record in columns],
        **{f"{item}, $": [f"{cost[item]:,.2f}" for cost in costs] for item in BY_FORMAT},
        "**these four, $**": [f"**{sum(cost[item] for item in BY_FORMAT):,.0f}**" for cost in costs],
    }
    rows += [f"| {name} | {' | '.join(values)} |" for name, values in facts.items()]
    rows.append("| **saved, $** | " + " | ".join(f"| **{one:,.0f}**" for one in saved) + " |")
    return rows

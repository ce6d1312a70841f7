"""What stays in memory until a run ends, and how fast that grows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from local.audit.envelope import ENVELOPE, SINGLE

if TYPE_CHECKING:
    from local.run_options import RunOptions

BYTES_AN_UPDATE: Final = {SINGLE: 7_000, ENVELOPE: 5_000}
"""By record format, of this process and the local AWS together, when the ledger is made at the end: see
`docs/decisions/local-stack.md`. Until then it is two thirds of that, in envelopes half."""

_MILLION, _GIGA = 1e6, 1e9


def note(options: RunOptions) -> str | None:
    """Return a sentence for whoever starts a run that only they will end; None where it ends by itself."""
    if options.duration is not None or not options.source.endless:
        return None
    size, rate = BYTES_AN_UPDATE[options.record_format], options.source.rate
    if rate is None:
        grows = f"some {size * _MILLION / _GIGA:.1f} GB for each million updates"
    else:
        megabytes = size * rate * 60 / _MILLION
        grows = f"some {megabytes:,.0f} MB a minute" if megabytes >= 1 else "less than 1 MB a minute"
    return f"Until the run ends, all that is sent stays in memory for the closing table: {grows}."

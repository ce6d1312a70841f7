"""Command-line options for sending to Kinesis, and the closing line."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from common.observability import logger
from feeds.kinesis import Kinesis
from feeds.kinesis_sender import FORMATS, KinesisSender

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

_ONLY_SENT = ("record_format", "region", "endpoint")
DRAIN_SECONDS = 30.0
"""Without an acknowledgement for so long, what is left is given up."""


def add_kinesis_options(parser: argparse._ArgumentGroup) -> None:
    """Add `--to-kinesis`, `--record-format`, `--region` and `--endpoint`."""
    parser.add_argument("--to-kinesis", metavar="STREAM", help="send to this stream: a stack's UpdatesStreamName")
    parser.add_argument(
        "--record-format",
        choices=FORMATS,
        default=FORMATS[0],
        help="an update a record, or many in an envelope, as the stack's RecordFormat (default single)",
    )
    parser.add_argument("--region", metavar="NAME", help="AWS region (default: by AWS_REGION or the profile)")
    parser.add_argument("--endpoint", metavar="URL", help="Kinesis endpoint (default: AWS's, or AWS_ENDPOINT_URL)")


def refuse_others(parser: argparse.ArgumentParser, options: argparse.Namespace, *, only_served: Sequence[str]) -> None:
    """End the program if an option is given that is not for what was asked for, to send or to serve."""
    does, without = ("served", _ONLY_SENT) if options.to_kinesis is None else ("sent", only_served)
    for name in without:
        if getattr(options, name) != parser.get_default(name):
            parser.error(f"--{name.replace('_', '-')} is not for updates that are {does}")


def sender(options: argparse.Namespace) -> KinesisSender:
    """Return what sends as the options ask for, once the stream is known to be there.

    Raises
    ------
    FeedError
        There is no region, no stream, no access.
    """
    # The publisher's log is for a function's. What a person needs of it is in the progress and the summary.
    logger.setLevel(logging.CRITICAL)
    kinesis = Kinesis(options.to_kinesis, region=options.region, endpoint=options.endpoint)
    kinesis.check(lists_shards=options.record_format == "envelope")
    return KinesisSender(kinesis, options.to_kinesis, options.record_format)


def summary(sent: KinesisSender, stream: str, seconds: float) -> str:
    """Return what became of what was sent, in one sentence and perhaps a second one."""
    rate = sent.acknowledged / seconds if seconds else 0.0
    text = (
        f"{stream}: {sent.sent:,} updates sent, {sent.acknowledged:,} acknowledged; {sent.retries:,} retries, "
        f"{sent.throttled:,} throttled; {rate:,.1f} a second in {seconds:,.1f} s."
    )
    if sent.throttled:
        text += (
            "\nKinesis throttles: a shard takes 1,000 records and 1 MB a second. More shards, a lower rate or "
            "--record-format envelope help."
        )
    if sent.rejected:
        text += f"\n{sent.rejected:,} lines were not target updates and were left out."
    return text

"""Keeps the shell's AWS settings out of local runs, benchmarks, tests and their child processes.

A profile that does not exist, an endpoint, a bundle of certificates or a broken configuration file are meant for real
accounts. Here they would send a call somewhere else, or end the run before it began.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_CLEARED = ("AWS_", "MOTO_", "POWERTOOLS_", "BOTO_")
"""Beginnings of the variables that the SDK, moto and Powertools read. The SDK's own have no other beginning:
https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html#EVarSettings"""

_SET = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""Without the first two, `~/.aws` is read; without the third, a machine's own credentials are asked for."""

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def shut_out(environment: MutableMapping[str, str]) -> None:
    """Clear the shell's AWS settings in `environment`, and take loopback from its proxies; call it before any client.

    Proxies and certificates for other hosts stay: whoever fetches a package needs them.
    """
    for name in [name for name in environment if name.upper().startswith(_CLEARED)]:
        del environment[name]
    environment.update(_SET)
    if not environment.get("REQUESTS_CA_BUNDLE", "-").strip():
        del environment["REQUESTS_CA_BUNDLE"]  # the SDK reads it too, and refuses an empty one
    # The lower-case name is read first, and hides the other.
    others = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    exempt = ",".join([*filter(None, others.split(",")), *_LOOPBACK])
    environment["no_proxy"] = environment["NO_PROXY"] = exempt

"""The usual client: `requests`, `iter_lines()` as it comes, `json.loads`, and a callback that gets a dict."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import requests

from benchmarks.harness.case import Measured
from benchmarks.harness.machine import cpu_time

if TYPE_CHECKING:
    from collections.abc import Callable


def follow(url: str, compression: str, callback: Callable[[dict[str, Any]], None]) -> None:
    """Read the stream until the response ends."""
    with requests.get(
        url,
        headers={"Authorization": "Bearer benchmark"},
        params={"position_token": "LATEST", "compression": compression},
        stream=True,
        timeout=60,
    ) as response:
        response.raise_for_status()
        for line in response.iter_lines():
            if not line:
                continue
            message = json.loads(line)
            if "target" in message:
                callback(message["target"])


class _Counter:
    def __init__(self) -> None:
        self.updates = 0

    def count(self, target: dict[str, Any]) -> None:
        """Do what the least callback does: look at the update."""
        if target["icao_address"]:
            self.updates += 1


def read(params: dict[str, Any]) -> Measured:
    """Read the whole stream."""
    counter = _Counter()
    with cpu_time() as spent:
        follow(params["url"] + "/end", params["compression"], counter.count)
    return Measured(spent.seconds, counter.updates)

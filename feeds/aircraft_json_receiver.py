"""Polls a receiver's `aircraft.json` over HTTP."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import requests
from urllib3.exceptions import HTTPError

from feeds import aircraft_json
from feeds.receiver import LOOK_SECONDS, RECONNECTING, Connection

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from consumer.backoff import Backoff
    from feeds.malformed import Malformed
    from feeds.observation import Observation

_EACH_SECONDS = 1.0
"""As often as readsb writes the file."""

_TIMEOUT = (5.0, 5.0)
_LARGEST = 32 * 1024 * 1024
"""Bytes: 12,000 aircraft of 700 bytes are a quarter of it."""

_AT_ONCE = 65536


class AircraftJsonReceiver:
    """One receiver; `now` gives seconds since the epoch, `tell` gets what is to be known of the connection."""

    def __init__(  # noqa: PLR0913 -- where to, and how often; the last two have defaults
        self,
        url: str,
        malformed: Malformed,
        *,
        now: Callable[[], float],
        tell: Callable[[str], None],
        backoff: Backoff = RECONNECTING,
        each: float = _EACH_SECONDS,
    ) -> None:
        self._url = url
        self._malformed = malformed
        self._now = now
        self._connection = Connection(url, tell, backoff)
        self._each = each
        self._session = requests.Session()
        self._newly_heard = aircraft_json.NewlyHeard()
        self._next_at = time.monotonic()

    def read(self, stop: threading.Event) -> list[Observation]:
        """Return what is new in the document, which is asked for once a second."""
        early = self._next_at - time.monotonic()
        if early > 0:
            stop.wait(min(early, LOOK_SECONDS))
            return []
        if not self._connection.wait(stop):
            return []
        self._next_at = time.monotonic() + self._each
        try:
            data = self._fetch()
        except (OSError, HTTPError) as error:  # requests' errors are OSErrors
            self._connection.failed(f"cannot be read: {error}")
            return []
        arrived = self._now()
        try:
            document = aircraft_json.parse(data)
        except aircraft_json.MalformedDocumentError as error:
            self._malformed.note(str(error), data)
            self._connection.failed(
                "not an aircraft.json; expected the address of readsb's, such as http://HOST/tar1090/data/aircraft.json"
            )
            return []
        if document.malformed:
            self._malformed.note("entries of aircraft.json without an address or an age", b"", document.malformed)
        self._connection.works("hearing aircraft")
        return list(self._newly_heard.select(document, arrived))

    def close(self) -> None:
        """Hang up."""
        self._session.close()

    def _fetch(self) -> bytes:
        with self._session.get(self._url, timeout=_TIMEOUT, stream=True) as response:
            response.raise_for_status()
            data = bytearray()
            for piece in response.iter_content(_AT_ONCE):
                data += piece
                if len(data) > _LARGEST:
                    raise OSError(f"larger than {_LARGEST:,} bytes")
            return bytes(data)

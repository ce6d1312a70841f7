"""The Tracking Stream client: requests a part of the stream, and opens the endless response or raises the reason."""

from __future__ import annotations

import io
import re
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from common.clock import SystemClock, rfc3339
from consumer.deadline import Deadline
from consumer.errors import RequestRefusedError, UnauthorizedError
from consumer.stream.channel import Channel
from consumer.stream.chunked_body import ChunkedBodyError
from consumer.stream.connection import CHUNK_BYTES, MOST_CHARACTERS, Connection, StreamInterruptedError, chunks
from consumer.stream.http_exchange import Address, Head, HttpError, read_head, request, tunnel
from consumer.stream.line_decoder import CorruptStreamError, Inflater
from consumer.stream.redaction import Redactor
from consumer.timing import LONGEST_RETRY_SECONDS, SILENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import BufferedReader

    from common.clock import Clock
    from consumer.checkpoint.position import TimeRange

CONNECT_TIMEOUT = 10.0
"""Seconds for the host's name, the connection and TLS together."""

ERROR_BODY_SECONDS = 2.0
"""For an error's body, which is there for people: what has not come by then is not waited for."""

_EXCERPT_BYTES = 4096
_OK, _NO_CONTENT = 200, 204
_REDIRECTION, _CLIENT_ERROR, _SERVER_ERROR = 300, 400, 500
_UNAUTHORIZED = 401
_PASSING = frozenset({408, 422, 425, 429})  # 422 and 429 by the provider's examples
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
"""Content of a proxy or of a page about maintenance, never of the stream."""

_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]+)?").fullmatch


class TokenRefusedError(RequestRefusedError):
    """The server refuses a request that named a position token: most likely it no longer knows the token."""


@dataclass(frozen=True, slots=True)
class FromToken:
    """The live stream from a position: a token, `LATEST` or `BEGINNING`."""

    position: str

    @property
    def is_stored_token(self) -> bool:
        """Whether it is a token that the server gave us, and may have forgotten."""
        return self.position not in ("LATEST", "BEGINNING")

    def parameters(self) -> dict[str, str]:
        """Return the query parameters that ask for it."""
        return {"position_token": self.position}


@dataclass(frozen=True, slots=True)
class Batch:
    """What was ingested in a time range; the response ends after it."""

    range: TimeRange

    def parameters(self) -> dict[str, str]:
        """Return the query parameters that ask for it."""
        return {"start": rfc3339(self.range.start), "end": rfc3339(self.range.end)}


class StreamClient:
    """Opens connections to one endpoint with one set of filters, each with nothing kept of the ones before."""

    def __init__(  # noqa: PLR0913 - what a request is made of, and time
        self,
        url: str,
        api_token: str,
        filters: Mapping[str, str],
        compression: str,
        *,
        silence_seconds: float = SILENCE_SECONDS,
        clock: Clock | None = None,
    ) -> None:
        self.redactor = Redactor(api_token)
        self._url = url
        self._address = Address(urlsplit(url))
        self._silence_seconds = silence_seconds
        self._parameters = {**filters, "compression": compression}
        self._fields = {
            "Authorization": f"Bearer {api_token}",
            "Accept-Encoding": "gzip" if compression == "gzip" else "identity",
        }
        self._clock = clock or SystemClock()
        self._channel: Channel | None = None

    def abort(self) -> None:
        """End whatever waits for the server, from any thread: in opening a connection, and in reading it."""
        if (channel := self._channel) is not None:
            channel.abort()

    def close(self) -> None:
        """Disconnect, if a connection is open."""
        if self._channel is not None:
            self._channel.close()

    def open(self, wanted: FromToken | Batch, *, deadline: Deadline | None = None) -> Connection:
        """Ask for a part of the stream; return the connection once the server has agreed, before the `deadline`.

        Redirects are not followed: the token is for this host alone. From now on the `redactor` knows the position that
        is asked for.

        Raises
        ------
        StreamInterruptedError
            No connection, no HTTP, or an answer that asks to try again (408, 422, 425, 429, 5xx) or is not the stream.
        UnauthorizedError
            401: the token is not valid.
        TokenRefusedError
            Another 4xx to a request that names a position token of an earlier connection.
        RequestRefusedError
            Another 4xx, or a redirect.
        """
        if isinstance(wanted, FromToken) and wanted.is_stored_token:
            self.redactor.hide(wanted.position)  # a server may quote what it refuses
        deadline = deadline or Deadline(self._clock, 2 * self._silence_seconds)
        channel = self._channel = Channel(deadline, self._silence_seconds)
        source: BufferedReader = io.BufferedReader(channel, CHUNK_BYTES)
        try:
            head = self._exchange(channel, source, wanted, deadline)
        except (OSError, HttpError) as error:
            source.close()
            raise StreamInterruptedError(f"no connection: {self._clean(str(error))}") from None
        except BaseException:
            source.close()
            raise
        if head.status == _NO_CONTENT and isinstance(wanted, Batch):
            head = Head(_OK, head.reason, {"content-length": "0"})
        if head.status != _OK or _media_type(head) in _PAGES:
            with closing(source):
                raise self._refusal(head, self._excerpt(channel, source, head, deadline), wanted)
        channel.begin_body()
        return Connection(source, head, self.redactor)

    def _exchange(
        self, channel: Channel, source: BufferedReader, wanted: FromToken | Batch, deadline: Deadline
    ) -> Head:
        address, connecting = self._address, Deadline(self._clock, deadline.cut(CONNECT_TIMEOUT))
        proxy = address.proxy
        if proxy is None:
            channel.connect(address.host, address.port, connecting)
        else:
            channel.connect(proxy.hostname or "", proxy.port or 80, connecting)
            if address.is_secure:
                channel.send(tunnel(address, proxy))
                if (agreed := read_head(source)).status != _OK:
                    raise HttpError(f"the proxy answered {agreed.status} {agreed.reason}")
        if address.is_secure:
            channel.secure(address.host)
        channel.begin_answer(Deadline(self._clock, deadline.cut(self._silence_seconds)))
        channel.send(request(address, self._parameters | wanted.parameters(), self._fields))
        return read_head(source)

    def _refusal(self, head: Head, excerpt: str, wanted: FromToken | Batch) -> Exception:
        status = head.status
        what = f"{self._url}: answered {status} {self._clean(head.reason)}: {excerpt}"
        if status == _UNAUTHORIZED:
            return UnauthorizedError(f"{what}. The API token is not valid; put a valid one into the secret")
        if status in _PASSING or status >= _SERVER_ERROR:
            return StreamInterruptedError(what, self._retry_after(head))
        if status < _REDIRECTION:
            return StreamInterruptedError(f"{what}. Expected 200 and the stream", self._retry_after(head))
        if status < _CLIENT_ERROR:
            return RequestRefusedError(f"{what}. Redirects are not followed; set StreamUrl to the final address")
        if isinstance(wanted, FromToken) and wanted.is_stored_token:
            return TokenRefusedError(f"{what}. The position token was refused")
        return RequestRefusedError(f"{what}. Check the stream's parameters and the subscription")

    def _excerpt(self, channel: Channel, source: BufferedReader, head: Head, deadline: Deadline) -> str:
        """Return the beginning of an error's body, as much of it as comes in time."""
        channel.begin_answer(Deadline(self._clock, deadline.cut(ERROR_BODY_SECONDS)))
        body, inflater = b"", Inflater()
        try:
            for plain in (plain for chunk in chunks(source, head) for plain in inflater.feed(chunk)):
                body += plain
                if len(body) >= _EXCERPT_BYTES:
                    break
        except (OSError, ChunkedBodyError, CorruptStreamError):
            pass  # what has come is shown
        return self._clean(body[:_EXCERPT_BYTES].decode(errors="replace")) or "(no body)"

    def _clean(self, text: str) -> str:
        return self.redactor.clean(text, MOST_CHARACTERS)

    def _retry_after(self, head: Head) -> float:
        """Return the seconds that Retry-After asks to wait (RFC 9110, section 10.2.3); 0 where there is none.

        They are at most `LONGEST_RETRY_SECONDS`.
        """
        text = head.fields.get("retry-after", "").strip()
        if _SECONDS(text):
            return min(float(text), LONGEST_RETRY_SECONDS)
        try:
            until = parsedate_to_datetime(text)
        except (ValueError, OverflowError, TypeError, IndexError):
            return 0.0
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return max(0.0, min((until - self._clock.now()).total_seconds(), LONGEST_RETRY_SECONDS))


def _media_type(head: Head) -> str:
    return head.fields.get("content-type", "").partition(";")[0].strip().lower()

"""The HTTP client of the Tracking Stream: opens the endless response and gives its lines, in blocks."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from common.clock import rfc3339
from consumer.errors import RequestRefusedError, UnauthorizedError
from consumer.stream.chunked_body import ChunkedBody, ChunkedBodyError
from consumer.stream.line_decoder import CorruptStreamError, Inflater, LineDecoder
from consumer.timing import SILENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from urllib3 import HTTPResponse

    from consumer.checkpoint.position import TimeRange
    from consumer.deadline import Deadline
    from consumer.stream.line_decoder import OversizedLine

CONNECT_TIMEOUT = 10.0
"""Seconds for the connection and TLS."""

_SHORTEST_TIMEOUT = 0.1
_CHUNK_BYTES = 64 * 1024
_EXCERPT = 300
_OK = 200
_CLIENT_ERROR = 400
_UNAUTHORIZED = 401
_RETRYABLE = frozenset({408, 422, 429})  # 422 and 429 by the provider's examples
_SERVER_ERROR = 500


class StreamInterruptedError(Exception):
    """The connection failed or ended: open it again, after `retry_after` seconds where the server said so."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


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


class _BearerToken(AuthBase):
    """Sets the header itself, so that no .netrc entry replaces it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class StreamClient:
    """Opens connections to one endpoint with one set of filters."""

    def __init__(
        self,
        url: str,
        api_token: str,
        filters: Mapping[str, str],
        compression: str,
        *,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self._url = url
        self._api_token = api_token
        self._silence_seconds = silence_seconds
        self._parameters = {**filters, "compression": compression}
        self._session = requests.Session()
        self._session.auth = _BearerToken(api_token)
        self._session.headers["Accept-Encoding"] = "gzip" if compression == "gzip" else "identity"

    def close(self) -> None:
        """Close what is left of connections."""
        self._session.close()

    def open(self, wanted: FromToken | Batch, *, deadline: Deadline | None = None) -> Connection:
        """Ask for a part of the stream; return the connection once the server has agreed, before the `deadline`.

        Redirects are not followed: the token is for this host alone.

        Raises
        ------
        StreamInterruptedError
            No connection, or an answer that asks to try again (408, 422, 429, 5xx).
        UnauthorizedError
            401: the token is not valid.
        TokenRefusedError
            Another 4xx to a request that names a position token of an earlier connection.
        RequestRefusedError
            Another 4xx, or a redirect.
        """
        within = max(_SHORTEST_TIMEOUT, deadline.left if deadline is not None else SILENCE_SECONDS)
        try:
            response = self._session.get(
                self._url,
                params=self._parameters | wanted.parameters(),
                stream=True,
                allow_redirects=False,
                timeout=(min(CONNECT_TIMEOUT, within), min(self._silence_seconds, within)),
            )
        except requests.RequestException as error:
            raise StreamInterruptedError(f"no connection: {self.redact(str(error))}") from None
        if response.status_code != _OK:
            with closing(response):
                raise self._refusal(response, wanted)
        return Connection(response, self.redact)

    def _refusal(self, response: requests.Response, wanted: FromToken | Batch) -> Exception:
        status = response.status_code
        what = self.redact(f"{self._url}: answered {status} {response.reason}: {self._excerpt(response)}")
        if status == _UNAUTHORIZED:
            return UnauthorizedError(f"{what}. The API token is not valid; put a valid one into the secret")
        if status in _RETRYABLE or status >= _SERVER_ERROR:
            return StreamInterruptedError(what, _retry_after(response))
        if status < _CLIENT_ERROR:
            return RequestRefusedError(f"{what}. Redirects are not followed; set StreamUrl to the final address")
        if isinstance(wanted, FromToken) and wanted.is_stored_token:
            return TokenRefusedError(f"{what}. The position token was refused")
        return RequestRefusedError(f"{what}. Check the stream's parameters and the subscription")

    def _excerpt(self, response: requests.Response) -> str:
        try:
            body = response.raw.read(_EXCERPT + len(self._api_token), decode_content=True)
        except (HTTPError, OSError):
            return "(no body)"
        words = self.redact(body.decode(errors="replace"))
        if len(body) > _EXCERPT:  # there is more of it: the end may be the beginning of the token
            words = words[: -len(self._api_token)]
        return words.strip() or "(no body)"

    def redact(self, words: str) -> str:
        """Return the server's words without the API token, should it repeat it: they go into logs and errors."""
        return words.replace(self._api_token, "***")


class Connection:
    """One response of the stream; iterate over `blocks`, and close it."""

    def __init__(self, response: requests.Response, redact: Callable[[str], str]) -> None:
        self.bytes_received = 0
        """Bytes of the body as sent, compressed ones where the body is."""
        self._response = response
        self._redact = redact

    def blocks(self) -> Iterator[list[bytes | OversizedLine]]:
        """Yield what each chunk completes as soon as it has come, if only nothing; ends where the response ends.

        Raises
        ------
        StreamInterruptedError
            It broke: reset, silent for too long, cut short, or damaged.
        """
        raw: HTTPResponse = self._response.raw
        inflater, decoder = Inflater(), LineDecoder()
        try:
            for chunk in self._chunks(raw):
                self.bytes_received += len(chunk)
                is_empty = True
                for plain in inflater.feed(chunk):
                    is_empty = False
                    yield decoder.feed(plain)
                if is_empty:
                    yield []
        except (HTTPError, OSError, ChunkedBodyError, CorruptStreamError) as error:
            raise StreamInterruptedError(f"the connection broke: {self._redact(str(error))}") from None
        ends_visibly = raw.chunked or inflater.is_gzip or "Content-Length" in raw.headers
        if not inflater.is_complete or (decoder.incomplete_bytes and not ends_visibly):
            raise StreamInterruptedError("the response was cut short")
        if blocks := decoder.finish():
            yield blocks

    def abort(self) -> None:
        """End a blocked read from another thread; the reader sees an interruption."""
        # The response may be ending by itself at this moment: the peer has gone (OSError), it is closed (ValueError),
        # or its connection is back in the pool (RuntimeError). Then no read is blocked any more.
        with suppress(OSError, ValueError, RuntimeError):
            self._response.raw.shutdown()

    def close(self) -> None:
        """Disconnect at once, without reading the rest."""
        self._response.close()

    @staticmethod
    def _chunks(raw: HTTPResponse) -> Iterator[bytes]:
        # Each gives what has come without waiting for more, which `raw.read(n)` does not.
        source = getattr(raw._original_response, "fp", None)  # noqa: SLF001 - http.client's, at the body's first byte
        if raw.chunked and source is not None:
            yield from ChunkedBody(source)
        else:
            while chunk := raw.read1(_CHUNK_BYTES, decode_content=False):
                yield chunk


def _retry_after(response: requests.Response) -> float:
    """Return the seconds of a Retry-After header, at most a minute; 0 where there is none."""
    value = response.headers.get("Retry-After", "")
    return min(60.0, float(value)) if value.isdecimal() else 0.0

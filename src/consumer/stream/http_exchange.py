"""One HTTP/1.1 request and the head of its answer (RFC 9112): of bounded size; nothing is kept for the next request."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import BufferedReader

_LONGEST_LINE = 16 * 1024
_MOST_FIELDS = 100
_MOST_INTERIM = 20
"""Answers 1xx before the one that counts."""

_STATUS_LINE = re.compile(r"HTTP/1\.[01] ([1-9][0-9]{2})(?: (.*))?").fullmatch
_PORTS = {"http": 80, "https": 443}
_SWITCHING = 101
_FIRST_FINAL = 200
_IN_A_PATH = "/%:@!$&'()*+,;=~-._"


class HttpError(Exception):
    """What was answered is not HTTP, or more of it than any server has to say; or there is no proxy of that name."""


@dataclass(frozen=True, slots=True)
class Head:
    """Status and fields of an answer, the fields by their names in lower case, several of one name joined by commas."""

    status: int
    reason: str
    fields: Mapping[str, str]

    @property
    def is_chunked(self) -> bool:
        """Whether the body says itself where it ends."""
        return self.fields.get("transfer-encoding", "").lower().rpartition(",")[2].strip() == "chunked"

    @property
    def length(self) -> int | None:
        """Bytes of the body, where it has a length that can be believed."""
        text = self.fields.get("content-length", "")
        return int(text) if text.isdecimal() and len(text) < len(str(2**63)) else None


@dataclass(frozen=True, slots=True)
class Address:
    """Where requests go: the server of a URL, by way of a proxy if the environment names one."""

    url: SplitResult

    @property
    def host(self) -> str:
        """The server's name, as names are in DNS."""
        host = self.url.hostname or ""
        return host if host.isascii() else host.encode("idna").decode()

    @property
    def port(self) -> int:
        """The server's port."""
        return self.url.port or _PORTS[self.url.scheme]

    @property
    def is_secure(self) -> bool:
        """Whether the connection is one of TLS."""
        return self.url.scheme == "https"

    @property
    def authority(self) -> str:
        """Host and port as a request names them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.url.scheme] else f"{host}:{self.port}"

    @property
    def proxy(self) -> SplitResult | None:
        """The proxy that HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names, unless NO_PROXY leaves this server out.

        Raises
        ------
        HttpError
            The variable holds no address of a proxy.
        """
        named = getproxies()
        kind = self.url.scheme if named.get(self.url.scheme) else "all"
        proxy = named.get(kind)
        if not proxy or proxy_bypass(f"{self.host}:{self.port}"):
            return None
        try:
            parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
            if parts.scheme == "http" and parts.hostname and parts.port != 0:
                return parts
        except ValueError:
            pass  # no port, or no address of IPv6
        raise HttpError(f"{kind.upper()}_PROXY: expected http://host:port, or nothing")


def request(address: Address, parameters: Mapping[str, str], fields: Mapping[str, str]) -> bytes:
    """Return the head of a GET request, which has no body."""
    target = f"{quote(address.url.path or '/', safe=_IN_A_PATH)}?{urlencode(parameters)}"
    named = {"Host": address.authority, "User-Agent": "aircraft-stream", "Accept": "*/*", "Connection": "close"}
    if (proxy := address.proxy) is not None and not address.is_secure:
        target, named = f"http://{address.authority}{target}", named | _proxy_authorization(proxy)
    return _head("GET", target, named | dict(fields))


def tunnel(address: Address, proxy: SplitResult) -> bytes:
    """Return the head of the request that asks a proxy for a connection to the server."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    target = f"{host}:{address.port}"
    return _head("CONNECT", target, {"Host": target} | _proxy_authorization(proxy))


def read_head(source: BufferedReader) -> Head:
    """Read the head of an answer; interim ones before it are skipped.

    Raises
    ------
    HttpError
        What comes is not HTTP, or too much of it.
    OSError
        The connection failed, or nothing came in time.
    """
    for _ in range(_MOST_INTERIM + 1):
        head = _one_head(source)
        if head.status >= _FIRST_FINAL or head.status == _SWITCHING:
            return head
    raise HttpError(f"more than {_MOST_INTERIM} interim answers and no other")


def _one_head(source: BufferedReader) -> Head:
    first = _line(source)
    status = _STATUS_LINE(first)
    if status is None:
        raise HttpError(f"expected a status line of HTTP/1.1, got {first[:80]!r}")
    fields: dict[str, str] = {}
    for _ in range(_MOST_FIELDS):
        if not (line := _line(source)):
            return Head(int(status[1]), status[2] or "", fields)
        name, colon, value = line.partition(":")
        if not colon or name != name.strip():
            raise HttpError(f"expected a field of a head, got {line[:80]!r}")
        name, value = name.lower(), value.strip()
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    raise HttpError(f"a head of more than {_MOST_FIELDS} fields")


def _line(source: BufferedReader) -> str:
    line = source.readline(_LONGEST_LINE)
    if not line:
        raise HttpError("the server closed the connection without an answer")
    if not line.endswith(b"\n"):
        raise HttpError("a line of the answer's head is too long, or was cut short")
    return line.rstrip(b"\r\n").decode("latin-1")


def _head(method: str, target: str, fields: Mapping[str, str]) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode("ascii")


def _proxy_authorization(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    credentials = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(credentials).decode()}"}

"""A connection with bounded waits: for name resolution, the handshake, a slow head and a silent body.

A socket's own time-out bounds each call, not their sum. Here everything waits in short spells and checks after each: is
the run's time over, did another thread ask for the end, has the other side been silent for too long?
"""

from __future__ import annotations

import io
import os
import select
import socket
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.httpsession import where

if TYPE_CHECKING:
    from consumer.deadline import Deadline

_SPELL = 0.1
"""Seconds of one wait. A connection that brings something does not notice."""

_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""Variables that name whom to trust instead of the public authorities: a company's own, for one."""


class Channel(io.RawIOBase):
    """One connection, opened by `connect` and read as a file; a wait that is cut short raises TimeoutError."""

    def __init__(self, deadline: Deadline, silence_seconds: float) -> None:
        """Wait until the deadline, and so many seconds for the next byte of the other side."""
        self._deadline = deadline
        self._silence_seconds = silence_seconds
        self._spell = min(_SPELL, silence_seconds)
        self._phase_ends: Deadline | None = None
        self._socket: socket.socket | None = None
        self._is_aborted = False

    def connect(self, host: str, port: int, within: Deadline) -> None:
        """Open the connection to the first of the host's addresses that answers; all of it `within`.

        Raises
        ------
        OSError
            There is no such name, no address answered, or it took too long.
        """
        self._phase_ends = within
        addresses = self._addresses(host, port)
        error: OSError = OSError(f"{host} has no address")
        for number, (family, kind, protocol, _, address) in enumerate(addresses):
            until = within.left * (len(addresses) - number - 1) / (len(addresses) - number)  # each gets its share
            self._socket = socket.socket(family, kind, protocol)
            try:
                self._connect(address, until)
            except OSError as failure:
                self._socket.close()
                self._look()
                error = failure
            else:
                self._socket.settimeout(self._spell)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return
        raise error

    def secure(self, host: str) -> None:
        """Turn the connection into one of TLS with a server that proves to be this host.

        Raises
        ------
        OSError
            It does not (ssl.SSLError is one, too), or it took too long.
        """
        assert self._socket is not None
        secured = trust().wrap_socket(self._socket, server_hostname=host, do_handshake_on_connect=False)
        self._socket = secured
        while True:
            try:
                return secured.do_handshake()
            except TimeoutError:
                self._look()

    def begin_answer(self, within: Deadline) -> None:
        """Let whatever is read from now on come `within`, all of it together."""
        self._phase_ends = within

    def begin_body(self) -> None:
        """Wait for each byte as long as a silence may last from now on."""
        self._phase_ends = None

    def readable(self) -> bool:
        """Tell who reads it as a file."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Wait for what comes next, and return how many bytes of it were written into the buffer; 0 is the end."""
        assert self._socket is not None
        silent = 0.0
        self._look()
        while True:
            try:
                return self._socket.recv_into(buffer)
            except TimeoutError:
                silent += self._spell
                self._look()
                if silent >= self._silence_seconds:
                    raise TimeoutError(f"timed out: nothing came for {self._silence_seconds:g} s") from None

    def send(self, data: bytes) -> None:
        """Send all of the data, which are a request's head: few enough to be taken at once, if by anybody."""
        assert self._socket is not None
        self._look()
        self._socket.settimeout(max(self._spell, self._left))
        self._socket.sendall(data)
        self._socket.settimeout(self._spell)

    def abort(self) -> None:
        """End whatever waits, from any thread."""
        self._is_aborted = True
        if (connection := self._socket) is not None:
            with suppress(OSError):  # it is not connected yet, or no longer
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Disconnect at once: nothing more is read or said, not even a farewell of TLS."""
        if self._socket is not None:
            self._socket.close()
        super().close()

    @property
    def _left(self) -> float:
        phase = self._phase_ends
        return self._deadline.left if phase is None else min(phase.left, self._deadline.left)

    def _look(self) -> None:
        if self._is_aborted:
            raise TimeoutError("given up: the run is ending")
        if self._left <= 0:
            raise TimeoutError("timed out")

    def _addresses(self, host: str, port: int) -> list[Any]:
        """Ask for the host's addresses on its own thread: the resolver has time-outs of its own, and no others."""
        outcome: list[list[Any] | OSError] = []

        def ask() -> None:
            try:
                outcome.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            except OSError as error:
                outcome.append(error)
            except UnicodeError as error:
                outcome.append(OSError(f"{host}: no host name ({error})"))

        thread = threading.Thread(target=ask, name="resolver", daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(self._spell)
            if thread.is_alive():
                self._look()
        (found,) = outcome
        if isinstance(found, OSError):
            raise found
        return found

    def _connect(self, address: Any, until: float) -> None:
        """Connect to one address while more than `until` seconds are left."""
        assert self._socket is not None
        self._socket.settimeout(0)
        with suppress(BlockingIOError):
            self._socket.connect(address)
            return
        waiting = select.poll()
        waiting.register(self._socket, select.POLLOUT)
        while not waiting.poll(self._spell * 1000):
            self._look()
            if self._left <= until:
                raise TimeoutError("timed out")
        if error := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, os.strerror(error))


def trust() -> ssl.SSLContext:
    """Return whom a server's certificate has to come from: the authorities that botocore's clients trust, too.

    Raises
    ------
    OSError
        The environment names a bundle that is not there, or holds no certificate.
    """
    for name in _BUNDLES:
        if path := os.environ.get(name):
            try:
                return ssl.create_default_context(cafile=path)
            except OSError as error:
                raise OSError(f"{name}={path}: no certificates could be read from it ({error})") from None
    return ssl.create_default_context(cafile=where())

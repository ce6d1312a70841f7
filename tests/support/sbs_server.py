"""A receiver's port 30003 on loopback: for each connection, one after the other, a script of what is sent."""

from __future__ import annotations

import contextlib
import socket
import threading


class SbsServer:
    """Sends the scripts' pieces; after a script's end it hangs up, or holds the last connection open.

    A piece is bytes, or an event that is waited for before the next one.
    """

    def __init__(self, *scripts, port=0):
        self._scripts = scripts
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self.done = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="sbs-server")
        self._thread.start()

    def _serve(self):
        for number, script in enumerate(self._scripts, start=1):
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection, contextlib.suppress(OSError):
                for piece in script:
                    if isinstance(piece, threading.Event):
                        piece.wait(60)
                    else:
                        connection.sendall(piece)
                if number == len(self._scripts):
                    self.done.wait(60)

    def close(self):
        """Hang up, and listen no more."""
        self.done.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(60)


def position(address, latitude, longitude=0.0, altitude=37000):
    """A line with a position, as readsb writes it."""
    times = "2024/03/04,23:24:01.000,2024/03/04,23:24:01.000"
    return f"MSG,3,1,1,{address},1,{times},,{altitude},,,{latitude},{longitude},,,0,0,0,0\r\n".encode()


def squawk(address, code):
    """A line with a squawk."""
    times = "2024/03/04,23:24:01.000,2024/03/04,23:24:01.000"
    return f"MSG,6,1,1,{address},1,{times},,,,,,,,{code},0,0,0,0\r\n".encode()

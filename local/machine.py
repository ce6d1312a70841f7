"""What a machine, and the shell that starts a command on it, must have; said before anything is started."""

from __future__ import annotations

import os
import resource
import socket
import tempfile

OPEN_FILES = 64
"""The local stack with one shard has 27 open in one process; more shards and readers of the page add to them."""
_WANTED_FILES = 4_096
ADDRESS_SPACE = 1_280 * 1024 * 1024
"""Bytes of it that a process needs: Lambda's runtime emulator, a Go program, reserves most of this at its start."""

_REACHED_SECONDS = 5.0


class MachineError(Exception):
    """The machine or the shell lacks something; the text says what, and how to have it."""


def check_loopback() -> None:
    """Make sure that a server on 127.0.0.1 can be reached.

    Raises
    ------
    MachineError
        It cannot: the loopback interface is down, or missing, as in a container without a network.
    """
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), _REACHED_SECONDS).close()
    except OSError as error:
        raise MachineError(
            f"127.0.0.1 cannot be reached on this machine: {error.strerror or error}; the loopback interface has to be "
            "up (`ip link set lo up`)"
        ) from error


def check() -> None:
    """Make sure that the local stack can run; the limit of open files is raised as far as it is allowed to be.

    Raises
    ------
    MachineError
        It cannot.
    """
    _check_files()
    _check_memory()
    check_loopback()
    try:
        with tempfile.TemporaryFile() as file:
            file.write(b"-")
    except OSError as error:
        place = error.filename or os.environ.get("TMPDIR") or "the folder for temporary files"
        raise MachineError(
            f"nothing can be written to {place}: {error.strerror or error}. Make room there, or set TMPDIR to a folder "
            "where there is some"
        ) from error


def _check_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, _WANTED_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    if soft != resource.RLIM_INFINITY and soft < OPEN_FILES:
        raise MachineError(
            f"a process may open {soft} files here; expected at least {OPEN_FILES}. Raise the limit: `ulimit -n 4096`"
        )


def _check_memory() -> None:
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < ADDRESS_SPACE:
        raise MachineError(
            f"a process may use {limit // 2**20:,} MiB of addresses here; expected {ADDRESS_SPACE // 2**20:,} or more. "
            "Raise the limit: `ulimit -v unlimited`"
        )

"""The local AWS: starts and stops the moto server, and makes clients that talk to nothing else."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
from typing import Any

import boto3
from botocore.config import Config

from local import clock

REGION = "us-east-1"
ACCOUNT = "123456789012"
"""The account moto plays."""

OPERATOR = "Operator"
"""Who looks at the stack from outside: no role's credentials."""

_ACCESS_KEY_PREFIX = "local"
_REACHED_SECONDS = 30.0

LISTED = "listed"
"""What the command line of a server ends with that `local.running` finds."""


def credentials(caller: str) -> dict[str, str]:
    """Return credentials that no real account takes (whatever goes astray does no harm), and that tell their bearer.

    A function's `caller` is its logical id: as in Lambda, each has the credentials of its role.
    """
    return {
        "AWS_ACCESS_KEY_ID": _ACCESS_KEY_PREFIX + caller,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": "local",
    }


def caller_of(access_key_id: str) -> str:
    """Return whom `credentials` gave an access key id to; another one names nobody, and comes back as it is."""
    return access_key_id.removeprefix(_ACCESS_KEY_PREFIX)


class CloudError(Exception):
    """The moto server did not start, or ended before its time."""


class Cloud:
    """A moto server in a separate process: it shares no interpreter with the simulator and the pollers.

    A `listed` one is found by other commands on this machine (`local.running`): that of a stack which a person runs,
    never a fault campaign's, a benchmark's or a test's.

    Raises
    ------
    CloudError
        It ended before it listened; the message holds what it said.
    """

    def __init__(self, *, listed: bool = False) -> None:
        mark = (LISTED,) if listed else ()
        # A separate session, so that Ctrl-C in the terminal reaches this process alone.
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "local.aws.moto_server", repr(clock.offset()), *mark],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._endpoint: str | None = None
        self._types: frozenset[str] = frozenset()
        self._session = boto3.Session(region_name=REGION)
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._making = threading.Lock()

    @property
    def endpoint(self) -> str:
        """The address for every service; waits for the server the first time."""
        if self._endpoint is None:
            self._wait_until_it_listens()
        assert self._endpoint is not None
        return self._endpoint

    @property
    def resource_types(self) -> frozenset[str]:
        """The CloudFormation resource types this server can make."""
        self.endpoint  # noqa: B018 -- they come with the address
        return self._types

    def client(self, service: str, *, caller: str = OPERATOR, endpoint: str | None = None) -> Any:
        """Return the client with the credentials of `caller`; threads share it, since making one takes 30 ms.

        `endpoint` is another way to this server, such as a proxy before it.
        """
        key = (service, caller, endpoint or self.endpoint)
        with self._making:
            if key not in self._clients:
                self._clients[key] = self._made(*key)
            return self._clients[key]

    def _made(self, service: str, caller: str, endpoint: str) -> Any:
        own = credentials(caller)
        return self._session.client(
            service,  # type: ignore[call-overload] # a name that is not known before it runs
            endpoint_url=endpoint,
            aws_access_key_id=own["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=own["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=own["AWS_SESSION_TOKEN"],
            # No proxies: what the machine's environment says of them is not meant for loopback.
            config=Config(max_pool_connections=32, retries={"mode": "standard", "max_attempts": 3}, proxies={}),
        )

    @property
    def alive(self) -> bool:
        """Whether the server runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the server; nothing of what it held remains."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()

    def kill(self) -> None:
        """End the server, leaving its pipes as they are; safe from a signal handler."""
        if self._process.returncode is None:
            self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)

    def _wait_until_it_listens(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        line = self._process.stdout.readline()
        if not line:
            said = self._process.stderr.read().decode(errors="replace").strip()
            raise CloudError(f"the local AWS (moto) ended with {self._process.wait()} before it listened: {said}")
        ready = json.loads(line)
        try:
            socket.create_connection(("127.0.0.1", ready["port"]), _REACHED_SECONDS).close()
        except OSError as error:
            text = f"127.0.0.1 cannot be reached on this machine: {error.strerror}; the loopback interface has to be up"
            raise CloudError(text) from error
        self._types = frozenset(ready["types"])
        self._endpoint = f"http://127.0.0.1:{ready['port']}"

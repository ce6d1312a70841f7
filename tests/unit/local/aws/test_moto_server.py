"""What is put around moto so that it can carry a whole stream."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from local.aws.moto_server import OneAtATime


def test_requests_go_into_moto_one_at_a_time():
    """While one is inside, another waits at the door, also while the answer is being made."""
    inside, most = 0, 0
    somebody_else = threading.Event()

    def answer():
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        somebody_else.wait(0.05)  # without the lock, all others would come in meanwhile
        inside -= 1
        yield b"done"

    application = OneAtATime(lambda _environ, _start_response: answer())
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: application({}, None), range(4))) == [[b"done"]] * 4
    assert most == 1

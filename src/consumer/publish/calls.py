"""Calls to Kinesis in flight, each in its own thread; answers are kept until they are collected."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from consumer.publish.put_records import Entry, PutRecords

    type Answer = list[str | None] | BaseException
    """For each record the shard that has it, None where Kinesis did not take it; or what the call raised."""

CALLS_IN_FLIGHT = 4
"""A call takes some 20 ms: four of 500 records fill a stream of many shards."""


class Calls:
    """Sends batches, a few at a time. All methods are the dispatcher's; after its end, whoever asks what became."""

    def __init__(self, put_records: PutRecords, on_answer: Callable[[], None]) -> None:
        """Call `on_answer` when an answer is there, on the thread that waited for it."""
        self.in_flight = 0
        """Calls whose answers were not taken."""
        self.unsettled: list[Sequence[Entry]] = []
        """Batches that were sent, until `settled` removes them."""
        self._put_records = put_records
        self._on_answer = on_answer
        self._answers: deque[tuple[Sequence[Entry], Answer]] = deque()
        self._under_way: list[Future[None]] = []
        self._senders = ThreadPoolExecutor(CALLS_IN_FLIGHT, thread_name_prefix="put-records")

    @property
    def may_send_more(self) -> bool:
        """Whether another call may be made now."""
        return self.in_flight < CALLS_IN_FLIGHT

    def send(self, batch: Sequence[Entry]) -> None:
        """Make a call."""
        self.in_flight += 1
        self.unsettled.append(batch)
        self._under_way = [call for call in self._under_way if not call.done()]
        self._under_way.append(self._senders.submit(self._send, batch))

    def answers(self) -> Iterator[tuple[Sequence[Entry], Answer]]:
        """Take what was answered, batch by batch, until there is no more."""
        while self._answers:
            batch, answer = self._answers.popleft()
            self.in_flight -= 1
            yield batch, answer

    def wait_for_answers(self, seconds: float) -> None:
        """Return when each call is answered, or after so many seconds."""
        wait(self._under_way, seconds)

    def settled(self, batch: Sequence[Entry]) -> None:
        """Forget a batch: it is known what became of it."""
        self.unsettled.remove(batch)

    def close(self) -> None:
        """End the threads; a call still under way is left to its time-out."""
        self._senders.shutdown(wait=not self.in_flight, cancel_futures=True)
        self._put_records.close()

    def _send(self, batch: Sequence[Entry]) -> None:
        answer: Answer
        try:
            answer = self._put_records.send(batch)
        except BaseException as error:  # noqa: BLE001 - handed to the dispatcher, which hands it to the reader
            answer = error
        self._answers.append((batch, answer))
        self._on_answer()

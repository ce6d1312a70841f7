"""What is read and published has bounds, whatever comes: tried in processes that have no more memory than that."""

from __future__ import annotations

import pytest

from tests.support import limited_memory

UNACKNOWLEDGED = """
    import os
    import sys
    import threading
    from consumer.checkpoint.watermark import Interval
    from consumer.publish import record_format
    from consumer.publish.shard_map import ListShards
    from consumer.publish.publisher import Publisher
    from consumer.publish.put_records import PutRecords
    from common.clock import SystemClock

    class Silent:
        "A Kinesis that takes calls and never answers."
        def put_records(self, **_):
            threading.Event().wait()

        def list_shards(self, **_):
            return {"Shards": [{"ShardId": f"shardId-{n:012}", "HashKeyRange": {"StartingHashKey": str(n << 126)},
                                "SequenceNumberRange": {"StartingSequenceNumber": "1"}} for n in range(4)]}

    kinesis = Silent()
    formats = {
        "single": record_format.single,
        "envelope": lambda: record_format.envelopes(ListShards(kinesis, "updates")),
    }
    waits = threading.Event()

    class Progress(threading.Condition):
        "What `put` waits for; says that it does."
        def wait(self, timeout=None):
            waits.set()
            return super().wait(timeout)

    chosen = formats[sys.argv[1]]()
    publisher = Publisher(PutRecords(kinesis, "updates"), chosen.outbox, SystemClock(), on_acknowledged=lambda: None)
    publisher._progress = Progress()
    limit_memory(200)
    publisher.start()
    taken = 0

    def feed():
        global taken
        interval = Interval()
        while True:
            # Two of each aircraft: a queue for each of them, which is larger than what is in it.
            lines = b"".join(
                b'{"target":{"icao_address":"%06X","timestamp":"2024-03-04T23:23:59Z"}}\\n' % (n % 0xFFFFFF)
                for n in (*range(taken, taken + 100), *range(taken, taken + 100))
            )
            for updates in chosen.parser.runs([lines]):
                publisher.put(updates, sum(len(update.data) for update in updates), interval)
                taken += len(updates)

    thread = threading.Thread(target=feed, daemon=True)
    thread.start()
    while thread.is_alive() and not waits.wait(0.01):
        pass
    print(taken if thread.is_alive() else "the reader has failed", flush=True)
    os._exit(not thread.is_alive())  # without waiting for the senders, who wait for ever
"""

BODIES = {
    "a line without an end": "b'x' * 65536",
    "a line of nothing, inflated": "b' ' * 65536",
    "empty lines": "b'\\n' * 65536",
    "lines that are no message": "b'{}\\n' * 21845",
    "brackets": "b'[' * 65536",
    "statuses": '(b\'{"status":{"level":"WARN","message":"\' + b\'x\' * 60000 + b\'"}}\\n\')',
}

READING = """
    import io, sys, zlib
    from consumer.stream.batch_parser import BatchParser
    from consumer.stream.chunked_body import ChunkedBody
    from consumer.stream.line_decoder import Inflater, LineDecoder

    block, how = eval(sys.argv[1]), sys.argv[2]

    class Endless(io.RawIOBase):
        "A body of 96 MB, in chunks."
        def __init__(self):
            self._left, self._unread = 96 * 1024 * 1024 // len(block), b""
            self._compressor = zlib.compressobj(wbits=31)
        def readable(self):
            return True
        def readinto(self, buffer):
            while not self._unread:
                if self._left <= 0:
                    return 0
                self._left -= 1
                data = block
                if how == "gzip":
                    data = self._compressor.compress(block) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
                self._unread = b"%x\\r\\n%b\\r\\n" % (len(data), data)
            part, self._unread = self._unread[:len(buffer)], self._unread[len(buffer):]
            buffer[:len(part)] = part
            return len(part)

    inflater, decoder, parser = Inflater(), LineDecoder(), BatchParser()
    limit_memory(64)
    messages = 0
    try:
        for chunk in ChunkedBody(io.BufferedReader(Endless(), 65536)):
            for plain in inflater.feed(chunk):
                for run in parser.runs(decoder.feed(plain)):
                    messages += 1
                    if messages > 50_000:
                        sys.exit(0)
    except Exception as error:
        if "ended within the body" not in str(error):
            raise
"""


@pytest.mark.parametrize("record_format", ["single", "envelope"])
def test_what_is_not_acknowledged_has_a_bound(repository, record_format):
    """Updates of 60 bytes take ten times as much in memory: they are charged for that, and `put` waits in time."""
    taken = int(limited_memory.run(UNACKNOWLEDGED, record_format, source=repository / "src"))
    assert 20_000 < taken < 100_000


@pytest.mark.parametrize("how", ["plain", "gzip"])
@pytest.mark.parametrize("block", BODIES.values(), ids=BODIES)
def test_no_body_takes_more_than_64_megabytes_to_read(repository, block, how):
    """Far more may come; what is held of it has a bound."""
    limited_memory.run(READING, block, how, source=repository / "src")


REDACTING = """
    import sys
    from consumer.stream.line_decoder import MAX_LINE_BYTES
    from consumer.stream.redaction import Redactor

    block = eval(sys.argv[1])
    line = (block * (MAX_LINE_BYTES // len(block) + 1))[:MAX_LINE_BYTES]
    limit_memory(64)
    Redactor("s3cr3t-api-token-0123456789abcdef").line(line)
"""

LINES = {
    "escapes": r"b'\u0041'",
    "one escape": "b'x' * 2_000_000 + b'%41'",
    "the token's parts, escaped": r"b'\u0073\u0033cr3t-ap '",
}


@pytest.mark.parametrize("block", LINES.values(), ids=LINES)
def test_a_rejected_line_is_redacted_in_64_megabytes(repository, block):
    """A function that a line ends is given the same line by its next run, and by each after that."""
    limited_memory.run(REDACTING, block, source=repository / "src")

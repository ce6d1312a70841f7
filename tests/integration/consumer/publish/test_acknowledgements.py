"""What AWS has not said is not believed: an acknowledgement is a sequence number for each record, and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass

import botocore.session
import pytest
from botocore.config import Config

from common.clock import SystemClock
from consumer import wiring
from consumer.api_token import read_api_token
from consumer.checkpoint.rejected_lines import RejectedLine, RejectedStore
from consumer.checkpoint.store import CheckpointStore
from consumer.errors import ApiTokenError, CheckpointError, PublishError
from consumer.publish.put_records import PutRecords
from consumer.publish.shard_map import ListShards
from consumer.stream.redaction import Redactor
from tests.support.aws_stub import AwsStub
from tests.support.raw_server import RawServer

SHARD = "shardId-000000000000"
TAKEN = {"SequenceNumber": "49590338271490256608559692538361571095921575989136588898", "ShardId": SHARD}
REFUSED = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded"}
OPEN = {
    "ShardId": SHARD,
    "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "340282366920938463463374607431768211455"},
    "SequenceNumberRange": {"StartingSequenceNumber": "1"},
}


@dataclass
class Record:
    """A record as the outbox gives it."""

    key: str = "78121E"
    data: bytes = b"{}\n"
    hash_key: str | None = None


def compact(answer):
    """An answer as Kinesis spells it."""
    return json.dumps(answer, separators=(",", ":")).encode()


WHOLE = compact({"FailedRecordCount": 0, "Records": [TAKEN, TAKEN, TAKEN]})
NOT_ACKNOWLEDGED = {
    "a page": b"<html><body>Welcome to the hotel's network</body></html>",
    "nothing": b"",
    "other JSON": b"[]",
    "no records": compact({"FailedRecordCount": 0}),
    "an empty list": compact({"FailedRecordCount": 3, "Records": []}),
    "too few": compact({"FailedRecordCount": 0, "Records": [TAKEN, TAKEN]}),
    "too many": compact({"FailedRecordCount": 0, "Records": [TAKEN] * 4}),
    "cut before its first error": compact({"FailedRecordCount": 1, "Records": [TAKEN, TAKEN, REFUSED]})[:250],
    "not UTF-8": b"\xff" * 300,
    "nested without end": b"[" * 100_000,
    "entries of another kind": compact({"Records": ["SequenceNumber", 1, None]}),
    "numbers of another type": compact({"Records": [TAKEN | {"SequenceNumber": 5}] * 3}),
}


@pytest.fixture
def kinesis(monkeypatch):
    """A function that makes the deployed client for a server."""
    made = []

    def make(url):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        wiring.kinesis.cache_clear()
        made.append(wiring.kinesis())
        wiring.kinesis.cache_clear()
        return made[-1]

    yield make
    for client in made:
        client.close()


def sent(kinesis, answer, records, status=200):
    """What PutRecords makes of one answer to so many records."""
    with AwsStub(lambda *_: (status, answer)) as aws:
        return PutRecords(kinesis(aws.url), "updates").send(records)


@pytest.mark.parametrize("hash_key", [None, "0"])
@pytest.mark.parametrize("answer", NOT_ACKNOWLEDGED.values(), ids=NOT_ACKNOWLEDGED)
def test_status_200_alone_acknowledges_nothing(kinesis, answer, hash_key):
    """Whatever comes with the status, without a sequence number for each record all of them are sent again."""
    assert sent(kinesis, answer, [Record(hash_key=hash_key)] * 3) == [None] * 3


@pytest.mark.parametrize("hash_key", [None, "0"])
@pytest.mark.parametrize(
    "answer", [WHOLE, json.dumps(json.loads(WHOLE)).encode(), WHOLE.replace(b'"Records"', b'"x":1,"Records"')]
)
def test_sequence_numbers_acknowledge_however_the_answer_is_spelled(kinesis, answer, hash_key):
    """An answer with blanks, or with keys we do not know, acknowledges as the usual one."""
    assert all(shard is not None for shard in sent(kinesis, answer, [Record(hash_key=hash_key)] * 3))


@pytest.mark.parametrize("odd", [{}, {"SequenceNumber": ""}, {"SequenceNumber": None}, {"ShardId": SHARD}, REFUSED])
def test_an_entry_without_a_sequence_number_is_sent_again(kinesis, odd):
    """One odd entry costs the others nothing, and is not taken for one that Kinesis has."""
    answer = compact({"FailedRecordCount": 0, "Records": [TAKEN, odd, TAKEN]})
    assert [shard is None for shard in sent(kinesis, answer, [Record()] * 3)] == [False, True, False]


def test_an_addressed_record_needs_its_shard(kinesis):
    """Where a record was meant for one shard, an answer that names none does not say that it is there."""
    answer = compact({"Records": [{"SequenceNumber": "1"}]})
    assert sent(kinesis, answer, [Record(hash_key="0")]) == [None]
    assert sent(kinesis, answer, [Record()]) == [""]


@pytest.mark.parametrize("status", [201, 204, 302, 408, 425, 429, 500, 503])
def test_a_status_that_refuses_nothing_for_good_is_tried_again(kinesis, status):
    """A proxy's redirect or an empty success is no word of Kinesis."""
    assert sent(kinesis, b"", [Record()], status) == [None]


HOSTILE = "\x1b]0;owned\x07\nline 2\r\n" + "x" * 5000


@pytest.mark.parametrize(
    "answer",
    [
        HOSTILE.encode(),
        compact({"__type": "AccessDenied", "message": HOSTILE}),
        compact({"__type": HOSTILE}),
        compact({"__type": "AccessDenied", "message": {"a": HOSTILE}}),
    ],
)
def test_what_a_refusal_says_cannot_act_on_a_terminal(kinesis, answer):
    """The text of an error, and of its cause, is one line without escape sequences, whatever the answer holds."""
    with AwsStub(lambda *_: (403, answer)) as aws:
        client = kinesis(aws.url)
        for call in (lambda: PutRecords(client, "updates").send([Record()]), ListShards(client, "updates")):
            with pytest.raises(PublishError) as caught:
                call()
            for error in (caught.value, caught.value.__cause__):
                assert str(error).isprintable()
                assert len(str(error)) < 1000


def logged(caplog, message):
    """The fields of the lines with this message."""
    return [vars(record) for record in caplog.records if record.message == message]


@pytest.mark.parametrize(
    ("status", "answer", "says"),
    [
        (500, compact({"__type": "InternalFailure"}), "InternalFailure"),
        (400, compact({"__type": "ThrottlingException", "message": f"too fast {HOSTILE}"}), "too fast"),
        (503, b"<html>busy", "busy"),
        (200, b"<html>", "no answer of Kinesis"),
        (None, b"", "Could not connect"),
    ],
)
def test_why_a_call_failed_is_logged(kinesis, caplog, status, answer, says):
    """A run whose way to Kinesis is closed reads, gets nowhere and ends: the log says of what, a few times."""
    with AwsStub(lambda *_: (status, answer)) as aws:
        put_records = PutRecords(kinesis(aws.url if status else "http://127.0.0.1:9"), "updates")
        for _ in range(30):
            assert put_records.send([Record()]) == [None]
        put_records.close()
    lines = logged(caplog, "Kinesis does not acknowledge what it is sent")
    assert 1 <= len(lines) <= 12
    left_out = [vars(record).get("left_out_before", vars(record).get("left_out", 0)) for record in caplog.records]
    assert len(lines) + sum(left_out) == 30
    assert all(says in line["reason"] and line["reason"].isprintable() for line in lines)
    assert all(len(line["reason"]) <= 500 for line in lines)


@pytest.mark.parametrize("hash_key", [None, "0"])
def test_why_records_were_not_taken_is_logged(kinesis, caplog, hash_key):
    """The first error of a call stands for the others, with how many there are."""
    refused = REFUSED | {"ErrorMessage": f"Rate exceeded {HOSTILE}"}
    answer = compact({"FailedRecordCount": 2, "Records": [TAKEN, refused, REFUSED | {"ErrorCode": "InternalFailure"}]})
    sent(kinesis, answer, [Record(hash_key=hash_key)] * 3)
    [line] = logged(caplog, "Kinesis does not take some records")
    assert (line["code"], line["records"], line["of"]) == (REFUSED["ErrorCode"], 2, 3)
    assert line["reason"].startswith("Rate exceeded ")
    assert line["reason"].isprintable()
    assert len(line["reason"]) <= 500


def test_nothing_is_logged_of_records_that_were_taken(kinesis, caplog):
    """All is well, in either record format."""
    for hash_key in (None, "0"):
        sent(kinesis, WHOLE, [Record(hash_key=hash_key)] * 3)
    assert not [record for record in caplog.records if "Kinesis" in record.message]


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        b"",
        b"{}",
        compact({"Shards": []}),
        compact({"Shards": [{}]}),
        compact({"Shards": {"a": 1}}),
        compact({"Shards": [OPEN | {"HashKeyRange": {"StartingHashKey": "9" * 80}}]}),
        compact({"Shards": [OPEN | {"HashKeyRange": {"StartingHashKey": "x"}}]}),
        compact({"Shards": [OPEN], "NextToken": "for ever"}),
    ],
)
def test_what_lists_no_shards_is_asked_again(kinesis, answer):
    """An answer without an open shard, or one that never ends, is no list; the run goes on and asks again."""
    with AwsStub(lambda *_: (200, answer)) as aws:
        assert ListShards(kinesis(aws.url), "updates")() is None
        assert len(aws.bodies) <= 200


def test_pages_are_followed_to_their_end(kinesis):
    """A list of shards on two pages is one list."""
    pages = [compact({"Shards": [OPEN], "NextToken": "t"}), compact({"Shards": []})]
    with AwsStub(lambda number, _: (200, pages[number])) as aws:
        assert [shard.shard_id for shard in ListShards(kinesis(aws.url), "updates")().shards] == [SHARD]
        assert json.loads(aws.bodies[1]) == {"NextToken": "t"}


def secret_error(answer, status=200):
    """The error with which the token is read from a Secrets Manager that answers so."""
    with AwsStub(lambda *_: (status, answer)) as aws:
        secrets = botocore.session.get_session().create_client(
            "secretsmanager",
            region_name="us-east-1",
            endpoint_url=aws.url,
            config=Config(retries={"total_max_attempts": 1}),
        )
        with pytest.raises(ApiTokenError, match="arn:of-the-secret") as caught:
            read_api_token(secrets, "arn:of-the-secret")
        secrets.close()
    return caught.value


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        b"",
        b"[]",
        b"{}",
        b'{"SecretString":null}',
        b'{"SecretString":""}',
        compact({"SecretString": "x" * 5000}),
    ],
)
def test_what_holds_no_secret_is_an_error_that_says_so(answer):
    """An odd answer of Secrets Manager is one of our errors, which names the secret."""
    secret_error(answer)


@pytest.mark.parametrize("refusal", [{"__type": HOSTILE}, {"__type": "AccessDenied", "message": HOSTILE}])
def test_what_secrets_manager_says_cannot_act_on_a_terminal(refusal):
    """Lambda logs the text of an error as it is; a trace shows no other text than that."""
    error = secret_error(compact(refusal), status=400)
    assert str(error).isprintable()
    assert len(str(error)) < 1000
    assert error.__suppress_context__


@pytest.mark.parametrize("headers", [b"", b"Content-Type: text/html\r\n"])
@pytest.mark.parametrize("store", ["checkpoint", "rejected"])
def test_what_s3_does_not_confirm_is_not_written(store, headers):
    """Status 200 without an ETag comes from a proxy, not from S3: the position is not taken for committed."""

    def serve(peer):
        peer.read_head()
        peer.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n%b\r\n<html>" % headers)

    with RawServer(serve) as aws:
        s3 = botocore.session.get_session().create_client(
            "s3",
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{aws.port}",
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )
        clock = SystemClock()
        lines = [RejectedLine(b"x", 1, "odd", clock.now())]
        write = {
            "checkpoint": CheckpointStore(s3, "state", "us", clock).acquire,
            "rejected": lambda: RejectedStore(s3, "state", "us", clock, redactor=Redactor("api-token")).write(lines),
        }[store]
        with pytest.raises(CheckpointError, match="could not be"):
            write()
        s3.close()

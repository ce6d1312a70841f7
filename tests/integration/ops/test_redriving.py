"""Redriving: what was given up goes back into the stream, whole and once, and nothing is removed before."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ResponseStreamingError

from ops import redriving
from ops.errors import OpsError
from tests.support.failed_batches import BUCKET, KEY, STREAM, failure, in_stream, left, put, run, updates


@pytest.mark.parametrize("as_text", [True, False])
def test_records_go_back_whole_and_in_order(s3, kinesis, as_text):
    """Same bytes, same keys, same order, whether the payload is text or an object."""
    put(s3, "one", failure(updates(3), as_text=as_text))
    assert run("--confirm") == 0
    assert in_stream(kinesis) == updates(3)
    assert left(s3) == 1


def test_more_than_a_call_takes_is_sent_in_several(s3, kinesis):
    """PutRecords takes 500 records and 5 MiB."""
    put(s3, "many", failure(updates(1_201)))
    put(s3, "large", failure(updates(8, size=900_000)))
    assert run("--confirm", "--delete") == 0
    assert sorted(in_stream(kinesis)) == sorted(updates(1_201) + updates(8, size=900_000))
    assert left(s3) == 0


@pytest.mark.parametrize(
    "odd",
    [
        json.dumps({"requestContext": {}, "version": "1.0"}),
        "[" * 100_000,
        '{"requestContext":' + "9" * 5000 + "}",
        '{"requestContext":{"functionArn":"x","condition":"y"},"payload":{"Records":[5]}}',
        '{"requestContext":{"functionArn":"x","condition":"y"},"payload":"[["}',
        "",
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_failure_is_named_and_the_rest_goes(s3, kinesis, capsys, odd):
    """An object that cannot be read is not silently skipped, not removed, and stops no other."""
    put(s3, "1-odd", odd)
    put(s3, "2-fine", failure(updates(3)))
    assert run("--confirm", "--delete") == 1
    assert "aws/lambda/uuid/shardId-000000000000/1-odd: not read" in capsys.readouterr().err
    assert in_stream(kinesis) == updates(3)
    assert left(s3) == 1


@pytest.mark.parametrize("cut", [True, False], ids=["an answer that ends too early", "an object that is gone"])
def test_an_object_that_cannot_be_had_stops_no_other(s3, kinesis, capsys, cut):
    """Somebody else removed it after it was listed, or S3 closed the connection."""
    put(s3, "1-gone", failure(updates(1)))
    put(s3, "2-fine", failure(updates(2)))

    class Meanwhile:
        """S3, where the first object goes between the list and the look."""

        def get_object(self, **given):
            if cut and given["Key"].endswith("1-gone"):
                raise ResponseStreamingError(error="IncompleteRead")
            if not cut:
                s3.delete_object(Bucket=BUCKET, Key=KEY.format("1-gone"))
            return s3.get_object(**given)

        def __getattr__(self, operation):
            return getattr(s3, operation)

    wanted = redriving.Wanted(confirm=True)
    report = redriving.Redrive(Meanwhile(), kinesis, bucket=BUCKET, stream=STREAM, wanted=wanted).run()
    assert (report.records, report.kept) == (2, 1)
    assert "1-gone: " in capsys.readouterr().err
    assert len(in_stream(kinesis)) == 2


def lost_window():
    """What Lambda writes when a window's final invocation, which has no records, is given up."""
    content = json.loads(failure([], as_text=False))
    content["KinesisBatchInfo"] |= {"startSequenceNumber": "4951", "endSequenceNumber": "4987"}
    content["payload"] |= {
        "window": {"start": "2024-03-04T23:20:00Z", "end": "2024-03-04T23:21:00Z"},
        "state": {"v": 1},
        "isFinalInvokeForWindow": True,
    }
    return json.dumps(content)


@pytest.mark.parametrize("options", [["--confirm", "--delete"], []])
def test_a_windows_state_is_named_and_never_deleted(s3, kinesis, capsys, options):
    """It has no records to put back, and the object is the only copy of the window; the others go on."""
    put(s3, "1-window", lost_window())
    put(s3, "2-batch", failure(updates(3)))
    assert run(*options) == 1
    output = capsys.readouterr()
    assert "1-window: holds a window's state and no records; rebuild that window from the archive (docs" in output.err
    assert "2024-03-04T23:20:00Z to 2024-03-04T23:21:00Z, shardId-000000000000" in output.err
    assert "sequence numbers 4951 to 4987" in output.err
    assert "3 records" in output.out
    assert in_stream(kinesis) == (updates(3) if options else [])
    assert json.loads(s3.get_object(Bucket=BUCKET, Key=KEY.format("1-window"))["Body"].read())["payload"]["state"]
    assert left(s3) == (1 if options else 2)


@pytest.mark.usefixtures("kinesis")
def test_an_object_with_neither_records_nor_a_window_is_no_failure(s3, capsys):
    """Lambda writes no such thing: it is looked at by people, not removed."""
    put(s3, "empty", failure([]))
    assert run("--confirm", "--delete") == 1
    assert "empty: not read" in capsys.readouterr().err
    assert left(s3) == 1


class RefusingKinesis:
    """Refuses all records but every `of`-th in the first `times` calls: moto refuses none."""

    def __init__(self, times, of):
        self.times, self.of = times, of
        self.taken = []

    def put_records(self, StreamName, Records):  # noqa: N803 - boto3's names
        """Answer as PutRecords does, entry by entry."""
        refuses, self.times = self.times > 0, self.times - 1
        answers = []
        for n, record in enumerate(Records):
            if refuses and (n + 1) % self.of:
                answers.append({"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow down"})
            else:
                self.taken.append((record["PartitionKey"], record["Data"]))
                answers.append({"SequenceNumber": "1", "ShardId": StreamName})
        return {"Records": answers, "FailedRecordCount": sum("ErrorCode" in answer for answer in answers)}


def test_refused_records_alone_are_sent_again():
    """After a partial failure each record is in the stream once."""
    kinesis, pauses = RefusingKinesis(times=2, of=2), []
    redriving.put_back(kinesis, STREAM, updates(8), pauses.append)
    assert sorted(kinesis.taken) == sorted(updates(8))
    assert len(pauses) == 2


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"FailedRecordCount": 0, "Records": []},
        {"FailedRecordCount": 0, "Records": [{}, {}]},
        {"Records": [{"SequenceNumber": "", "ShardId": ""}, {"SequenceNumber": "1", "ErrorCode": "InternalFailure"}]},
        {"Records": [{"SequenceNumber": "1"}] * 3},
    ],
    ids=["a page", "no answers", "answers without numbers", "an empty number", "too many answers"],
)
def test_what_is_not_acknowledged_is_neither_deleted_nor_said_to_be_sent(s3, answer, capsys):
    """Status 200 alone acknowledges nothing: a record is in the stream when its answer has a sequence number."""
    put(s3, "one", failure(updates(2)))

    class Empty:
        """Kinesis behind something that answers for it."""

        def put_records(self, **_):
            return answer

    wanted = redriving.Wanted(confirm=True, delete=True)
    started = redriving.Redrive(
        s3, Empty(), bucket=BUCKET, stream=STREAM, wanted=wanted, tell=lambda _: None, pause=lambda _: None
    )
    assert started.run().kept == 1
    assert "still refused 2 of 2 records" in capsys.readouterr().err
    assert left(s3) == 1
    assert started.report.records == 0


def test_what_stays_refused_is_an_error():
    """It gives up after some attempts, and says how many are missing."""
    with pytest.raises(OpsError, match=r"stream updates: still refused 7 of 8 records"):
        redriving.put_back(RefusingKinesis(times=100, of=8), STREAM, updates(8), lambda _: None)

"""Redriving: what was given up goes back into the stream, whole and once, and nothing is removed before."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import boto3
import msgspec
import pytest
from backports import zstd
from botocore.exceptions import ResponseStreamingError

from consumer.publish.envelope_writer import HeaderedUpdate, pack
from ops import redrive, redriving
from ops.command_line import main, parser
from ops.errors import OpsError
from ops.stack import Stack

BUCKET, STREAM, STACK = "failures", "updates", "aircraft"
RESOURCES = {
    "FailuresBucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": BUCKET}},
    "UpdatesStream": {"Type": "AWS::Kinesis::Stream", "Properties": {"Name": STREAM, "ShardCount": 1}},
}
KEY = "aws/lambda/uuid/shardId-000000000000/{}"


client = cache(boto3.client)
"""One client a service: the moto server is one for all tests."""


@pytest.fixture
def s3(aws):  # noqa: ARG001 - it sends boto3 to moto
    """S3 with an on-failure bucket."""
    client("s3").create_bucket(Bucket=BUCKET)
    return client("s3")


@pytest.fixture
def kinesis(aws):  # noqa: ARG001 - it sends boto3 to moto
    """Kinesis with an empty stream of one shard."""
    client("kinesis").create_stream(StreamName=STREAM, ShardCount=1)
    return client("kinesis")


@pytest.fixture
def deployed(aws):  # noqa: ARG001 - it sends boto3 to moto
    """A stack of both, as CloudFormation made it; gives S3."""
    client("cloudformation").create_stack(StackName=STACK, TemplateBody=json.dumps({"Resources": RESOURCES}))
    return client("s3")


def failure(updates, *, as_text=True):
    """What Lambda writes to an on-failure destination in S3."""
    event = {
        "Records": [
            {
                "eventID": f"shardId-000000000000:{number}",
                "kinesis": {"partitionKey": key, "data": base64.b64encode(data).decode()},
            }
            for number, (key, data) in enumerate(updates)
        ]
    }
    return json.dumps(
        {
            "requestContext": {
                "requestId": "a7a8f5a6-5c8e-4f8e-8a57-3f1f7d7d3f10",
                "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:Alerts",
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": 51,
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0",
            "KinesisBatchInfo": {"shardId": "shardId-000000000000", "batchSize": len(updates)},
            "payload": json.dumps(event) if as_text else event,
        }
    )


def updates(count, size=20):
    """So many updates of two aircraft."""
    return [(f"A4F0A{n % 2}", b'{"n":%d,"fill":"%s"}\n' % (n, b"x" * size)) for n in range(count)]


def put(s3, key, body):
    """Put an object as Lambda does."""
    s3.put_object(Bucket=BUCKET, Key=KEY.format(key), Body=body)


def in_stream(kinesis):
    """What the stream holds, as (key, data)."""
    [shard] = kinesis.list_shards(StreamName=STREAM)["Shards"]
    iterator = kinesis.get_shard_iterator(
        StreamName=STREAM, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    found = []
    while True:
        answer = kinesis.get_records(ShardIterator=iterator, Limit=10_000)
        if not answer["Records"]:
            return found
        found += [(record["PartitionKey"], record["Data"]) for record in answer["Records"]]
        iterator = answer["NextShardIterator"]


def left(s3):
    """How many objects the bucket holds."""
    return s3.list_objects_v2(Bucket=BUCKET)["KeyCount"]


def run(*options):
    """Run the command, on a stack that is found already."""
    given = parser().parse_args(["redrive", "--stack", STACK, "--yes", *options])
    return redrive.run(Stack(STACK, {"FailuresBucket": BUCKET, "UpdatesStream": STREAM}, client), given)


@pytest.mark.parametrize("as_text", [True, False])
def test_records_go_back_whole_and_in_order(s3, kinesis, as_text):
    """Same bytes, same keys, same order, whether the payload is text or an object."""
    put(s3, "one", failure(updates(3), as_text=as_text))
    assert run("--confirm") == 0
    assert in_stream(kinesis) == updates(3)
    assert left(s3) == 1


def test_without_confirm_nothing_happens(s3, kinesis, capsys):
    """It says what it would do, and does none of it."""
    put(s3, "one", failure(updates(3)))
    assert run("--delete") == 0
    assert in_stream(kinesis) == []
    assert left(s3) == 1
    told = capsys.readouterr().out
    assert "3 records of Alerts. RetryAttemptsExhausted: 51 attempts, the last one with Unhandled" in told
    assert "nothing was changed" in told


def test_the_messages_can_be_seen_first(s3, capsys):
    """The first of each object, as they are in the stream."""
    put(s3, "one", failure(updates(3)))
    assert run("--show", "2") == 0
    assert capsys.readouterr().out.count('{"n":') == 2


def test_what_is_in_the_stream_is_not_sent_again(s3, kinesis, capsys):
    """Redriving twice is redriving once; an object that came meanwhile goes."""
    put(s3, "one", failure(updates(3)))
    assert run("--confirm") == 0
    put(s3, "two", failure(updates(2)))
    assert run("--confirm") == 0
    assert in_stream(kinesis) == updates(3) + updates(2)
    assert "/one: in the stream since 20" in capsys.readouterr().out
    assert run("--confirm", "--again", "--prefix", KEY.format("one")) == 0
    assert len(in_stream(kinesis)) == 8


def test_one_function_alone(s3, kinesis):
    """Named as people name it."""
    put(s3, "one", failure(updates(3)))
    assert run("--confirm", "--function", "aggregator") == 0
    assert in_stream(kinesis) == []
    assert run("--confirm", "--function", "alerts") == 0
    assert in_stream(kinesis) == updates(3)


def test_it_asks_before_it_acts(deployed, capsys, monkeypatch):
    """Nobody who could answer is there: nothing happens, and it is said how to go on."""
    put(deployed, "one", failure(updates(1)))
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert main(["redrive", "--stack", STACK, "--confirm"]) == 2
    assert "Give --yes as well" in capsys.readouterr().err
    assert in_stream(client("kinesis")) == []


@pytest.mark.usefixtures("kinesis")
def test_the_report_says_what_became_of_each_object(s3, tmp_path, capsys):
    """As a file, and as JSON on standard output."""
    put(s3, "1-odd", "")
    put(s3, "2-fine", failure(updates(2)))
    assert run("--confirm", "--json", "--report", str(tmp_path / "report.json")) == 1
    report = json.loads((tmp_path / "report.json").read_text())
    assert report == json.loads(capsys.readouterr().out)
    assert (report["records"], report["kept"]) == (2, 1)
    assert [("problem" in one, one.get("sent")) for one in report["objects"]] == [(True, None), (False, True)]


@pytest.mark.usefixtures("s3")
def test_a_stack_that_is_not_there_is_named(capsys):
    """With what to do."""
    assert main(["redrive", "--stack", "nope"]) == 2
    assert "ops: stack nope: not found in us-east-1. Check the name" in capsys.readouterr().err


def test_more_than_a_call_takes_is_sent_in_several(s3, kinesis):
    """PutRecords takes 500 records and 5 MiB."""
    put(s3, "many", failure(updates(1_201)))
    put(s3, "large", failure(updates(8, size=900_000)))
    assert run("--confirm", "--delete") == 0
    assert sorted(in_stream(kinesis)) == sorted(updates(1_201) + updates(8, size=900_000))
    assert left(s3) == 0


def test_only_the_prefix_asked_for(s3, kinesis):
    """One function's objects can be redriven without another's."""
    put(s3, "one", failure(updates(1)))
    s3.put_object(Bucket=BUCKET, Key="aws/lambda/other/two", Body=failure(updates(2)))
    assert run("--confirm", "--prefix", "aws/lambda/other/") == 0
    assert in_stream(kinesis) == updates(2)


def enveloped(singles, shard):
    """The updates as the consumer would have put them, in one envelope."""
    made = []
    for key, data in singles:
        whole = json.dumps({"icao_address": key, "timestamp": "2024-03-04T23:23:59Z"} | json.loads(data)).encode()
        made.append(msgspec.json.decode(whole, type=HeaderedUpdate))
        made[-1].data = whole
    ((record, *_),) = pack(made, shard, 1_000_000)
    return (shard, record), [(update.icao_address, update.data + b"\n") for update in made]


def test_the_updates_of_an_envelope_go_back_one_by_one(s3, kinesis):
    """Put back whole, it might come into a shard that it does not name, where every reader passes over it."""
    envelope, singles = enveloped(updates(3), "shardId-000000000000")
    put(s3, "one", failure([*updates(1), envelope, *updates(1)]))
    assert run("--confirm") == 0
    assert in_stream(kinesis) == [*updates(1), *singles, *updates(1)]


def test_a_misplaced_envelope_does_not_go_back(s3, kinesis):
    """Whoever wrote it has sent its updates again already."""
    misplaced, _ = enveloped(updates(3), "shardId-000000000009")
    put(s3, "one", failure([misplaced]))
    assert run("--confirm") == 0
    assert in_stream(kinesis) == []


def test_a_damaged_envelope_goes_back_as_it_is(s3, kinesis):
    """The consumers count it; there is nothing to take out of it."""
    (key, data), _ = enveloped(updates(3), "shardId-000000000000")
    put(s3, "one", failure([(key, data[:-20])]))
    assert run("--confirm") == 0
    assert in_stream(kinesis) == [(key, data[:-20])]


@pytest.mark.usefixtures("kinesis")
def test_an_envelope_of_a_later_version_stays_where_it_is(s3, capsys):
    """Older tools must not take it for nothing, and remove it."""
    (key, data), _ = enveloped(updates(3), "shardId-000000000000")
    put(s3, "later", failure([(key, data.replace(b'"v":1', b'"v":2'))]))
    assert run("--confirm", "--delete") == 1
    assert "later: a record holds an envelope of version 2" in capsys.readouterr().err
    assert left(s3) == 1


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
    """An object that cannot be read is not passed over in silence, not removed, and stops no other."""
    put(s3, "1-odd", odd)
    put(s3, "2-fine", failure(updates(3)))
    assert run("--confirm", "--delete") == 1
    assert "aws/lambda/uuid/shardId-000000000000/1-odd: not read" in capsys.readouterr().err
    assert in_stream(kinesis) == updates(3)
    assert left(s3) == 1


def lines_in_an_envelope(*lines):
    """One record that holds these lines, as an envelope of the shard does."""
    text = b"".join(line + b"\n" for line in lines)
    packed = base64.b64encode(zstd.compress(text))
    return "shardId-000000000000", b'{"v":1,"n":%d,"shard":"shardId-000000000000","z":"%b"}\n' % (len(lines), packed)


def line(**fields):
    """An update's line."""
    return json.dumps({"icao_address": "A4F0AB", "timestamp": "2024-03-04T23:23:59Z"} | fields).encode()


def test_a_line_with_a_number_that_python_does_not_read_goes_back(s3, kinesis):
    """Only the address is read of a line: what else is in it is not this tool's business."""
    odd = line()[:-1] + b',"n":' + b"9" * 5000 + b',"m":1e999}'
    put(s3, "one", failure([lines_in_an_envelope(line(), odd)]))
    assert run("--confirm", "--delete") == 0
    assert in_stream(kinesis) == [("A4F0AB", line() + b"\n"), ("A4F0AB", odd + b"\n")]


def test_lines_of_an_envelope_go_back_as_a_consumer_would_put_them(s3, kinesis):
    """By the one key of their aircraft, however it is written; and none is taken for an envelope by its beginning."""
    padded, odd = line(icao_address=" a4f0ab "), b'{"v":2,"n":1,' + line()[1:]
    put(s3, "one", failure([lines_in_an_envelope(padded, odd)]))
    assert run("--confirm") == 0
    assert in_stream(kinesis) == [("A4F0AB", padded + b"\n"), ("A4F0AB", b"{ " + odd[1:] + b"\n")]


TOO_LONG = line(fill="")[:-2] + b"x" * (1024 * 1024 - len(line(fill="")) - 6) + b'"}'


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (b'{"icao_address":"A4F0AB","x":' + b"[" * 100_000, "no icao_address could be read of its 100,029 bytes"),
        (b'{"icao_address":5}', "no icao_address could be read"),
        (TOO_LONG, "with its key it has 1,048,577 bytes; a record takes 1,048,576"),
        (b'{"icao_address":""}', "a partition key takes 1 to 256 characters, and its icao_address has 0"),
    ],
    ids=["nested", "no text", "too large", "empty"],
)
def test_a_line_that_cannot_go_back_is_named_and_the_rest_goes(s3, kinesis, capsys, odd, said):
    """Neither the other lines of its record nor the other objects wait for it; its object stays."""
    put(s3, "1-odd", failure([lines_in_an_envelope(line(), odd), *updates(1)]))
    put(s3, "2-fine", failure(updates(2)))
    assert run("--confirm", "--delete") == 1
    told = capsys.readouterr()
    assert f"1-odd: 1 lines cannot go back (record 1, line 2: {said}" in told.err
    assert told.out.endswith("4 records are back in updates; 1 objects did not go as a whole\n")
    assert len(in_stream(kinesis)) == 4
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


def command(environment, *options, stdout=subprocess.PIPE):
    """Run the command in a process of its own, with this environment and no other settings of AWS."""
    nowhere = {"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.run(
        [sys.executable, "-m", "ops", "redrive", "--stack", STACK, "--yes", *options],
        env=plain | nowhere | {"AWS_EC2_METADATA_DISABLED": "true"} | environment,
        cwd=Path(redrive.__file__).parents[1],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
REGION = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (KEYS, "no region is set. Give --region"),
        (REGION, "no AWS credentials were found. Give --profile"),
        (REGION | {"AWS_PROFILE": "nope"}, "The config profile (nope) could not be found. Give --profile"),
    ],
    ids=["no region", "no credentials", "no profile"],
)
def test_what_aws_needs_is_asked_for_in_a_sentence(environment, said):
    """No traceback, and an exit code that says that nothing went."""
    done = command(environment)
    assert done.returncode == 2
    assert done.stderr.startswith(f"ops: {said}")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("place", ["/dev/full", "no/such/folder/report.json"])
def test_a_report_that_cannot_be_written_stops_the_work_before_it_begins(s3, kinesis, place):
    """Nothing is sent, and the error says where the report could not go."""
    put(s3, "one", failure(updates(2)))
    with pytest.raises(OpsError, match=f"--report .*{place}.*Nothing was done"):
        run("--confirm", "--report", place)
    assert in_stream(kinesis) == []


def test_a_stream_that_is_not_there_is_named(deployed, capsys):
    """It is the same for every object: it ends there, and keeps them all."""
    put(deployed, "one", failure(updates(1)))
    put(deployed, "two", failure(updates(1)))
    client("kinesis").delete_stream(StreamName=STREAM)
    assert main(["redrive", "--stack", STACK, "--yes", "--confirm", "--delete"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert left(deployed) == 2


@pytest.mark.parametrize("reader", ["full", "gone"])
def test_an_output_that_cannot_be_written_stops_no_record(aws, deployed, reader):
    """The records go to the end; a full disk is told of and counts, a reader that has seen enough does not."""
    for name in range(3):
        put(deployed, f"{name}", failure(updates(2)))
    if reader == "full":
        stdout = os.open("/dev/full", os.O_WRONLY)
    else:
        left_open, stdout = os.pipe()
        os.close(left_open)
    done = command(KEYS | REGION | {"AWS_ENDPOINT_URL": aws}, "--confirm", stdout=stdout)
    os.close(stdout)
    assert done.returncode == (1 if reader == "full" else 0)
    assert ("No space left on device" in done.stderr) is (reader == "full")
    assert "Traceback" not in done.stderr
    assert len(in_stream(client("kinesis"))) == 6


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
    told = capsys.readouterr()
    assert "1-window: holds a window's state and no records; rebuild that window from the archive (docs" in told.err
    assert "2024-03-04T23:20:00Z to 2024-03-04T23:21:00Z, shardId-000000000000" in told.err
    assert "sequence numbers 4951 to 4987" in told.err
    assert "3 records" in told.out
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

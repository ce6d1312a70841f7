"""The proxy before AWS: what a real client sees of each fault, and what was carried out behind its back."""

from __future__ import annotations

import contextlib
import socket
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from local.faults.aws.calls import Call
from local.faults.aws.plan import Fault, FaultKind, FaultPlan, FaultRule, lost_answers


def put(kinesis, *values):
    """Put records, and give the answer."""
    return kinesis.put_records(StreamName="updates", Records=[{"Data": value, "PartitionKey": "a"} for value in values])


def failure(error):
    """A refused call's error code and HTTP status."""
    return error.value.response["Error"]["Code"], error.value.response["ResponseMetadata"]["HTTPStatusCode"]


# ------------------------------------------------------------------------------------------------ without faults
def test_a_call_passes_unchanged(client, bucket):
    """Body, key and headers come through, and so does the answer."""
    s3 = client("s3")
    etag = s3.put_object(Bucket=bucket, Key="a b/ü+.json", Body=b"content", ContentType="text/x-test")["ETag"]
    answer = s3.get_object(Bucket=bucket, Key="a b/ü+.json")
    assert (answer["Body"].read(), answer["ETag"], answer["ContentType"]) == (b"content", etag, "text/x-test")
    assert s3.head_object(Bucket=bucket, Key="a b/ü+.json")["ContentLength"] == 7


def test_conditional_writes_pass(client, bucket):
    """A stale If-Match is refused through the proxy as well: fencing depends on it."""
    s3 = client("s3")
    s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch='"stale"')
    assert failure(error) == ("PreconditionFailed", 412)


def test_five_megabytes_pass(client, stream):
    """A batch as large as Kinesis takes them comes through in one piece."""
    values = [bytes([65 + number]) * 1_000_000 for number in range(5)]
    assert put(client("kinesis"), *values)["FailedRecordCount"] == 0
    assert stream() == values


def test_a_body_in_chunks_passes(client, bucket):
    """A body without a known length, which botocore sends in chunks, arrives as its content."""
    s3 = client("s3", request_checksum_calculation="when_required")

    def prepare(request, **_):
        request.headers.pop("Content-Length", None)
        request.headers["Transfer-Encoding"] = "chunked"
        request.body = iter([b"first ", b"second"])

    s3.meta.events.register("before-send.s3.PutObject", prepare)
    s3.put_object(Bucket=bucket, Key="k", Body=b"first second")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"first second"


@pytest.mark.usefixtures("stream")
def test_calls_are_recognised_in_every_protocol(client, proxy, bucket):
    """JSON, query and S3's REST calls are logged with caller, service, operation and resource."""
    own = client("s3")
    own.put_object(Bucket=bucket, Key="k", Body=b"")
    own.list_objects_v2(Bucket=bucket, Prefix="k")
    own.get_bucket_acl(Bucket=bucket)
    put(client("kinesis"), b"1")
    topic = client("sns").create_topic(Name="alerts")["TopicArn"]
    client("sns", caller="AlertsFunction").publish(TopicArn=topic, Message="m")
    seen = [(one.caller, one.service, one.operation, one.resource) for one in proxy.calls if one.caller != "Operator"]
    assert seen == [
        ("ConsumerFunction", "s3", "PutObject", "arn:aws:s3:::state/k"),
        ("ConsumerFunction", "s3", "ListObjectsV2", "arn:aws:s3:::state"),
        ("ConsumerFunction", "s3", "unknown", ""),
        ("ConsumerFunction", "kinesis", "PutRecords", "arn:aws:kinesis:us-east-1:123456789012:stream/updates"),
        ("ConsumerFunction", "sns", "CreateTopic", ""),
        ("AlertsFunction", "sns", "Publish", topic),
    ]


# ------------------------------------------------------------------------------------------------ refused calls
CALLS = {
    "kinesis": lambda client: put(client, b"1"),
    "dynamodb": lambda client: client.put_item(TableName="t", Item={}),
    "firehose": lambda client: client.put_record_batch(DeliveryStreamName="d", Records=[{"Data": b"1"}]),
    "secretsmanager": lambda client: client.get_secret_value(SecretId="s"),
    "sns": lambda client: client.publish(TopicArn="arn:aws:sns:us-east-1:123456789012:t", Message="m"),
    "s3": lambda client: client.put_object(Bucket="b", Key="k", Body=b""),
    "sqs": lambda client: client.get_queue_url(QueueName="q"),
}


@pytest.mark.parametrize(
    ("service", "code", "status"),
    [
        ("kinesis", "ProvisionedThroughputExceededException", 400),
        ("dynamodb", "ThrottlingException", 400),
        ("firehose", "ServiceUnavailableException", 500),
        ("secretsmanager", "ThrottlingException", 400),
        ("sns", "Throttling", 400),
        ("s3", "SlowDown", 503),
        ("sqs", "RequestThrottled", 403),
    ],
)
def test_throttling_has_the_service_s_own_shape(client, inject, service, code, status):
    """Botocore reads the code and the status that the service itself would send."""
    inject(service, FaultKind.THROTTLED)
    with pytest.raises(ClientError) as error:
        CALLS[service](client(service))
    assert failure(error) == (code, status)
    assert error.value.response["Error"]["Message"] == "Rate exceeded"


@pytest.mark.parametrize(
    ("service", "code"),
    [
        ("kinesis", "InternalFailure"),
        ("dynamodb", "InternalServerError"),
        ("firehose", "InternalFailure"),
        ("secretsmanager", "InternalServiceError"),
        ("sns", "InternalError"),
        ("s3", "InternalError"),
    ],
)
def test_server_errors_have_the_service_s_own_shape(client, inject, service, code):
    """A 500 comes with the service's own code."""
    inject(service, FaultKind.SERVER_ERROR)
    with pytest.raises(ClientError) as error:
        CALLS[service](client(service))
    assert failure(error) == (code, 500)


@pytest.mark.parametrize("kind", [FaultKind.THROTTLED, FaultKind.SERVER_ERROR, FaultKind.DENIED, FaultKind.RESET])
def test_what_is_refused_is_not_carried_out(client, inject, stream, kind):
    """Nothing is in the stream after a refused or a reset call; the next one works, on the same client."""
    kinesis = client("kinesis")
    inject("kinesis", kind, operation="PutRecords", calls={1})
    with pytest.raises((ClientError, ConnectionClosedError)):
        put(kinesis, b"1")
    assert stream() == []
    put(kinesis, b"2")
    assert stream() == [b"2"]


@pytest.mark.usefixtures("stream")
def test_a_reset_is_seen_as_one(client, inject):
    """The client's socket reports a reset, not a clean end."""
    inject("kinesis", FaultKind.RESET, operation="PutRecords")
    with pytest.raises(ConnectionClosedError) as error:
        put(client("kinesis"), b"1")
    assert "Connection reset by peer" in str(error.value.kwargs["error"])


# --------------------------------------------------------------------------------------------- ambiguous answers
def test_a_call_whose_answer_is_lost_was_carried_out(client, inject, stream):
    """The client sees a closed connection, and the records are there."""
    inject("kinesis", FaultKind.ANSWER_LOST, operation="PutRecords", calls={1})
    with pytest.raises(ConnectionClosedError):
        put(client("kinesis"), b"1")
    assert stream() == [b"1"]


def test_a_lost_answer_is_retried_by_a_client_that_does(proxy, inject, stream):
    """Botocore's own retry sends the batch again: it then is there twice."""
    inject("kinesis", FaultKind.ANSWER_LOST, operation="PutRecords", calls={1})
    config = Config(retries={"mode": "standard", "total_max_attempts": 2})
    kinesis = boto3.client("kinesis", endpoint_url=proxy.url, config=config)
    put(kinesis, b"1")
    kinesis.close()
    assert stream() == [b"1", b"1"]


@pytest.mark.parametrize("kind", [FaultKind.DELAYED, FaultKind.ANSWER_DELAYED])
def test_a_delayed_call_is_answered_in_the_end(client, inject, stream, clock, kind):
    """It waits as long as planned, and is carried out once."""
    inject("kinesis", kind, operation="PutRecords", seconds=2.5)
    assert put(client("kinesis"), b"1")["FailedRecordCount"] == 0
    assert clock.waits == [2.5]
    assert stream() == [b"1"]


# ------------------------------------------------------------------------------------------------- partial failure
def test_a_batch_fails_in_part(client, inject, stream):
    """The refused entries carry an error at their own place, the others are in the stream, in order."""
    inject("kinesis", FaultKind.PARTIAL, operation="PutRecords", entries=frozenset({0, 2, 9}))
    answer = put(client("kinesis"), b"0", b"1", b"2", b"3")
    assert answer["FailedRecordCount"] == 2
    assert [entry.get("ErrorCode") for entry in answer["Records"]] == [
        "ProvisionedThroughputExceededException",
        None,
        "ProvisionedThroughputExceededException",
        None,
    ]
    assert ["SequenceNumber" in entry for entry in answer["Records"]] == [False, True, False, True]
    assert stream() == [b"1", b"3"]


def test_a_batch_may_fail_in_every_part(client, inject, stream):
    """All entries refused is an answer of status 200 with nothing carried out."""
    inject("kinesis", FaultKind.PARTIAL, operation="PutRecords", share=1.0)
    answer = put(client("kinesis"), b"0", b"1")
    assert answer["FailedRecordCount"] == 2
    assert stream() == []


@pytest.mark.usefixtures("stream")
def test_a_drawn_subset_follows_from_the_seed(client, inject):
    """The same seed refuses the same entries, another seed others, and at least one is refused."""
    refused = []
    for seed in (1, 1, 2):
        inject("kinesis", FaultKind.PARTIAL, operation="PutRecords", share=0.3, seed=seed)
        answer = put(client("kinesis"), *(b"%d" % number for number in range(40)))
        refused.append([number for number, entry in enumerate(answer["Records"]) if "ErrorCode" in entry])
    assert refused[0] == refused[1] != refused[2]
    inject("kinesis", FaultKind.PARTIAL, operation="PutRecords", share=0.0)
    assert put(client("kinesis"), b"0", b"1")["FailedRecordCount"] == 1


def test_firehose_fails_in_part_too(client, inject, bucket):
    """PutRecordBatch answers with Firehose's own fields, aligned."""
    firehose = client("firehose")
    firehose.create_delivery_stream(
        DeliveryStreamName="rows",
        ExtendedS3DestinationConfiguration={
            "BucketARN": f"arn:aws:s3:::{bucket}",
            "RoleARN": "arn:aws:iam::123456789012:role/r",
        },
    )
    inject("firehose", FaultKind.PARTIAL, operation="PutRecordBatch", entries=frozenset({1}))
    answer = firehose.put_record_batch(
        DeliveryStreamName="rows", Records=[{"Data": b"a\n"}, {"Data": b"b\n"}, {"Data": b"c\n"}]
    )
    assert answer["FailedPutCount"] == 1
    assert [entry.get("ErrorCode") for entry in answer["RequestResponses"]] == [
        None,
        "ServiceUnavailableException",
        None,
    ]
    s3 = client("s3")
    bodies = [
        s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
        for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]
    ]
    assert b"".join(bodies) == b"a\nc\n"


def test_only_batches_fail_in_part():
    """A rule for a partial failure of anything else is refused with what it may be about."""
    with pytest.raises(ValueError, match=r"s3 PutObject: cannot fail in part; expected one of firehose PutRecordBatch"):
        FaultRule(service="s3", operation="PutObject", fault=Fault(kind=FaultKind.PARTIAL))


# -------------------------------------------------------------------------------------------------- which calls
def outcomes(client, service="secretsmanager", count=6, **caller):
    """Which of so many calls failed with the fault, as a row of letters."""
    found = ""
    for _ in range(count):
        with pytest.raises(ClientError) as error:
            CALLS[service](client(service, **caller))
        found += "x" if failure(error)[0] == "InternalServiceError" else "."
    return found


def test_a_schedule_names_the_calls(client, inject):
    """The first and the third matching call fail, no other."""
    inject("secretsmanager", FaultKind.SERVER_ERROR, calls={1, 3})
    assert outcomes(client) == "x.x..."


def test_a_rule_may_be_about_one_caller(client, inject):
    """Another function's calls are neither failed nor counted."""
    inject("secretsmanager", FaultKind.SERVER_ERROR, caller="AlertsFunction", calls={2})
    assert outcomes(client, count=3) == "..."
    assert outcomes(client, count=3, caller="AlertsFunction") == ".x."


def test_a_rule_may_be_about_one_operation(client, inject):
    """Another operation of the service is left alone."""
    inject("secretsmanager", FaultKind.SERVER_ERROR, operation="PutSecretValue")
    assert outcomes(client) == "......"


def test_chance_follows_from_the_seed(client, inject):
    """The same seed fails the same calls, another seed others."""
    rows = []
    for seed in (7, 7, 8):
        inject("secretsmanager", FaultKind.SERVER_ERROR, probability=0.5, seed=seed)
        rows.append(outcomes(client, count=12))
    assert rows[0] == rows[1] != rows[2]
    assert set(rows[0]) == {"x", "."}


@pytest.mark.usefixtures("stream")
def test_faults_are_counted_by_call_and_kind(client, proxy):
    """What was injected can be reported, and every call says what became of it."""
    proxy.inject(
        FaultPlan(
            (
                FaultRule(service="kinesis", calls=frozenset({1}), fault=Fault(kind=FaultKind.THROTTLED)),
                FaultRule(service="kinesis", calls=frozenset({1, 2}), fault=Fault(kind=FaultKind.ANSWER_LOST)),
            )
        )
    )
    kinesis = client("kinesis")
    for _ in range(2):
        with pytest.raises((ClientError, ConnectionClosedError)):
            put(kinesis, b"1")
    put(kinesis, b"1")
    call = Call("ConsumerFunction", "kinesis", "PutRecords")
    assert proxy.injected == {(call, FaultKind.THROTTLED): 1, (call, FaultKind.ANSWER_LOST): 1}
    assert [(one.outcome, one.status) for one in proxy.calls if one.operation == "PutRecords"] == [
        ("throttled", 400),
        ("answer_lost", None),
        ("answered", 200),
    ]


def test_a_lost_answer_excuses_nobody_but_whose_call_it_was(client, proxy, bucket):
    """The verdict of a schedule must not forgive repeated alerts for an answer that the consumer lost."""
    lost = Fault(kind=FaultKind.ANSWER_LOST)
    first = frozenset({1})
    alerts = FaultRule(service="sns", operation="Publish", caller="AlertsFunction", fault=lost, calls=first)
    consumer = FaultRule(service="s3", operation="PutObject", caller="ConsumerFunction", fault=lost, calls=first)
    proxy.inject(FaultPlan((alerts, consumer)))
    s3 = client("s3")
    with pytest.raises(ConnectionClosedError):
        s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert lost_answers(proxy.injected, "ConsumerFunction", "s3") == {"answer_lost s3 PutObject"}
    assert lost_answers(proxy.injected, "ConsumerFunction", "kinesis") == set()
    assert lost_answers(proxy.injected, "AlertsFunction", "s3") == set()


def test_hot_keys_are_refused_and_always_the_same(client, stream, inject):
    """As if their shard were hot: the others' records are put, call after call."""
    kinesis = client("kinesis")
    inject("kinesis", FaultKind.HOT_KEYS, operation="PutRecords", share=0.3)
    entries = [{"Data": f"{n}".encode(), "PartitionKey": f"key{n}"} for n in range(50)]
    answers = [kinesis.put_records(StreamName="updates", Records=entries) for _ in range(2)]
    refused = [[n for n, one in enumerate(answer["Records"]) if "ErrorCode" in one] for answer in answers]
    assert refused[0] == refused[1]
    assert 5 < len(refused[0]) < 25
    assert [answer["FailedRecordCount"] for answer in answers] == [len(refused[0])] * 2
    put = [f"{n}".encode() for n in range(50) if n not in refused[0]]
    assert stream() == put * 2


def test_hot_keys_are_for_records_that_have_some():
    """Another operation's rule is refused by name."""
    with pytest.raises(ValueError, match="s3 PutObject: has no partition keys"):
        FaultRule(service="s3", operation="PutObject", fault=Fault(kind=FaultKind.HOT_KEYS))


def test_an_odd_answer_acknowledges_nothing(client, proxy, stream, inject):
    """Status 200, and a body without a sequence number for each record; none is put."""
    kinesis = client("kinesis")
    inject("kinesis", FaultKind.ODD_ANSWER, operation="PutRecords")
    entries = [{"Data": b"x", "PartitionKey": "key"}] * 3
    for _ in range(10):
        with contextlib.suppress(Exception):  # the SDK takes some for an answer, and fails at others
            answer = kinesis.put_records(StreamName="updates", Records=entries)
            assert not any("SequenceNumber" in one for one in answer.get("Records", []))
    assert {call.status for call in proxy.calls if call.operation == "PutRecords"} == {200}
    assert stream() == []


_KINESIS = (
    b"X-Amz-Target: Kinesis_20131202.PutRecords\r\nContent-Length: 90\r\n\r\n" + b'{"StreamName": "updates", "Rec'
)
_S3_LENGTH = b"Content-Length: 10\r\n\r\n12345"
_S3_CHUNK = b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n5\r\n123"
_S3_LAST = b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST / HTTP/1.1\r\n" + _KINESIS,
        b"PUT /data/k HTTP/1.1\r\n" + _S3_LENGTH,
        b"PUT /data/k HTTP/1.1\r\n" + _S3_CHUNK,
        b"PUT /data/k HTTP/1.1\r\n" + _S3_LAST,
    ],
    ids=["json", "length", "chunk", "trailers"],
)
def test_a_request_that_its_client_did_not_end_is_none(proxy, request_bytes):
    """A function that is killed while it sends has not called: half an object must not be stored."""
    address = urlsplit(proxy.url)
    with socket.create_connection((address.hostname, address.port)) as sending:
        sending.sendall(request_bytes)
        sending.shutdown(socket.SHUT_WR)
        assert sending.recv(1_000) == b""
    assert proxy.calls == ()


def test_whose_calls_are_spared_has_no_faults_until_the_next_plan(client, proxy, bucket, inject):
    """Of that service, and of nobody else."""
    inject("s3", FaultKind.THROTTLED, operation="PutObject")
    proxy.spare("AggregatorFunction", "s3")
    client("s3", caller="AggregatorFunction").put_object(Bucket=bucket, Key="k", Body=b"")
    with pytest.raises(ClientError):
        client("s3").put_object(Bucket=bucket, Key="k", Body=b"")
    inject("s3", FaultKind.THROTTLED, operation="PutObject")
    with pytest.raises(ClientError):
        client("s3", caller="AggregatorFunction").put_object(Bucket=bucket, Key="k", Body=b"")

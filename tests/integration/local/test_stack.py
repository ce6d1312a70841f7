"""The real template in a real moto: what is made, and what is read back."""

from __future__ import annotations

import json
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.audit.sinks import Sinks
from local.aws.moto import Cloud
from local.aws.template import TemplateError
from local.deploy import create

PARAMETERS = {
    "StreamUrl": "http://127.0.0.1:8080/v2/targets/stream",
    "StartPosition": "BEGINNING",
    "StreamMode": "PROVISIONED",
    "ShardCount": "3",
    "WindowSeconds": "7",
}


@pytest.fixture(scope="module")
def cloud():
    """The moto process of a local run."""
    cloud = Cloud()
    yield cloud
    cloud.stop()


@pytest.fixture(scope="module")
def stack(cloud, repository):
    """The stack of `template.yaml`, as a local run creates it."""
    return create(
        cloud,
        repository / "template.yaml",
        name="local",
        parameters=PARAMETERS,
        secret_value="the token",
        timeouts={"ConsumerFunction": 20},
    )


def test_the_functions_are_read_back_with_their_settings(stack):
    """Handler, timeout, memory, concurrency and environment are the template's, parameters filled in."""
    consumer = stack.functions["ConsumerFunction"]
    assert (consumer.handler, consumer.timeout, consumer.reserved_concurrency) == ("consumer.handler.handler", 20, 1)
    assert consumer.environment["STREAM_URL"] == PARAMETERS["StreamUrl"]
    assert consumer.environment["STATE_BUCKET"] == stack.resources["StateBucket"]
    assert consumer.environment["UPDATES_STREAM_NAME"] == stack.resources["UpdatesStream"]
    assert stack.functions["AggregatorFunction"].timeout == 60
    assert all(type(value) is str for one in stack.functions.values() for value in one.environment.values())


def test_the_secret_holds_the_token_under_the_arn_the_consumer_gets(cloud, stack):
    """The ARN in the environment is a full one, six random characters included."""
    arn = stack.functions["ConsumerFunction"].environment["API_TOKEN_SECRET_ARN"]
    assert arn.startswith("arn:aws:secretsmanager:us-east-1:123456789012:secret:")
    assert cloud.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"] == "the token"


def test_the_event_source_mappings_have_all_their_settings(stack):
    """Window, filter, partial failures, retries, age and destination survive the way through CloudFormation."""
    by_function = {stack.function(one.function_arn).logical_id: one for one in stack.mappings}
    aggregator, alerts = by_function["AggregatorFunction"], by_function["AlertsFunction"]
    assert (aggregator.tumbling_window, aggregator.record_filter) == (7, None)
    assert aggregator.on_failure == f"arn:aws:s3:::{stack.resources['FailuresBucket']}"
    assert alerts.record_filter(b'{"squawk": "7700"}')
    assert not alerts.record_filter(b'{"squawk": "1000"}')
    for one in (aggregator, alerts):
        assert one.stream_name == stack.resources["UpdatesStream"]
        assert (one.starting_position, one.bisect, one.report_batch_item_failures) == ("TRIM_HORIZON", True, True)
        assert one.role_arn == stack.function(one.function_arn).role_arn


def test_the_schedule_is_the_rule_with_the_queue_s_settings(stack):
    """The rate is the rule's, age and retries those of the function's asynchronous invocations."""
    schedules = {stack.function(one.function_arn).logical_id: one for one in stack.schedules}
    consumer, archive = schedules["ConsumerFunction"], schedules["ArchiveFunction"]
    assert (consumer.every, consumer.enabled) == (60, True)
    assert (consumer.maximum_event_age, consumer.maximum_retries) == (60, 0)
    assert (archive.every, archive.enabled) == (3600, True)
    assert (archive.maximum_event_age, archive.maximum_retries) == (3600, 1)


def test_the_delivery_stream_from_kinesis_has_its_settings(stack):
    """Source, prefix and buffers survive the way through CloudFormation."""
    (delivery,) = stack.deliveries
    assert delivery.stream_arn.endswith(f":stream/{stack.resources['UpdatesStream']}")
    assert delivery.bucket == stack.resources["DataBucket"]
    assert delivery.prefix == "raw/date=!{timestamp:yyyy-MM-dd}/hour=!{timestamp:HH}/"
    assert (delivery.extension, delivery.interval, delivery.megabytes) == (".ndjson.gz", 300, 64)


def test_the_stream_has_the_shards_that_were_asked_for(cloud, stack):
    """--shards reaches Kinesis."""
    shards = cloud.client("kinesis").list_shards(StreamName=stack.resources["UpdatesStream"])["Shards"]
    assert len(shards) == 3


def test_the_rows_delivery_stream_writes_to_the_data_bucket(cloud, stack):
    """What the aggregator puts into Firehose is found where the ledger looks for it."""
    name = stack.functions["AggregatorFunction"].environment["WINDOW_ROWS_STREAM_NAME"]
    cloud.client("firehose").put_record_batch(DeliveryStreamName=name, Records=[{"Data": b"one\n"}, {"Data": b"two\n"}])
    assert Sinks(cloud, stack).rows() == [b"one", b"two"]


def test_what_is_left_out_is_said(stack):
    """Nothing vanishes in silence: the alarms are named, with the reason."""
    assert "AWS::CloudWatch::Alarm" in stack.left_out["ConsumerErrorsAlarm"]


def test_a_put_that_overlaps_another_loses_nothing(cloud, stack):
    """Moto by itself gives two records of overlapping calls one sequence number: here calls go in one at a time."""
    kinesis, stream = cloud.client("kinesis"), stack.resources["UpdatesStream"]
    records = [{"Data": b"{}", "PartitionKey": str(number)} for number in range(100)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: kinesis.put_records(StreamName=stream, Records=records), range(24)))
    assert len(list(Sinks(cloud, stack).records())) == 2400


def test_an_alert_s_notification_is_counted_once(cloud, stack):
    """The local stack subscribes to the topic; the newest subjects are there to be shown."""
    sinks = Sinks(cloud, stack)
    for number in range(7):
        cloud.client("sns").publish(
            TopicArn=stack.resources["AlertsTopic"], Subject=f"subject {number}", Message="text"
        )
    assert sinks.alerts().count == 7
    assert sinks.alerts().count == 7
    assert sinks.alerts().newest[-1] == "subject 6"


def test_dead_letters_and_rejected_lines_are_counted_by_line(cloud, stack):
    """A dead letter counts its records, a window's lost state as one; rejected lines come back as they were."""
    s3, sinks = cloud.client("s3"), Sinks(cloud, stack)
    for key, batch in (("a", {"batchSize": 3}), ("b", {"batchSize": 0})):
        body = json.dumps({"KinesisBatchInfo": batch, "payload": "..."})
        s3.put_object(Bucket=stack.resources["FailuresBucket"], Key=f"aws/lambda/{key}", Body=body)
    lines = '{"reason": "r", "line": "bad"}\n{"reason": "r", "line_base64": "/w=="}\n'
    s3.put_object(Bucket=stack.resources["StateBucket"], Key="rejected/2024/x.ndjson", Body=lines)
    assert sinks.dead_letters() == 4
    assert sinks.rejected_lines() == [b"bad", b"\xff"]


def test_a_checkpoint_that_is_not_there_has_no_token(cloud, stack):
    """Before the first commit nothing is covered."""
    sinks = Sinks(cloud, stack)
    assert sinks.position_token() is None
    body = json.dumps({"version": 1, "position_token": "token", "lease": None})
    cloud.client("s3").put_object(Bucket=stack.resources["StateBucket"], Key="checkpoint.json", Body=body)
    assert sinks.position_token() == "token"


def test_a_rule_that_is_no_rate_is_refused(tmp_path):
    """A schedule the local stack cannot tick must not be ignored."""
    (tmp_path / "template.yaml").write_text(
        "Resources: {F: {Type: 'AWS::Serverless::Function', Properties: {Handler: a.b, Runtime: python3.13, "
        "Events: {E: {Type: Schedule, Properties: {Schedule: 'cron(0 12 * * ? *)'}}}}}}"
    )
    cloud = Cloud()
    try:
        with pytest.raises(TemplateError, match=r"got 'cron.*takes rate\(N minutes\) alone"):
            create(cloud, tmp_path / "template.yaml", name="other", parameters={}, secret_value="x")
    finally:
        cloud.stop()


def test_the_server_listens_on_loopback_alone_and_ends_with_its_starter():
    """Closing its standard input ends it: it cannot outlive a run that was killed."""
    cloud = Cloud()
    assert urllib.parse.urlsplit(cloud.endpoint).hostname == "127.0.0.1"
    cloud._process.stdin.close()
    assert cloud._process.wait(20) == 0
    cloud.stop()

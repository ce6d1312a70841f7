"""What becomes of a batch when the function fails, reports failures, or takes too long over it."""

from __future__ import annotations

import json

import pytest

from local.event_source_mapping.failure import metadata, object_key

REPORTS = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}


# -- ReportBatchItemFailures


@pytest.mark.parametrize("payload", [None, {}, "", [], {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_an_empty_report_is_a_whole_success(rig, answers, payload):
    """Nothing reported means that all of the batch is processed."""
    shard = rig(**REPORTS)
    shard.default = answers.answered(payload)
    shard.put(3).run(5)
    assert shard.sent == [[1, 2, 3]]
    assert shard.shard.counters.consumed == 3


@pytest.mark.parametrize(
    "failures",
    [
        [{"itemIdentifier": ""}],
        [{"itemIdentifier": None}],
        [{"itemIdentifier": "77"}],
        [{"itemIdentifier": 2}],
        [{"foo": "2"}],
        [{}],
        ["2"],
        [{"itemIdentifier": "3"}, {"itemIdentifier": "unknown"}],
        {"itemIdentifier": "77"},
    ],
)
def test_a_report_that_names_no_record_is_a_whole_failure(rig, answers, failures):
    """An empty or unknown identifier, or a wrong key, fails the whole batch."""
    shard = rig(**REPORTS)
    shard.answers = [answers.answered({"batchItemFailures": failures})]
    shard.put(3).run(5)
    assert shard.sent == [[1, 2, 3], [1, 2, 3]]


def test_an_answer_of_the_wrong_kind_is_a_whole_failure(rig, answers):
    """A text where an object is expected reports nothing one could trust."""
    shard = rig(**REPORTS)
    shard.answers = [answers.answered("done")]
    assert shard.put(2).run(5).sent == [[1, 2], [1, 2]]


def test_the_checkpoint_moves_to_the_lowest_reported_record(rig, answers):
    """Everything from the lowest reported record on is sent again, also what was processed after it."""
    shard = rig(**REPORTS)
    shard.answers = [answers.reporting(9, 4, 7)]
    shard.put(10).run(5)
    assert shard.sent == [list(range(1, 11)), list(range(4, 11))]
    assert shard.shard.counters.consumed == 10


def test_sequence_numbers_are_compared_by_value(rig, answers):
    """10 comes after 9, although "10" sorts before "9"."""
    shard = rig(**REPORTS)
    shard.answers = [answers.reporting(10, 9)]
    assert shard.put(12).run(5).sent[1] == [9, 10, 11, 12]


def test_without_the_setting_a_report_is_ignored(rig, answers):
    """Only ReportBatchItemFailures makes Lambda read the answer."""
    shard = rig()
    shard.default = answers.reporting(1)
    assert shard.put(2).run(5).sent == [[1, 2]]


# -- retries


def test_by_default_a_batch_is_tried_for_ever_and_holds_the_shard(rig, answers):
    """With MaximumRetryAttempts -1 nothing is dropped and nothing overtakes."""
    shard = rig(BatchSize=2)
    shard.default = answers.failed()
    shard.put(4).run(3600, step=4)
    assert len(shard.calls) > 400
    assert {tuple(batch) for batch in shard.sent} == {(1, 2)}
    assert shard.discards == []


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_a_batch_is_given_up_after_its_retries(rig, answers, retries):
    """MaximumRetryAttempts counts the tries after the first; then the shard goes on."""
    shard = rig(BatchSize=2, MaximumRetryAttempts=retries)
    shard.answers = [answers.failed()] * (retries + 1)
    shard.put(4).run(60)
    assert shard.sent == [[1, 2]] * (retries + 1) + [[3, 4]]
    assert shard.discarded == [[1, 2]]
    assert shard.discards[0].condition == "RetryAttemptsExhausted"
    assert shard.discards[0].invocations == retries + 1
    counters = shard.shard.counters
    assert (counters.consumed, counters.discarded, counters.function_errors) == (2, 2, retries + 1)


def test_the_wait_between_tries_grows_up_to_its_limit(rig, answers):
    """A failing function is left in peace longer and longer."""
    shard = rig()
    shard.default = answers.failed()
    shard.put().work().run(40, step=0.25)
    waits = [later - earlier for earlier, later in zip(shard.sent_at, shard.sent_at[1:], strict=False)]
    assert waits[:6] == [1, 2, 4, 8, 8, 8]


def test_after_a_success_the_wait_begins_anew(rig, answers):
    """One batch's failures do not slow down another's."""
    shard = rig(BatchSize=1)
    shard.answers = [answers.failed(), answers.failed(), answers.answered(None), answers.failed()]
    shard.put(2).work().run(20, step=0.25)
    assert shard.sent == [[1], [1], [1], [2], [2]]
    assert shard.sent_at[4] - shard.sent_at[3] == 1


def test_progress_without_bisect_uses_a_retry(rig, answers):
    """What a partial failure leaves is the same batch's next try."""
    shard = rig(MaximumRetryAttempts=1, **REPORTS)
    shard.answers = [answers.reporting(3), answers.reporting(5)]
    shard.put(6).run(20)
    assert shard.sent == [[1, 2, 3, 4, 5, 6], [3, 4, 5, 6]]
    assert shard.discarded == [[5, 6]]
    assert shard.shard.counters.consumed == 4


# -- bisect


def test_a_failed_batch_is_split_in_two(rig, answers):
    """The halves are sent one after the other, in order, without a wait."""
    shard = rig(BisectBatchOnFunctionError=True)
    shard.answers = [answers.failed()]
    shard.put(5).work()
    assert shard.sent == [[1, 2, 3, 4, 5], [1, 2, 3], [4, 5]]
    assert shard.shard.counters.bisects == 1


def test_bisect_isolates_the_one_record_that_fails(rig, answers):
    """Splits use up no retry: with two retries the poison record alone is tried three times and given up."""
    shard = rig(BisectBatchOnFunctionError=True, MaximumRetryAttempts=2)
    shard._default = lambda _event: (
        lambda event: (
            answers.failed()
            if any(record["kinesis"]["sequenceNumber"] == "6" for record in event["Records"])
            else answers.answered(None)
        )
    )
    shard.put(8).run(30)
    assert shard.discarded == [[6]]
    assert shard.sent.count([6]) == 3
    assert shard.shard.counters.consumed == 7


def test_with_both_the_batch_is_split_at_the_reported_record(rig, answers):
    """Lambda bisects at the returned sequence number and sends only what remains, at once."""
    shard = rig(BisectBatchOnFunctionError=True, MaximumRetryAttempts=0, **REPORTS)
    shard.answers = [answers.reporting(5), answers.reporting(6)]
    shard.put(8).work()
    assert shard.sent == [list(range(1, 9)), [5, 6, 7, 8], [6, 7, 8]]
    assert shard.discards == []


def test_a_report_of_the_first_record_splits_in_halves(rig, answers):
    """Without progress the split is that of a whole failure, so that the bad record ends up alone."""
    shard = rig(BisectBatchOnFunctionError=True, MaximumRetryAttempts=0, **REPORTS)

    def stop_at_1(event):
        return answers.reporting(1) if event["Records"][0]["kinesis"]["sequenceNumber"] == "1" else answers.answered({})

    shard._default = lambda _event: stop_at_1
    shard.put(4).run(5)
    assert shard.sent == [[1, 2, 3, 4], [1, 2], [1], [2], [3, 4]]
    assert shard.discarded == [[1]]


# -- age


def test_only_the_expired_records_of_a_batch_are_dropped(rig, answers):
    """MaximumRecordAgeInSeconds goes by record; the younger ones are still tried."""
    shard = rig(MaximumRecordAgeInSeconds=60, MaximumBatchingWindowInSeconds=40)
    shard.put(2).wait(30).put(2).wait(10)
    shard.default = answers.failed()
    shard.work().run(25)
    assert shard.discarded == [[1, 2]]
    assert shard.sent[0] == [1, 2, 3, 4]
    assert shard.sent[-1] == [3, 4]
    assert shard.discards[0].condition == "RecordAgeExceeded"


def test_records_too_old_when_read_are_never_sent(rig):
    """A backlog older than the limit is dropped without an invocation."""
    shard = rig(MaximumRecordAgeInSeconds=60)
    shard.put(3, arrival=shard.now - 61).put(1).work()
    assert shard.sent == [[4]]
    assert shard.discarded == [[1, 2, 3]]


def test_a_record_of_just_the_limits_age_is_still_sent(rig):
    """The limit is inclusive."""
    shard = rig(MaximumRecordAgeInSeconds=60)
    assert shard.put(1, arrival=shard.now - 60).work().sent == [[1]]


def test_throttled_records_expire_too(rig):
    """What cannot be invoked is tried until it is too old, whatever the retries allow."""
    from local.runtime.invocation import ThrottledError

    shard = rig(MaximumRecordAgeInSeconds=60)
    shard.answers = [ThrottledError()] * 1000
    shard.put().run(70)
    assert shard.discarded == [[1]]
    assert shard.discards[0].invocations == 0


# -- on-failure destination


def test_the_body_of_a_batch_given_up(rig, answers, settings):
    """The metadata is Lambda's, field by field."""
    shard = rig(MaximumRetryAttempts=1)
    shard.now = 1573691884.835
    shard.answers = [answers.failed(), answers.failed()]
    shard.put(2).wait(1).run(5)
    body = metadata(settings(), shard.discards[0], now=1573691886.021, request_id="unused")
    assert body == {
        "requestContext": {
            "requestId": "req-err",
            "functionArn": "arn:aws:lambda:eu-west-1:123456789012:function:consumer",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 2,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2019-11-14T00:38:06.021Z",
        "KinesisBatchInfo": {
            "shardId": "shardId-000000000000",
            "startSequenceNumber": "1",
            "endSequenceNumber": "2",
            "approximateArrivalOfFirstRecord": "2019-11-14T00:38:04.835Z",
            "approximateArrivalOfLastRecord": "2019-11-14T00:38:04.835Z",
            "batchSize": 2,
            "streamArn": "arn:aws:kinesis:eu-west-1:123456789012:stream/updates",
        },
    }


def test_the_body_for_expired_records_has_no_response(rig, settings):
    """Nothing answered for them; the count of invocations is 1 even so."""
    shard = rig(MaximumRecordAgeInSeconds=60)
    shard.put(1, arrival=shard.now - 100).work()
    body = metadata(settings(), shard.discards[0], now=shard.now, request_id="made-up")
    assert body["requestContext"] == {
        "requestId": "made-up",
        "functionArn": "arn:aws:lambda:eu-west-1:123456789012:function:consumer",
        "condition": "RecordAgeExceeded",
        "approximateInvokeCount": 1,
    }
    assert "responseContext" not in body


def test_a_batch_given_up_for_reported_failures_names_no_function_error(rig, answers, settings):
    """The function answered, so there is no error of its own to name."""
    shard = rig(MaximumRetryAttempts=0, **REPORTS)
    shard.answers = [answers.reporting(1)]
    shard.put().work()
    body = metadata(settings(), shard.discards[0], now=shard.now, request_id="unused")
    assert body["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}


def test_the_event_of_a_batch_given_up_can_be_sent_again(rig, answers):
    """A discard carries the whole event, so that a redrive is an invocation with it."""
    shard = rig(MaximumRetryAttempts=0)
    shard.answers = [answers.failed()]
    shard.put(2, data=b'{"icao_address": "040172"}').work()
    assert json.loads(shard.discards[0].event) == shard.calls[0]


def test_the_key_of_the_object_names_the_mapping_the_shard_and_the_day(settings):
    """The key is aws/lambda/<mapping>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<unique>."""
    key = object_key(settings(), "shardId-000000000003", now=1573691886.9, unique="u-n-i")
    assert key == "aws/lambda/6d4f0f4e-esm/shardId-000000000003/2019/11/14/2019-11-14T00.38.06-u-n-i"

"""Tumbling windows: what belongs to one, when it closes, and the state that is handed on within it."""

from __future__ import annotations

import pytest

from local.event_source_mapping.window import LARGEST_STATE

MINUTE = 999_960.0  # a multiple of 60


@pytest.fixture
def windowed(rig):
    """A shard with windows of a minute, at the beginning of one."""

    def make(**properties):
        shard = rig(**{"TumblingWindowInSeconds": 60, "BatchSize": 10} | properties)
        shard.now = MINUTE
        return shard

    return make


def flags(shard):
    """The two flags of each event sent."""
    return [(event["isFinalInvokeForWindow"], event["isWindowTerminatedEarly"]) for event in shard.calls]


def test_the_event_carries_the_window_the_state_and_the_flags(windowed):
    """The first event of a window has an empty state and says which window of which shard it is."""
    event = windowed().put().work().calls[0]
    assert {key: value for key, value in event.items() if key != "Records"} == {
        "window": {"start": "1970-01-12T13:46:00Z", "end": "1970-01-12T13:47:00Z"},
        "state": {},
        "shardId": "shardId-000000000000",
        "eventSourceARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/updates",
        "isFinalInvokeForWindow": False,
        "isWindowTerminatedEarly": False,
    }


def test_the_state_is_handed_to_the_next_invocation_of_the_window(windowed):
    """What one invocation answers as state, the next one of the same window is given."""
    shard = windowed(BatchSize=2).put(5).work()
    assert [event["state"] for event in shard.calls] == [{}, {"seen": [1, 2]}, {"seen": [1, 2, 3, 4]}]


def test_a_quiet_shard_closes_its_window_with_an_invocation_without_records(windowed):
    """Once a read begun after the window's end finds nothing more, the final invocation comes, with the state."""
    shard = windowed().put(2).work().wait(59.9).poll().work()
    assert flags(shard) == [(False, False)]
    shard.wait(0.1).poll().work()
    assert flags(shard) == [(False, False), (True, False)]
    assert shard.calls[1]["Records"] == []
    assert shard.calls[1]["state"] == {"seen": [1, 2]}
    assert [(window.start, window.end, window.records) for window in shard.windows] == [(MINUTE, MINUTE + 60, 2)]


def test_time_alone_closes_no_window(windowed):
    """As long as the tip was not reached, records of the window may still come, however late it is."""
    shard = windowed().put().work().wait(600).work()
    assert flags(shard) == [(False, False)]


def test_a_later_record_closes_the_window_before_it_is_sent(windowed):
    """A record of the next window comes after the final invocation, in a window with fresh state."""
    shard = windowed().put().work().wait(60).put().work()
    assert shard.sent == [[1], [], [2]]
    assert flags(shard) == [(False, False), (True, False), (False, False)]
    assert shard.calls[2]["state"] == {}
    assert shard.calls[2]["window"]["start"] == "1970-01-12T13:47:00Z"


def test_records_of_a_window_known_to_be_over_come_with_the_final_invocation(windowed):
    """When a backlog is read, the last batch of a window is its final invocation too."""
    shard = windowed(BatchSize=2)
    shard.put(3, arrival=MINUTE).put(1, arrival=MINUTE + 60).work()
    assert shard.sent == [[1, 2], [3], [4]]
    assert flags(shard) == [(False, False), (True, False), (False, False)]


def test_only_the_last_batch_of_a_window_that_is_over_is_final(windowed):
    """A window known to be over may still have several batches to send."""
    shard = windowed(BatchSize=2).put(5).wait(60).poll().work()
    assert shard.sent == [[1, 2], [3, 4], [5]]
    assert flags(shard) == [(False, False), (False, False), (True, False)]


def test_the_windows_end_belongs_to_the_next_window(windowed):
    """A window holds its start and not its end."""
    shard = windowed().put(arrival=MINUTE + 59.999).put(arrival=MINUTE + 60.0).work()
    assert [event["window"]["start"][-6:] for event in shard.calls] == ["46:00Z", "47:00Z"]


def test_a_window_goes_by_arrival_and_not_by_the_time_of_reading(windowed):
    """An hour's backlog read at once is an event a window, not one for all."""
    shard = windowed()
    for minute in range(60):
        shard.put(arrival=MINUTE + 60 * minute)
    shard.now = MINUTE + 3600
    shard.poll().work()
    assert len(shard.windows) == 60
    assert flags(shard) == [(True, False)] * 60


def test_fifteen_minutes_pass_in_a_moment(windowed):
    """A window of 900 seconds closes once, with all the records of its quarter of an hour."""
    shard = windowed(TumblingWindowInSeconds=900, BatchSize=1000)
    shard.now = 999_900.0
    for _ in range(900):
        shard.put().wait(1).poll().work()
    assert [(window.start, window.records) for window in shard.windows] == [(999_900, 900)]


def test_a_window_without_records_is_never_invoked(windowed):
    """An empty stretch of a stream makes no windows."""
    assert windowed().run(600, step=10).calls == []


def test_a_window_whose_records_are_all_filtered_is_never_invoked(windowed):
    """Rejected records open no window."""
    shard = windowed(FilterCriteria={"Filters": [{"Pattern": '{"data": {"wanted": [true]}}'}]})
    assert shard.put(5).run(120, step=10).calls == []
    assert shard.shard.idle


def test_a_record_that_arrived_out_of_order_is_not_lost_and_opens_no_past_window(windowed):
    """A shard's time does not run backwards: a late arrival time joins the window that is open."""
    shard = windowed().put(arrival=MINUTE + 61).put(arrival=MINUTE + 59).work()
    assert shard.sent == [[1, 2]]
    shard.put(arrival=MINUTE + 121).put(arrival=MINUTE + 60).work()
    assert [event["window"]["start"][-6:] for event in shard.calls] == ["47:00Z", "47:00Z", "48:00Z"]
    assert shard.sent[-1] == [3, 4]


def test_a_record_that_appears_after_its_window_closed_goes_to_the_next_one(windowed):
    """A window that was closed is never opened again."""
    shard = windowed().put().work().wait(60).poll().work().put(arrival=MINUTE + 59).work()
    assert shard.calls[-1]["window"]["start"][-6:] == "47:00Z"


def test_a_batching_window_still_open_at_the_windows_end_is_cut_short(windowed):
    """Records that wait for a batching window are flushed with the final invocation."""
    shard = windowed(MaximumBatchingWindowInSeconds=300).put(3).work().wait(60).poll().work()
    assert shard.sent == [[1, 2, 3]]
    assert flags(shard) == [(True, False)]


@pytest.mark.parametrize("payload", [None, {}, {"batchItemFailures": []}, {"state": None}, {"state": "text"}, []])
def test_an_answer_without_state_is_a_failed_invocation(windowed, answers, payload):
    """A function with a window must answer a state, or the batch is sent again with the state it had."""
    shard = windowed(FunctionResponseTypes=["ReportBatchItemFailures"])
    shard.answers = [answers.answered(payload)]
    shard.put(2).run(5)
    assert shard.sent == [[1, 2], [1, 2]]
    assert shard.calls[1]["state"] == {}
    assert "state" in shard.failures[0].reason


def test_the_shard_waits_while_the_final_invocation_fails(windowed, answers):
    """No record of the next window is sent before the last window's final invocation succeeded."""
    shard = windowed().put().work()
    shard.answers = [answers.failed()] * 5
    shard.wait(60).put().work().run(50)
    assert shard.sent == [[1], [], [], [], [], [], [], [2]]
    assert all(event["state"] == {"seen": [1]} for event in shard.calls[1:7])
    assert [event["isFinalInvokeForWindow"] for event in shard.calls] == [False] + [True] * 6 + [False]


def test_a_final_invocation_given_up_takes_its_state_to_the_destination(windowed, answers):
    """After the last retry the window is dropped with its state on record, and the shard goes on."""
    shard = windowed(MaximumRetryAttempts=1).put(2).work()
    shard.answers = [answers.failed(), answers.failed()]
    shard.wait(60).put().work().run(30)
    (discard,) = shard.discards
    assert discard.records == ()
    assert (discard.first.sequence_number, discard.last.sequence_number) == ("1", "2")
    assert b'"state":{"seen":[1,2]}' in discard.event
    assert shard.sent == [[1, 2], [], [], [3]]
    assert shard.shard.counters.windows_closed == 0


def test_a_final_invocation_without_records_ages_from_its_first_try(windowed, answers):
    """Its records are processed already, so their age does not count; the tries of it do end."""
    shard = windowed(TumblingWindowInSeconds=900, MaximumRecordAgeInSeconds=60)
    shard.now = 999_900.0
    shard.put().work().wait(900).poll().work()
    assert len(shard.windows) == 1
    shard.put().work().wait(900)
    shard.default = answers.failed()
    shard.poll().work().run(120)
    assert [discard.condition for discard in shard.discards] == ["RecordAgeExceeded"]
    assert shard.shard.idle


def test_a_state_over_a_megabyte_ends_the_window_early(windowed, answers):
    """The large state gets its own final invocation, and the same window goes on with fresh state."""
    shard = windowed(BatchSize=1)
    large = {"held": "x" * LARGEST_STATE}
    shard.answers = [answers.answered({"state": large}), answers.answered({"state": {}})]
    shard.put(2).work().wait(60).poll().work()
    assert shard.sent == [[1], [], [2], []]
    assert flags(shard) == [(False, False), (True, True), (False, False), (True, False)]
    assert [event["state"] for event in shard.calls] == [{}, large, {}, {"seen": [2]}]
    assert len({event["window"]["start"] for event in shard.calls}) == 1
    assert [(window.early, window.records) for window in shard.windows] == [(True, 1), (False, 1)]


def test_a_state_of_a_megabyte_is_still_kept(windowed, answers):
    """The bound is inclusive: only a larger state ends the window."""
    shard = windowed()
    shard.answers = [answers.answered({"state": {"held": "x" * (LARGEST_STATE - len('{"held":""}'))}})]
    shard.put().work()
    assert shard.sent == [[1]]


def test_nothing_more_follows_an_early_end_without_more_records(windowed, answers):
    """A window that ended early and got nothing after it is not closed a second time."""
    shard = windowed()
    shard.answers = [answers.answered({"state": {"held": "x" * LARGEST_STATE}})]
    shard.put().work().run(120, step=10)
    assert flags(shard) == [(False, False), (True, True)]
    assert shard.shard.idle


def test_a_state_too_large_in_a_partial_failure_ends_the_window_before_the_rest(windowed, answers):
    """The rest of the batch goes on in the same window, with fresh state, after the early end."""
    shard = windowed(FunctionResponseTypes=["ReportBatchItemFailures"])
    shard.answers = [
        answers.answered({"state": {"held": "x" * LARGEST_STATE}, "batchItemFailures": [{"itemIdentifier": "2"}]})
    ]
    shard.put(3).run(5)
    assert shard.sent == [[1, 2, 3], [], [2, 3]]
    assert flags(shard) == [(False, False), (True, True), (False, False)]
    assert shard.calls[2]["state"] == {}
    assert len({event["window"]["start"] for event in shard.calls}) == 1


def test_a_partial_failure_keeps_the_state_of_what_was_processed(windowed, answers):
    """The state answered next to a reported failure holds the records before it."""
    shard = windowed(FunctionResponseTypes=["ReportBatchItemFailures"])
    shard.answers = [answers.answered({"state": {"seen": [1]}, "batchItemFailures": [{"itemIdentifier": "2"}]})]
    shard.put(3).run(5)
    assert shard.sent == [[1, 2, 3], [2, 3]]
    assert shard.calls[1]["state"] == {"seen": [1]}


def test_the_rest_of_a_partial_failure_still_fits_into_an_event_with_the_state(windowed, answers):
    """The state that the function answered takes up room that the batch was cut without: the rest comes in two."""
    shard = windowed(BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"])
    state = {"held": "x" * 1_000_000}
    shard.answers = [
        answers.answered({"state": state, "batchItemFailures": [{"itemIdentifier": "2"}]}),
        answers.answered({"state": state}),
    ]
    shard.put(7, data=b"x" * 630_000).wait(60).poll().run(5)
    assert shard.sent == [[1, 2, 3, 4, 5, 6, 7], [2, 3, 4, 5, 6], [7]]
    assert flags(shard) == [(True, False), (False, False), (True, False)]
    assert [event["state"] for event in shard.calls[1:]] == [state, state]


def test_a_failed_batch_leaves_the_state_as_it_was(windowed, answers):
    """Nothing was processed, so the state of the last success is given again."""
    shard = windowed(BatchSize=2).put(2).work()
    shard.answers = [answers.failed()]
    shard.put(2).run(5)
    assert [event["state"] for event in shard.calls] == [{}, {"seen": [1, 2]}, {"seen": [1, 2]}]


def test_of_a_bisected_final_batch_only_the_last_part_is_final(windowed, answers):
    """The state goes from part to part, and the window closes once, at the end."""
    shard = windowed(BisectBatchOnFunctionError=True)
    shard.put(4, arrival=MINUTE).put(1, arrival=MINUTE + 60)
    shard.answers = [answers.failed()]
    shard.work()
    assert shard.sent == [[1, 2, 3, 4], [1, 2], [3, 4], [5]]
    assert [final for final, _ in flags(shard)] == [True, False, True, False]
    assert shard.calls[2]["state"] == {"seen": [1, 2]}
    assert len(shard.windows) == 1


def test_a_window_survives_the_records_given_up_in_its_final_batch(windowed, answers):
    """The state gathered before is finished by an invocation without records."""
    shard = windowed(BatchSize=2, MaximumRetryAttempts=0)
    shard.put(3, arrival=MINUTE).put(1, arrival=MINUTE + 60)
    shard.answers = [answers.answered({"state": {"seen": [1, 2]}}), answers.failed()]
    shard.work()
    assert shard.sent == [[1, 2], [3], [], [4]]
    assert shard.discarded == [[3]]
    assert shard.calls[2]["isFinalInvokeForWindow"]
    assert shard.calls[2]["state"] == {"seen": [1, 2]}


def test_a_window_all_of_whose_records_were_given_up_needs_no_final_invocation(windowed, answers):
    """There is no state to finish, so the next window follows at once."""
    shard = windowed(MaximumRetryAttempts=0)
    shard.put(3, arrival=MINUTE).put(1, arrival=MINUTE + 60)
    shard.answers = [answers.failed()]
    shard.work()
    assert shard.sent == [[1, 2, 3], [4]]
    assert shard.calls[1]["window"]["start"][-6:] == "47:00Z"


def test_when_the_records_of_a_final_batch_expire_the_state_has_tries_of_its_own(windowed, answers):
    """The tries made with the records count against neither the retries nor the age of the final invocation."""
    shard = windowed(BatchSize=2, MaximumRetryAttempts=10, MaximumRecordAgeInSeconds=60)
    shard.put(3, arrival=MINUTE).put(1, arrival=MINUTE + 60)
    shard.answers = [answers.answered({"state": {"seen": [1, 2]}})]
    shard.default = answers.failed()
    shard.work().run(75)
    assert [(discard.condition, len(discard.records)) for discard in shard.discards] == [("RecordAgeExceeded", 1)]
    assert shard.sent[-1] == []
    shard.answers = [answers.failed()] * 2
    shard.default = None
    shard.run(30)
    assert [discard.records for discard in shard.discards if not discard.records] == []
    assert [window.records for window in shard.windows][:1] == [2]


def test_the_end_of_a_shard_closes_its_window(windowed):
    """Resharding does not wait for the clock: what is open is finished as soon as the shard is read."""
    shard = windowed(MaximumBatchingWindowInSeconds=300).put(2).work()
    assert shard.calls == []
    shard.shard.end()
    shard.work()
    assert shard.sent == [[1, 2]]
    assert flags(shard) == [(True, False)]
    assert shard.shard.idle


def test_the_end_of_a_shard_closes_a_window_whose_records_were_sent(windowed):
    """The final invocation comes without records."""
    shard = windowed().put(2).work()
    shard.shard.end()
    assert shard.work().sent == [[1, 2], []]
    assert shard.shard.idle

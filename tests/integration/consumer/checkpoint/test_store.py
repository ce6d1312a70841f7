"""The checkpoint in a real S3 (moto): first write, lease, fencing, and never a read error taken for "none yet"."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.config import Config

from consumer.checkpoint.position import Position, TimeRange
from consumer.checkpoint.store import CheckpointStore
from consumer.deadline import Deadline
from consumer.errors import CheckpointError, LeaseHeldError, LeaseLostError
from consumer.timing import LEASE_SECONDS
from tests.integration.consumer.conftest import BUCKET
from tests.support.faulty_aws import Fault, FaultyProxy, client_error

MOMENT = datetime(2024, 3, 4, 12, 0, 0, 123456, tzinfo=UTC)
POSITION = Position(
    position_token="opaque",
    token_received_at=MOMENT,
    newest_ingestion_time=MOMENT - timedelta(seconds=2),
    frontier=("040172|2024-03-04T11:59:58.000Z",),
    gap=TimeRange(MOMENT - timedelta(hours=7), MOMENT),
)
NEXT = Position(position_token="next", token_received_at=MOMENT + timedelta(seconds=15))


@pytest.fixture
def store(state, clock):
    """A function that makes a store of the given owner."""
    return lambda owner="a", s3=None: CheckpointStore(s3 or state.s3, BUCKET, owner, clock)


def test_the_first_run_finds_nothing_and_holds_the_lease(store, state, clock):
    """Without a checkpoint there is no position, and the object that is written holds the lease alone."""
    first = store("a")
    assert first.acquire() is None
    assert first.lease_is_valid
    lease = state.checkpoint["lease"]
    assert lease["owner"] == "a"
    left = datetime.fromisoformat(lease["expires_at"]) - clock.now()
    assert timedelta(seconds=LEASE_SECONDS - 30) < left <= timedelta(seconds=LEASE_SECONDS)
    assert state.checkpoint["position_token"] is None


def test_a_position_comes_back_as_it_was_committed(store):
    """What one run commits, with every field, the next run must go on from."""
    first = store("a")
    first.acquire()
    first.commit(POSITION)
    first.release()
    assert store("b").acquire() == POSITION


def test_a_released_lease_is_free_at_once(store, state):
    """After a release the next run must not wait, and the position must stay."""
    first = store("a")
    first.acquire()
    first.commit(POSITION)
    first.release()
    assert not first.lease_is_valid
    assert state.checkpoint["lease"] is None
    assert state.checkpoint["position_token"] == "opaque"


def test_a_held_lease_keeps_others_out(store, state):
    """While the lease is held another run must learn who holds it, and must write nothing."""
    store("a").acquire()
    before = state.checkpoint
    with pytest.raises(LeaseHeldError, match=r"checkpoint s3://state/checkpoint.json: a holds the lease until \d{4}-"):
        store("b").acquire()
    assert state.checkpoint == before


def test_an_expired_lease_is_free(store, clock):
    """A run that was killed must not keep the others out for longer than its lease."""
    killed = store("a")
    killed.acquire()
    killed.commit(POSITION)
    clock.advance(seconds=LEASE_SECONDS - 1)
    with pytest.raises(LeaseHeldError):
        store("b").acquire()
    clock.advance(seconds=2)
    assert store("b").acquire() == POSITION


def test_ones_own_lease_is_no_obstacle(store):
    """A run must be able to take a lease that is in its own name."""
    store("a").acquire()
    assert store("a").acquire() is None


def test_the_lease_runs_out_by_our_own_clock(store, clock):
    """A run must know by its own clock when its lease has run out, and a renewal must prolong it."""
    holder = store("a")
    assert not holder.lease_is_valid
    holder.acquire()
    clock.advance(seconds=LEASE_SECONDS - 1)
    assert holder.lease_is_valid
    holder.renew()
    clock.advance(seconds=LEASE_SECONDS - 1)
    assert holder.lease_is_valid
    clock.advance(seconds=2)
    assert not holder.lease_is_valid


@pytest.mark.parametrize("act", ["commit", "renew", "release"])
def test_when_the_server_may_be_asked_again_is_in_every_write(store, state, clock, act):
    """A run that is killed, or ends, must not leave a server that asked to wait to the next one's haste."""
    holder = store("a")
    holder.acquire()
    holder.retry_at = clock.now() + timedelta(minutes=5)
    holder.commit(POSITION) if act == "commit" else getattr(holder, act)()
    assert datetime.fromisoformat(state.checkpoint["retry_at"]) == holder.retry_at
    later = store("b")
    clock.advance(seconds=LEASE_SECONDS + 1)
    later.acquire()
    assert later.retry_at == datetime.fromisoformat(state.checkpoint["retry_at"])
    clock.advance(minutes=5)
    later.renew()
    assert state.checkpoint["retry_at"] is None


def test_a_wait_that_is_asked_for_during_a_write_is_not_forgotten(store, state, clock):
    """The reader's thread may say so at the moment in which the committer's looks at an older one."""
    later = clock.now() + timedelta(hours=1)

    class Over(datetime):
        """A moment in the past; while it is looked at, the server asks for a wait."""

        def __sub__(self, other):
            holder.retry_at = later
            return super().__sub__(other)

    holder = store("a")
    holder.acquire()
    holder.retry_at = Over(2024, 3, 4, tzinfo=UTC)
    holder.renew()
    assert state.checkpoint["retry_at"] is None
    assert holder.retry_at == later
    holder.renew()
    assert datetime.fromisoformat(state.checkpoint["retry_at"]) == later


@pytest.mark.parametrize("ahead", [timedelta(seconds=-1), timedelta(hours=2)])
def test_a_wait_that_is_over_or_of_a_wrong_clock_holds_up_nobody(store, state, clock, ahead):
    """What an earlier run kept counts only while it lies within the hour that a server may ask for."""
    state.put_checkpoint(retry_at=(clock.now() + ahead).isoformat())
    later = store("b")
    later.acquire()
    assert later.retry_at is None
    assert state.checkpoint["retry_at"] is None


@pytest.mark.parametrize("act", ["commit", "renew", "release"])
def test_of_two_consumers_only_one_can_write(store, state, clock, act):
    """Fencing: after another run took over, the first must write nothing, whatever it tries, and must notice."""
    first, second = store("a"), store("b")
    first.acquire()
    first.commit(POSITION)
    clock.advance(seconds=LEASE_SECONDS + 1)
    second.acquire()
    before = state.checkpoint
    with pytest.raises(LeaseLostError, match=r"changed under us \(b holds the lease until .*stopping without commit"):
        first.commit(NEXT) if act == "commit" else getattr(first, act)()
    assert not first.lease_is_valid
    assert state.checkpoint == before
    second.commit(NEXT)
    assert state.checkpoint["position_token"] == "next"


def test_of_two_first_runs_only_one_begins(store, state):
    """Two runs that both find no checkpoint must not both go on."""
    first, second = store("a"), store("b")

    class TooLate:
        """Lets the other run write between the read and the first write."""

        def get_object(self, **request):
            try:
                return state.s3.get_object(**request)
            finally:
                if request["Key"] == "checkpoint.json" and second._etag is None:
                    second.acquire()

        def put_object(self, **request):
            return state.s3.put_object(**request)

    late = store("a", TooLate())
    with pytest.raises(LeaseLostError, match="b holds the lease"):
        late.acquire()
    second.commit(NEXT)
    with pytest.raises(LeaseHeldError):
        first.acquire()


def test_a_deleted_checkpoint_is_not_written_anew(store, state):
    """Somebody who deletes the checkpoint under a run takes the lease from it: the run must stop."""
    holder = store("a")
    holder.acquire()
    state.s3.delete_object(Bucket=BUCKET, Key="checkpoint.json")
    with pytest.raises(LeaseLostError, match="no longer ours"):
        holder.commit(NEXT)


UNREADABLE = {
    "empty": b"",
    "no JSON": b"position_token",
    "cut off": b'{"version":1,"position_token":"a"',
    "not UTF-8": b'{"version":1,"position_token":"\xff"}',
    "no object": b"[1]",
    "nested without end": b'{"x":' + b"[" * 20_000,
    "a wrong type": b'{"version":1,"position_token":7}',
    "a time without a zone": b'{"version":1,"lease":{"owner":"a","expires_at":"2024-03-04T12:00:00"}}',
    "a token without its time": b'{"version":1,"position_token":"a"}',
    "a time without its token": b'{"version":1,"token_received_at":"2024-03-04T12:00:00Z"}',
    "no version": b'{"position_token":"a","token_received_at":"2024-03-04T12:00:00Z"}',
    "a later version": b'{"version":2,"position_token":"a","token_received_at":"2024-03-04T12:00:00Z"}',
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_checkpoint_is_never_taken_for_none(store, state, content):
    """A checkpoint that cannot be understood must stop the run, say what to do, and stay as it is."""
    state.s3.put_object(Bucket=BUCKET, Key="checkpoint.json", Body=content)
    with pytest.raises(CheckpointError, match=r"checkpoint s3://state/checkpoint.json: .*(restore|deploy)"):
        store().acquire()
    assert state.s3.get_object(Bucket=BUCKET, Key="checkpoint.json")["Body"].read() == content


@pytest.mark.parametrize(
    "date", ["", "soon", "Mon, 4 Mar 2024 12:00:00 +99999999999999999999", "4 Mar 99999999999999999999 12:00:00 GMT"]
)
def test_a_checkpoint_is_read_whatever_the_answers_date_is(store, state, date):
    """Where S3 does not say what time it is, its age is not known, and its position counts."""
    holder = store("a")
    holder.acquire()
    holder.commit(POSITION, last=True)

    class Undated:
        put_object = state.s3.put_object

        def get_object(self, **request):
            answer = state.s3.get_object(**request)
            answer["ResponseMetadata"]["HTTPHeaders"]["date"] = date
            return answer

    assert store("b", Undated()).acquire() == POSITION


def test_a_missing_bucket_is_never_taken_for_none(state, clock):
    """A bucket that is not there must stop the run and be named."""
    store = CheckpointStore(state.s3, "not-there", "a", clock)
    with pytest.raises(CheckpointError, match=r"s3://not-there/checkpoint.json: could not be read.*Check the bucket"):
        store.acquire()


@pytest.mark.parametrize("code", ["AccessDenied", "SlowDown", "InternalError"])
@pytest.mark.parametrize("key", ["checkpoint.json", "last_position_token"])
def test_a_refused_read_is_never_taken_for_none(store, state, code, key):
    """S3 that refuses to read, the checkpoint or the older token, must stop the run before anything is written."""

    class Refusing:
        def get_object(self, **request):
            if request["Key"] == key:
                raise client_error(code, 403, "GetObject")
            return state.s3.get_object(**request)

    with pytest.raises(CheckpointError, match=code):
        store("a", Refusing()).acquire()


def test_an_unreachable_s3_is_never_taken_for_none(store, aws):
    """S3 that does not answer must stop the run."""
    with (
        FaultyProxy(aws, lambda *_: Fault.LOST) as proxy,
        closing(s3_client(proxy.url, 2)) as s3,
        pytest.raises(CheckpointError, match="could not be read"),
    ):
        store("a", s3).acquire()


def s3_client(endpoint, attempts):
    """Return an S3 client as the consumer's, with so many attempts."""
    config = Config(retries={"mode": "standard", "total_max_attempts": attempts}, connect_timeout=3, read_timeout=5)
    return boto3.client("s3", endpoint_url=endpoint, config=config)


@pytest.mark.parametrize("written", ["first", "later"])
def test_a_write_whose_answer_was_lost_is_recognised(store, state, aws, written):
    """A write that S3 carried out and whose answer was lost must be known as our own when it is tried again."""
    puts = []

    def plan(method, path, _operation):
        if method == "PUT" and "checkpoint.json" in path:
            puts.append(path)
            if len(puts) == (1 if written == "first" else 2):
                return Fault.ANSWER_LOST
        return Fault.NONE

    with FaultyProxy(aws, plan) as proxy, closing(s3_client(proxy.url, 3)) as s3:
        holder = store("a", s3)
        assert holder.acquire() is None
        holder.commit(POSITION)
        assert state.checkpoint["position_token"] == "opaque"
        holder.commit(NEXT)
        holder.release()
    assert len(puts) == 5
    assert state.checkpoint["position_token"] == "next"


def test_a_write_that_was_not_carried_out_is_tried_again(store, state, aws):
    """A write that never reached S3 must be tried again, and must be there afterwards."""
    puts = []

    def plan(method, _path, _operation):
        puts.append(method) if method == "PUT" else None
        return Fault.LOST if len(puts) == 2 and method == "PUT" else Fault.NONE

    with FaultyProxy(aws, plan) as proxy, closing(s3_client(proxy.url, 3)) as s3:
        holder = store("a", s3)
        holder.acquire()
        holder.commit(POSITION)
    assert state.checkpoint["position_token"] == "opaque"


def test_a_concurrent_write_is_tried_again(store, state):
    """S3's 409, which asks to try again, must be followed."""
    puts = []

    class Conflicting:
        get_object = state.s3.get_object

        def put_object(self, **request):
            puts.append(request)
            if len(puts) < 3:
                raise client_error("ConditionalRequestConflict", 409, "PutObject")
            return state.s3.put_object(**request)

    store("a", Conflicting()).acquire()
    assert len(puts) == 3
    assert state.checkpoint["lease"]["owner"] == "a"


class BusyS3:
    """S3 that answers this code to each write while it `is_busy`; `puts` counts them."""

    def __init__(self, s3, code="ConditionalRequestConflict"):
        self.get_object = s3.get_object
        self.is_busy, self.puts = True, 0
        self._s3, self._code = s3, code

    def put_object(self, **request):
        self.puts += 1
        if self.is_busy:
            raise client_error(self._code, 409 if self._code == "ConditionalRequestConflict" else 412, "PutObject")
        return self._s3.put_object(**request)


def test_between_attempts_a_concurrent_write_is_given_time(store, state, clock):
    """Three tries within a millisecond are one: what is under way takes S3 longer."""

    class BusyForAWhile(BusyS3):
        def put_object(self, **request):
            self.is_busy = sum(clock.slept) < 0.5
            return super().put_object(**request)

    store("a", BusyForAWhile(state.s3)).acquire()
    assert state.checkpoint["lease"]["owner"] == "a"


@pytest.mark.parametrize("code", ["ConditionalRequestConflict", "PreconditionFailed"])
@pytest.mark.parametrize("when", ["the first write", "a later one"])
def test_a_checkpoint_that_nobody_else_has_written_is_not_lost(store, state, code, when):
    """What S3 refuses though the object is as it was cannot be written: no other consumer is to blame for it."""
    busy = BusyS3(state.s3, code)
    busy.is_busy = when == "the first write"
    holder = store("a", busy)
    act = holder.acquire if busy.is_busy else holder.renew
    if not busy.is_busy:
        holder.acquire()
        busy.is_busy = True
    with pytest.raises(CheckpointError, match=rf"could not be written.*{code}"):
        act()
    assert not holder.may_be_anothers
    if when == "a later one":
        assert holder.is_held
        busy.is_busy = False
        holder.release()
        assert state.checkpoint["lease"] is None


def test_the_wait_for_a_concurrent_write_ends_by_the_deadline(state, clock):
    """Nothing of a run waits when its time is up, and nothing more is sent then."""
    deadline = Deadline(clock, 600)

    class BusyAtTheEnd(BusyS3):
        def put_object(self, **request):
            deadline.bring_forward(0.05)
            return super().put_object(**request)

    busy = BusyAtTheEnd(state.s3)
    with pytest.raises(CheckpointError, match="no answer within the time of the run"):
        CheckpointStore(busy, BUCKET, "a", clock, deadline=deadline).acquire()
    assert busy.puts == 1
    assert sum(clock.slept) <= 0.05


def test_a_write_that_fails_says_what_to_do(store, state):
    """A write that S3 refuses must name the object, and must not move the position."""
    holder = store("a")
    holder.acquire()
    holder.commit(POSITION)

    class Refusing:
        def put_object(self, **_):
            raise client_error("AccessDenied", 403, "PutObject")

    holder._s3 = Refusing()
    with pytest.raises(CheckpointError, match=r"s3://state/checkpoint.json: could not be written.*read again"):
        holder.commit(NEXT)
    assert state.checkpoint["position_token"] == "opaque"


def test_the_sample_clients_token_is_taken_over(store, state):
    """Who comes from the provider's sample client must go on from its token, without a gap; its object stays."""
    state.s3.put_object(Bucket=BUCKET, Key="last_position_token", Body=b"legacy-token\n")
    modified = state.s3.head_object(Bucket=BUCKET, Key="last_position_token")["LastModified"]
    legacy = Position(position_token="legacy-token", token_received_at=modified, is_left_by_client=True)
    first = store("a")
    assert first.acquire() == legacy
    first.renew()
    first.release()
    second = store("b")
    assert second.acquire() == legacy, "until there is a position of our own, it is known whose this one is"
    second.commit(POSITION)
    second.release()
    assert store("c").acquire() == POSITION
    assert state.s3.get_object(Bucket=BUCKET, Key="last_position_token")["Body"].read() == b"legacy-token\n"


def test_a_checkpoint_goes_before_the_sample_clients_token(store, state):
    """Once there is a checkpoint of our own the older token must not be looked at again."""
    state.s3.put_object(Bucket=BUCKET, Key="last_position_token", Body=b"legacy-token")
    state.put_checkpoint(position_token="ours", token_received_at="2024-03-04T12:00:00Z")
    assert store().acquire().position_token == "ours"


def test_the_object_is_as_the_design_shows_it(store, state):
    """Other tools read the checkpoint: its fields must be those of docs/design.md."""
    holder = store("a")
    holder.acquire()
    holder.commit(POSITION)
    body = json.loads(json.dumps(state.checkpoint))
    assert body.pop("lease").keys() == {"owner", "expires_at"}
    assert body == {
        "version": 1,
        "position_token": "opaque",
        "token_received_at": "2024-03-04T12:00:00.123456Z",
        "newest_ingestion_time": "2024-03-04T11:59:58.123456Z",
        "frontier": ["040172|2024-03-04T11:59:58.000Z"],
        "gap": {"start": "2024-03-04T05:00:00.123456Z", "end": "2024-03-04T12:00:00.123456Z"},
        "retry_at": None,
    }

"""A day in parts: however many, its objects are the same; they are replaced as a whole, or not at all."""

from __future__ import annotations

import gzip
import shutil
from datetime import UTC, date, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from common import flight_book
from flights import schema
from flights.airports import Airports
from flights.making import Making, MissingPartError, UnfinishedError
from flights.store import ChangedError, Store
from local.aws.folder_bucket import FolderBucket

DAY = date(2021, 3, 20)
KEYS = (schema.key("2021-03-20"), flight_book.key("2021-03-20"))
TAIL = 4_096
"""Bytes that are read first: less than an object has, as with the world's hours."""


def long():
    """Time enough."""
    return 900.0


class Bucket(FolderBucket):
    """A bucket whose reads are noted, and may have something happen before them."""

    def __init__(self, folder):
        super().__init__(folder)
        self.read = []
        self.before = lambda _: None

    def get_object(self, **request):
        self.before(request)
        answer = super().get_object(**request)
        first, last = answer.get("ContentRange", "bytes 0-0/0").removeprefix("bytes ").partition("/")[0].split("-")
        self.read.append((request["Key"], int(last) - int(first) + 1))
        return answer

    def there(self):
        """Return the day's objects."""
        return [self.get_object(Key=key)["Body"].read() for key in KEYS]

    def put_old(self):
        """Write some that are to be replaced."""
        for key in KEYS:
            self.put_object(Key=key, Body=b"old")


@pytest.fixture(scope="module", autouse=True)
def small_tail():
    """An object is not there with its last bytes."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("flights.store.TAIL", TAIL)
        yield


@pytest.fixture
def bucket(large_hours, tmp_path):
    """A bucket with the archive's objects."""
    for key, path in large_hours.items():
        (tmp_path / key).parent.mkdir(parents=True)
        shutil.copyfile(path, tmp_path / key)
    return Bucket(tmp_path)


@pytest.fixture
def making(bucket, tmp_path_factory):
    """What makes flights, a few aircraft at a time."""
    scratch = tmp_path_factory.mktemp("scratch")
    return Making(Store(bucket, ""), Airports.shipped(), scratch, 256, most_rows=25_000)


@pytest.fixture
def plan(making):
    """The day's parts, none of which is made."""
    (made,) = making.days([DAY], long, in_parts=True)
    assert made.flights is None
    assert len(made.plan.parts) == 3
    return made.plan


@pytest.fixture(scope="module")
def as_a_whole(large_hours, tmp_path_factory):
    """The day's objects as one run makes them of all updates at once."""
    folder = tmp_path_factory.mktemp("whole")
    for key, path in large_hours.items():
        (folder / key).parent.mkdir(parents=True)
        shutil.copyfile(path, folder / key)
    bucket = Bucket(folder)
    Making(Store(bucket, ""), Airports.shipped(), folder, 256).days([DAY], long)
    return bucket.there()


def test_a_day_in_parts_is_the_day_as_a_whole(bucket, making, plan, as_a_whole):
    """Byte for byte, in whatever order and however often the parts are made; and it is made of the same."""
    made = {part.number: making.part(part) for part in [*plan.parts[::-1], plan.parts[0]]}
    assert sum(one.flights > 0 for one in made.values()) > 1
    joined = making.join(plan)
    assert bucket.there() == as_a_whole
    assert joined.flights == sum(one.flights for one in made.values())
    assert joined.updates == sum(one.updates for one in made.values())
    assert [one.flights for one in making.days([DAY], long, only_changed=True)] == [None]


def test_a_part_reads_what_it_needs(bucket, making, plan, large_hours):
    """Of each hour the row groups with its addresses, and not the others."""
    bucket.read.clear()
    making.part(plan.parts[1])
    assert {key for key, _ in bucket.read} == set(large_hours)
    assert sum(size for _, size in bucket.read) < sum(path.stat().st_size for path in large_hours.values()) * 3 / 4


def test_runs_by_hand_go_on_where_the_one_before_ended(bucket, making, plan, as_a_whole):
    """Each makes the parts that it has time for; until all are there the day's objects are the old ones."""
    bucket.put_old()
    for left in (2, 1):
        times = iter([900.0, 900.0])
        with pytest.raises(UnfinishedError, match=f"2021-03-20 \\({left} of its 3 parts\\)"):
            making.days([DAY], lambda: next(times, 100.0))  # noqa: B023 - used at once
        assert bucket.there() == [b"old", b"old"]
    making.days([DAY], long)
    assert bucket.there() == as_a_whole
    assert plan.parts[0].key in {key for key, _ in bucket.read}


@pytest.mark.parametrize(("seconds", "left"), [(62.0, "2021-03-21"), (70.0, "")])
def test_a_day_that_would_not_end_in_time_is_not_begun(bucket, tmp_path_factory, seconds, left):
    """A run that has made one day knows what the next one takes, by its rows; as the first of a run it is made."""
    making = Making(Store(bucket, ""), Airports.shipped(), tmp_path_factory.mktemp("scratch"), 256)
    both = [DAY, DAY + timedelta(days=1)]
    if left:
        with pytest.raises(UnfinishedError, match=rf"for {left}; made: .'2021-03-20'"):
            making.days(both, lambda: seconds)
    assert [one.flights is None for one in making.days(both, lambda: seconds, only_changed=True)] == [
        bool(left),
        False,
    ]


def test_a_failure_between_parts_leaves_what_there_was(bucket, making, plan):
    """Without one of its parts a day is not joined; nor with one that is cut off."""
    bucket.put_old()
    for part in plan.parts[1:]:
        making.part(part)
    with pytest.raises(MissingPartError, match="00000"):
        making.join(plan)
    making.part(plan.parts[0])
    kept = bucket.get_object(Key=plan.parts[2].key)["Body"].read()
    assert gzip.decompress(kept)
    metadata = bucket.head_object(Key=plan.parts[2].key)["Metadata"]
    bucket.put_object(Key=plan.parts[2].key, Body=kept[:-9], Metadata=metadata)
    with pytest.raises(EOFError):
        making.join(plan)
    assert bucket.there() == [b"old", b"old"]


def test_late_data_have_the_day_made_again(making, plan, large_hours, tmp_path):
    """What comes between the parts belongs to the next run, which knows by what the objects say they are made of."""
    first, *others = plan.parts
    making.part(first)
    keys = sorted(large_hours)
    shutil.copyfile(large_hours[keys[4]], tmp_path / keys[3])
    for part in others:
        making.part(part)
    making.join(plan)
    (again,) = making.days([DAY], long, only_changed=True, in_parts=True)
    assert again.plan.parts[0].key != first.key


def test_an_object_that_is_replaced_while_it_is_read_is_read_again(bucket, making, plan, large_hours):
    """Its row groups are asked for on condition that it is the one that was described."""
    key, *others = sorted(large_hours)[3:6]

    def replace(request):
        if others and request["Key"] == key and "IfMatch" in request:
            bucket.put_object(Key=key, Body=large_hours[others.pop()].read_bytes())

    bucket.before = replace
    replaced = making.part(plan.parts[1])
    assert others == []
    bucket.before = lambda _: None
    (again,) = making.days([DAY], long, in_parts=True)
    assert making.part(again.plan.parts[1]) == replaced


def test_by_schedule_a_large_day_waits_for_its_hours(making, plan):
    """It is made once, when all are there; until then a run says until when."""
    before, after = datetime(2021, 3, 22, 3, 29, tzinfo=UTC), datetime(2021, 3, 22, 3, 30, tzinfo=UTC)
    of_day = {one.day: one for one in making.changed(before, long)}[DAY]
    assert (of_day.is_due, of_day.flights) == (False, None)
    of_day = {one.day: one for one in making.changed(after, long, in_parts=True)}[DAY]
    assert (of_day.is_due, of_day.plan) == (True, plan)


@pytest.mark.parametrize("of", ["text", "magic", "cut", "lies"])
def test_what_is_no_part_of_the_archive_is_named(bucket, making, plan, large_hours, of):
    """With what to do about it."""
    key = min(large_hours)
    cut = large_hours[key].read_bytes()[:5_000]
    body = {"text": b"no Parquet", "magic": b"PAR1" * 9, "cut": cut, "lies": b"x" * 40 + b"\x09\0\0\0PAR1"}[of]
    bucket.put_object(Key=key, Body=body)
    with pytest.raises(Exception, match=rf"{key}: no Parquet object .* run the archive for its hour again"):
        making.part(plan.parts[0])


def test_an_object_that_expires_meanwhile_is_passed_over(bucket, making, plan, large_hours, tmp_path):
    """As one that was never there."""
    key = min(large_hours)

    def expire(request):
        if request["Key"] == key:
            (tmp_path / key).unlink(missing_ok=True)

    bucket.before = expire
    assert making.part(plan.parts[0]).updates > 0


def test_a_part_that_lacks_an_object_is_made_again_with_it(bucket, making, plan, large_hours, tmp_path, as_a_whole):  # noqa: PLR0913, PLR0917
    """Should the object come again, with the same content; and a day with such a part is made again."""
    key = sorted(large_hours)[2]
    (tmp_path / key).unlink()
    lacking = making.part(plan.parts[0])
    shutil.copyfile(large_hours[key], tmp_path / key)
    for part in plan.parts[1:]:
        making.part(part)
    making.join(plan)
    assert bucket.there() != as_a_whole
    assert [one.flights is None for one in making.days([DAY], long, only_changed=True)] == [False]
    assert making.part(plan.parts[0]).updates > lacking.updates
    assert bucket.there() == as_a_whole


def test_a_part_is_not_made_without_an_object_that_is_listed(bucket, making, plan, large_hours):
    """Though S3 says of it that it is not there."""
    key = min(large_hours)

    def deny(request):
        if request["Key"] == key:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")

    bucket.before = deny
    with pytest.raises(ChangedError, match=f"{key}: is listed"):
        making.part(plan.parts[0])
    with pytest.raises(ClientError):
        bucket.get_object(Key=key)
    assert making.store.part(plan.parts[0]) is None

"""Any document in place of a window's state: a part to go on with, or a StateError, in bounded memory."""

from __future__ import annotations

import base64
import random
import tracemalloc
from functools import cache

import msgspec
import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.state import byte_shuffle, codec, packed_part, packing
from aggregator.state.codec import StateError
from aggregator.state.layout import BY_AIRCRAFT, FIRST_SEEN
from aggregator.state.packed_part import CHUNK, INFLATED_BYTES
from aggregator.state.splitting import PartFolder
from aggregator.state.window_part import WindowPart
from common.target_update import TargetUpdate
from tests.fuzz import targets

MIB = 1024 * 1024
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def document(packed):
    """The state whose binary form these bytes are."""
    return {"v": packed_part.VERSION, "z": base64.b64encode(packed).decode()}


def real_fields():
    """The fields of the state of a small window, as msgpack has them."""
    folder = PartFolder(WindowPart(targets.NOW))
    for number in range(40):
        folder.add(
            TargetUpdate(
                icao_address=f"{number % 7:06X}", timestamp=targets.NOW.replace(second=number), callsign=f"ETH{number}"
            )
        )
    return msgspec.msgpack.decode(packing.pack(folder.part))


REAL = real_fields()
PACKED = msgspec.msgpack.encode(REAL)


@settings(max_examples=80)
@given(state=junk | st.fixed_dictionaries({"v": st.just(packed_part.VERSION) | junk, "z": junk}))
def test_a_document_of_any_shape_is_a_state_or_refused(state):
    """What is no object never gets so far (`test_events`); any object is read, or refused with a text."""
    if isinstance(state, dict):
        targets.window_state(state)


@settings(max_examples=100)
@given(at=st.integers(0, len(PACKED) - 1), what=st.binary(max_size=4), keep=st.booleans())
def test_a_state_with_a_few_bytes_changed_is_read_or_refused(at, what, keep):
    """A byte lost or changed on the way raises nothing but a StateError."""
    targets.window_state(document(PACKED[:at] + what + PACKED[at + (0 if keep else len(what) or 1) :]))


frames = st.builds(byte_shuffle.compress, st.binary(max_size=200)) | st.builds(
    lambda value: byte_shuffle.compress(msgspec.msgpack.encode(value)), junk.filter(lambda value: not _is_huge(value))
)


def _is_huge(value):
    if isinstance(value, list):
        return any(map(_is_huge, value))
    if isinstance(value, dict):
        return any(map(_is_huge, value.values()))
    return isinstance(value, int) and not -(2**63) <= value < 2**64


@settings(max_examples=100)
@given(
    place=st.integers(0, len(REAL) - 1),
    value=frames | st.lists(frames, max_size=3) | st.integers(-(2**63), 2**63) | st.booleans(),
)
def test_a_state_with_one_field_forged_is_read_or_refused(place, value):
    """A field that is valid by itself and contradicts the others raises nothing but a StateError."""
    targets.window_state(document(msgspec.msgpack.encode([*REAL[:place], value, *REAL[place + 1 :]])))


def frame_that_lies(content, claimed):
    """A frame whose header tells another size than it has, in the four bytes that a large one takes."""
    frame = bytearray(zstd.compress(content))
    assert frame[4] >> 6 == 2  # the size in four bytes (RFC 8878, 3.1.1.1.1)
    start = 5 if frame[4] & 0x20 else 6
    frame[start : start + 4] = claimed.to_bytes(4, "little")
    return bytes(frame)


@cache
def bomb():
    """A frame of a few kilobytes that says truly that it inflates to half a gigabyte."""
    return zstd.compress(bytes(512 * MIB))


def many_frames():
    """Ten thousand frames, each of twelve chunks."""
    return [zstd.compress(bytes(12 * CHUNK))] * 10_000


BOMBS = {
    "lists": lambda: {11: bomb()},
    "names": lambda: {10: [bomb()]},
    "many blocks of names": lambda: {10: many_frames()},
    "first_seen": lambda: {9: bomb()},
    "aircraft": lambda: {8: bomb()},
    "rest": lambda: {7: bomb()},
    "one chunk": lambda: {5: [bomb()]},
    "many chunks": lambda: {5: many_frames()},
    "rows": lambda: {6: 2**62},
    "many addresses": lambda: {10: [byte_shuffle.compress(msgspec.msgpack.encode([[""] * 10 * MIB, []]))]},
    "a size that is not given": lambda: {11: zstd.ZstdCompressor().compress(bytes(512 * MIB))},
    "a size that is too small": lambda: {11: frame_that_lies(bytes(64 * MIB), 1000)},
    "several frames": lambda: {11: byte_shuffle.compress(bytes(1000)) + bomb()},
}
"""What takes which field's place; made by the test that tries it, since each takes a second or so."""


@pytest.mark.parametrize("forged", BOMBS.values(), ids=BOMBS)
def test_a_state_bomb_takes_no_more_memory_than_the_bound(forged):
    """A few kilobytes that inflate to hundreds of megabytes are refused in a few times the stated bound."""
    fields = dict(enumerate(REAL)) | forged()
    state = document(msgspec.msgpack.encode(list(fields.values())))
    tracemalloc.start()
    try:
        with pytest.raises(StateError, match="damaged"):
            codec.decode(state, targets.NOW)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 * INFLATED_BYTES


def test_a_walk_that_goes_round_in_a_circle_is_refused():
    """Keys that point forwards to each other would be walked for ever: such a state is no state."""
    log = byte_shuffle.unpack(REAL[7], "iii", REAL[6])
    log[2][0], log[2][1] = -1, 1
    state = document(msgspec.msgpack.encode([*REAL[:7], byte_shuffle.pack(log), *REAL[8:]]))
    with pytest.raises(StateError, match="contradict"):
        codec.decode(state, targets.NOW)


def test_a_feed_that_compresses_too_well_ends_the_part_before_it_outgrows_the_bound():
    """Long texts that are all alike fill no state; the part ends all the same, and each can be read back."""
    folder, choose = PartFolder(WindowPart(targets.NOW), packed_bytes=30_000), random.Random(5)
    for number in range(3_000):
        texts = {name: "\U0001f6e9" * 63 + choose.choice("AB") for name in ("callsign", "flight_number", "tail_number")}
        folder.add(TargetUpdate(icao_address=f"{number:06X}", timestamp=targets.NOW, **texts))
    parts = [*folder.full_parts, folder.part]
    assert len(parts) > 1
    for part in parts:
        assert packing.measure(part) <= 31_000 + max(map(len, part.columns.names))
        assert codec.decode(codec.encode(part), targets.NOW) == part


def test_the_forged_states_above_differ_from_a_real_one_by_their_forgery_alone():
    """The state that is damaged in these tests is read as it stands: what refuses the others is what was changed."""
    assert len(BY_AIRCRAFT) + len(FIRST_SEEN) > 30
    assert targets.window_state(document(PACKED)).updates == 40

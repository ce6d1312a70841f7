"""Identities: texts beside the positions, in blocks of the same regions, with their own version."""

from __future__ import annotations

import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live import identities, identity_writer
from live.assembly import assemble, deflate
from live.container import read_header
from live.errors import SnapshotError
from live.layout import IDENTITIES
from tests.support.live_aircraft import HEADER, columns, fleets


@given(fleets, st.data())
def test_what_is_read_is_what_was_written(fleet, data):
    """Texts of any kind, and none where there was none."""
    texts = st.lists(st.one_of(st.none(), st.text(max_size=20)), min_size=len(fleet), max_size=len(fleet))
    fields = {name: data.draw(texts) for name in ("callsign", "squawk")}

    _, found = identities.read(identity_writer.write(columns(fleet), fields, HEADER))

    expected = {
        address: {name: values[place] for name, values in fields.items() if values[place] is not None}
        for place, address in enumerate(fleet)
    }
    assert found == expected


def test_the_version_changes_with_the_content():
    """The same texts have the same version, wherever the aircraft have flown meanwhile."""
    first = identity_writer.version(["A", "B"], {"squawk": ["7700", None]})

    assert first == identity_writer.version(["A", "B"], {"squawk": ["7700", None]})
    assert first != identity_writer.version(["A", "B"], {"squawk": ["7600", None]})
    assert first != identity_writer.version(["A", "C"], {"squawk": ["7700", None]})


@pytest.mark.parametrize(
    "body", [b"[]", b'[["A"],[1]]', b'[["A","B"],["x"]]', b'[[null],["x"]]', b"[" * 10_000, b"\xff"]
)
def test_a_block_of_something_else_is_refused(body):
    """Neither its shape nor its depth crashes the reader."""
    fleet = {"A": dict.fromkeys(("delay", "position_measured", "latitude", "longitude", "altitude", "speed"))}
    fleet["A"] |= {"timestamp": 0, "vertical_rate": None, "heading": None, "on_ground": None}
    fleet["A"] |= {"source": None, "emergency": None}
    data = identity_writer.write(columns(fleet), {"callsign": ["DLH1"]}, HEADER)
    header, _ = read_header(data, IDENTITIES)
    hostile = deflate(body)
    block = msgspec.structs.replace(header.blocks[0], size=len(hostile), crc32=zlib.crc32(hostile))

    with pytest.raises(SnapshotError):
        identities.read(assemble(IDENTITIES, msgspec.structs.replace(header, blocks=(block,)), [hostile]))


def test_texts_without_end_are_refused():
    """Each block is within its bound, and all together would take gigabytes."""
    block = deflate(msgspec.json.encode([["78121E"], ["x" * 8_000_000]]))
    header = msgspec.to_builtins(HEADER) | {"fields": ["icao_address", "callsign"]}
    blocks = [[1, len(block), zlib.crc32(block)]]
    few, many = (assemble(IDENTITIES, header | {"blocks": blocks * count}, [block] * count) for count in (2, 3))
    assert identities.read(few)[1].keys() == {"78121E"}
    with pytest.raises(SnapshotError, match="bytes when inflated"):
        identities.read(many)

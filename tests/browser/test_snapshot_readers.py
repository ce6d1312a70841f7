"""The two readers of snapshots see the same: what was written is read in Python and by the page's own module."""

from __future__ import annotations

import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from live import identities, identity_writer
from live.errors import SnapshotError
from live.reader import read
from live.writer import write
from tests.support.live_aircraft import HEADER, columns, fleets

EXAMPLES = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

READ = """async ([kind, text]) => {
  const snapshot = await import('./js/snapshot.js');
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  try {
    const header = await snapshot.readHeader(bytes, kind);
    if (header.end !== bytes.length) throw new snapshot.SnapshotError('another length');
    const blocks = [];
    for (let place = 0; place < header.blocks.length; place++) {
      const { start, size } = header.blocks[place];
      const read = kind === snapshot.POSITIONS ? snapshot.readPositions : snapshot.readIdentities;
      blocks.push(await read(header, place, bytes.subarray(start, start + size)));
    }
    if (kind === snapshot.IDENTITIES) return { header, blocks };
    const number = (value) => Number.isNaN(value) ? null : value;
    return { header, blocks: blocks.map((block) => block.address.map((address, row) => [address,
      ...snapshot.COLUMNS.slice(1).map((name) => number(block[name][row]))])) };
  } catch (error) {
    if (!(error instanceof snapshot.SnapshotError)) throw error;
    return { error: error.message };
  }
}"""


@pytest.fixture(scope="module")
def reader(chromium):
    """The page's reader, as a function of a kind and bytes."""
    from pathlib import Path

    from local.web.server import WebServer
    from local.web.static_files import StaticFiles

    web = Path(__file__).resolve().parent.parent.parent / "web"
    # Any page of the same origin may import the module; this one runs nothing of its own.
    with WebServer(StaticFiles(web)) as server:
        tab = chromium.new_page()
        tab.goto(f"{server.url}js/snapshot.js")
        tab.evaluate("history.replaceState(null, '', '/')")
        yield lambda kind, data: tab.evaluate(READ, [kind, base64.b64encode(data).decode()])
        tab.close()


def as_python(row):
    """A row of the page's reader as the Python reader's `Target` says it."""
    address, measured, ahead, delay, age, latitude, longitude, altitude, speed, rate, heading, flags = row
    flags = int(flags)
    return {
        "icao_address": address,
        "freshness": (measured, measured + ahead, None if delay is None else measured + delay),
        "position_measured": None if age is None else measured - age,
        "latitude": latitude,
        "longitude": longitude,
        "altitude": altitude,
        "speed": speed,
        "vertical_rate": rate,
        "heading": heading,
        "on_ground": (None, False, True)[flags & 3],
        "source": (None, "terrestrial", "satellite", "other")[flags >> 2 & 3],
        "emergency": (None, "7500", "7600", "7700")[flags >> 4],
    }


@EXAMPLES
@given(fleets)
def test_both_readers_see_the_same_aircraft(reader, fleet):
    """Every field of every aircraft, whatever was written."""
    data = write(columns(fleet), HEADER)

    header, targets = read(data)
    seen = reader(1, data)

    assert [as_python(row) for block in seen["blocks"] for row in block] == [
        {
            **target._asdict(),
            "freshness": (*target.freshness[:2], None if target.freshness[2] < 0 else target.freshness[2]),
        }
        for target in targets
    ]
    assert seen["header"]["sequence"] == header.sequence
    assert [block["box"] for block in seen["header"]["blocks"]] == [
        None if block.south is None else [edge / 100 for edge in (block.south, block.west, block.north, block.east)]
        for block in header.blocks
    ]


@EXAMPLES
@given(fleets, st.data())
def test_both_readers_see_the_same_identities(reader, fleet, data):
    """Texts of any kind."""
    texts = st.lists(st.one_of(st.none(), st.text(max_size=12)), min_size=len(fleet), max_size=len(fleet))
    snapshot = identity_writer.write(columns(fleet), {"callsign": data.draw(texts), "squawk": data.draw(texts)}, HEADER)

    seen = reader(2, snapshot)

    found = {}
    for block in seen["blocks"]:
        for address, *values in zip(*block, strict=True):
            named = zip(seen["header"]["fields"][1:], values, strict=True)
            found[address] = {name: value for name, value in named if value is not None}
    assert found == identities.read(snapshot)[1]


@EXAMPLES
@given(fleets, st.data())
def test_both_readers_refuse_what_is_damaged(reader, fleet, data):
    """One byte changed, or the end cut off: an error of ours in both, and no other."""
    whole = write(columns(fleet), HEADER)
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[place] ^= data.draw(st.integers(1, 255))

    for hostile in (bytes(damaged), whole[:place]):
        with pytest.raises(SnapshotError):
            read(hostile)
        assert "error" in reader(1, hostile)

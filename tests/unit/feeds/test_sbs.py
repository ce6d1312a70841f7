"""BaseStation lines: what each type says, what is malformed, and that nothing else ever comes of one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds import sbs
from feeds.observation import BOUNDS, Position

TIMES = "2024/03/04,23:24:01.000,2024/03/04,23:24:01.000"


def line(kind="MSG", transmission="3", address="4CA2D6", times=TIMES, **at):
    """A line whose fields 11 to 22 are empty but for those given as `f11`, `f12`, ..."""
    rest = [at.get(f"f{number}", "") for number in range(11, 23)]
    return ",".join([kind, transmission, "1", "1", address, "1", times, *rest]).encode()


@pytest.mark.parametrize(
    ("text", "values", "position"),
    [
        ("MSG,1,145,256,7404F2,11267,2008/11/28,23:48:18.611,2008/11/28,23:53:19.161,RJA1118,,,,,,,,,,,",
         {"callsign": "RJA1118"}, None),
        ("MSG,2,496,603,400CB6,13168,2008/10/13,12:24:32.414,2008/10/13,12:28:52.074,,,0,76.4,258.3,54.05735,-4.38826,,,,,,0",
         None, None),
        ("MSG,2,496,603,400CB6,13168,2008/10/13,12:24:32.414,2008/10/13,12:28:52.074,,0,76.4,258.3,54.05735,-4.38826,,,,,,0",
         {"speed": 76.4, "heading": 258.3, "on_ground": True}, (54.05735, -4.38826)),
        ("MSG,3,496,211,4CA2D6,10057,2008/11/28,14:53:50.594,2008/11/28,14:58:51.153,,37000,,,51.45735,-1.02826,,,0,0,0,0",
         {"altitude_baro": 37000.0, "on_ground": False}, (51.45735, -1.02826)),
        ("MSG,4,496,469,4CA767,27854,2010/02/19,17:58:13.039,2010/02/19,17:58:13.368,,,288.6,103.2,,,-832,,,,,",
         {"speed": 288.6, "heading": 103.2, "vertical_rate": -832.0}, None),
        ("MSG,5,496,329,394A65,27868,2010/02/19,17:58:12.644,2010/02/19,17:58:13.368,,10000,,,,,,,0,,0,0",
         {"altitude_baro": 10000.0, "on_ground": False}, None),
        ("MSG,6,496,237,4CA215,27864,2010/02/19,17:58:12.846,2010/02/19,17:58:13.368,,33325,,,,,,0271,0,0,0,0",
         {"altitude_baro": 33325.0, "squawk": "0271", "on_ground": False}, None),
        ("MSG,7,496,742,51106E,27929,2011/03/06,07:57:36.523,2011/03/06,07:57:37.054,,3775,,,,,,,,,,0",
         {"altitude_baro": 3775.0, "on_ground": False}, None),
        ("MSG,8,496,194,405F4E,27884,2010/02/19,17:58:13.244,2010/02/19,17:58:13.368,,,,,,,,,,,,-1",
         {"on_ground": True}, None),
        ("MLAT,3,1,1,A76E37,1,2016/03/10,18:22:22.989,2016/03/10,18:22:22.989,,28211,497,66,36.8347,-120.4883,1696,,,,,,,,",
         {"altitude_baro": 28211.0, "speed": 497.0, "heading": 66.0, "vertical_rate": 1696.0}, (36.8347, -120.4883)),
    ],
)  # fmt: skip
def test_each_type_of_transmission(text, values, position):
    """Published examples of every type are read; one with a field too many is not one of them."""
    if values is None:
        with pytest.raises(sbs.MalformedLineError, match="23 fields, expected 22"):
            sbs.parse(text.encode())
        return
    heard = sbs.parse(text.encode())
    assert heard.values == values
    assert heard.position == position
    assert heard.source == text.split(",", maxsplit=1)[0].replace("MSG", "ADSB")


def test_the_age_is_the_difference_of_the_two_times():
    """The receiver's zone and clock do not matter: a message it kept for 1.2 s is that much older than its arrival."""
    heard = sbs.parse(line(times="2024/03/04,23:24:01.000,2024/03/04,23:24:02.200", f15="1", f16="2"))
    assert heard.arrived(100.0).position == Position(1.0, 2.0, pytest.approx(98.8))
    for times in (
        ",,,",
        "2024/03/04,23:24:02.0,2024/03/04,23:24:01.0",
        "2024/03/04,23:24:02,2025/03/04,23:24:02",
        "a,b,c,d",
    ):
        assert sbs.parse(line(times=times, f12="1")).arrived(100.0).at == 100.0


def test_what_is_not_measured_by_the_barometer_is_left_out():
    """Readsb marks a geometric altitude and rate with an H: they are no `altitude_baro`."""
    assert sbs.parse(line(f12="37000H", f17="-64H", f13="450")).values == {"speed": 450.0}


def test_texts_are_as_an_update_has_them():
    """Callsigns lose their padding, squawks of old decoders get their zeros, and an unreadable callsign is left out."""
    assert sbs.parse(line(f11=" DLH4ab ")).values == {"callsign": "DLH4AB"}
    assert sbs.parse(line(f11="@@@@@@@@", f18="21")).values == {"squawk": "0021"}


@pytest.mark.parametrize("kind", ["AIR", "CLK", "ID", "SEL", "STA"])
def test_lines_about_the_program_say_nothing_of_an_aircraft(kind):
    """They are skipped, and are not malformed."""
    assert sbs.parse(f"{kind},,5,179,400AE7,10103,{TIMES}".encode()) is None


def test_an_address_that_is_not_one_of_icao_is_passed_over():
    """mlat-client marks them; nobody else could tell whose they are."""
    assert sbs.parse(line(kind="MLAT", address="~2F0011")) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "neither MSG"),
        (b"GET / HTTP/1.1", "neither MSG"),
        (line()[:-3], "fields, expected 22"),
        (line() + line(), "fields, expected 22"),
        (line(transmission="9"), "transmission type"),
        (line(address="4CA2D"), "six hexadecimal digits"),
        (line(f12="37_000"), "altitude_baro: expected a number from -5000 to 150000"),
        (line(f12="nan"), "altitude_baro"),
        (line(f12="1e3"), "altitude_baro"),
        (line(f15="90.1", f16="0"), "latitude: expected a number from -90 to 90"),
        (line(f14="361"), "heading"),
        (line(f18="7800"), "squawk"),
        (line(f11="\u00e9"), "not ASCII"),
        (line(f11="X" * 600), "longer than 512 bytes"),
    ],
)
def test_malformed_lines_are_refused_with_the_reason(text, reason):
    """A line that was cut or damaged is not half believed."""
    with pytest.raises(sbs.MalformedLineError, match=reason):
        sbs.parse(text)


_fields = st.lists(st.text(alphabet="0123456789ABCDEFMSGLAT~.-+_einfaH/: \x00\xff", max_size=12), max_size=26)
_near = st.tuples(
    st.sampled_from(["MSG", "MLAT"]),
    st.sampled_from("12345678"),
    st.lists(st.text(max_size=9), min_size=12, max_size=12),
)


@given(st.one_of(st.binary(max_size=600), _fields.map(lambda fields: ",".join(fields).encode("latin-1"))))
def test_any_bytes_are_read_or_refused(data):
    """Nothing but a refusal ever comes of garbage, and what is accepted an update can hold."""
    try:
        heard = sbs.parse(data)
    except sbs.MalformedLineError:
        return
    assert heard is None or _is_plausible(heard)


@given(_near)
def test_lines_almost_right_are_read_or_refused(parts):
    """The same of lines that have the right number of fields, and anything in them."""
    kind, transmission, rest = parts
    try:
        heard = sbs.parse(",".join([kind, transmission, "1", "1", "4CA2D6", "1", TIMES, *rest]).encode())
    except sbs.MalformedLineError:
        return
    assert _is_plausible(heard)


@given(st.data())
def test_what_a_receiver_writes_is_what_is_read(data):
    """Every value within its bounds comes back as it was written."""
    written = {name: data.draw(st.integers(*map(int, bounds))) for name, bounds in BOUNDS.items()}
    heard = sbs.parse(
        line(f12=str(written["altitude_baro"]), f13=str(written["speed"]), f14=str(written["heading"]),
             f15=str(written["latitude"]), f16=str(written["longitude"]), f17=str(written["vertical_rate"]))
    )  # fmt: skip
    assert heard.position == (written.pop("latitude"), written.pop("longitude"))
    assert heard.values == written


def _is_plausible(heard):
    numbers = {**heard.values, **dict(zip(("latitude", "longitude"), heard.position or (), strict=False))}
    return all(low <= numbers[name] <= high for name, (low, high) in BOUNDS.items() if name in numbers)

"""The settings: every variable is checked before anything is opened, and an error says which, what and what else."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.environment import ConfigurationError
from consumer.settings import DEFAULT_STREAM_URL, Settings, run_seconds

REQUIRED = {
    "API_TOKEN_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:api-token",
    "STATE_BUCKET": "state",
    "DATA_BUCKET": "data",
    "UPDATES_STREAM_NAME": "updates",
}
OPTIONAL = (
    "STREAM_URL",
    "START_POSITION",
    "RECORD_FORMAT",
    "ALERT_PATTERNS",
    "COMPRESSION",
    "ICAO_ADDRESSES",
    "CALLSIGNS",
    "TAIL_NUMBERS",
    "AIRLINES",
    "LATITUDE_BETWEEN",
    "LONGITUDE_BETWEEN",
    "ALTITUDE_BETWEEN",
    "MAX_AGE_SECONDS",
    "LATE_FILTER",
    "STOP_WHEN_CAUGHT_UP",
    "VISIT_SECONDS",
    "STREAM_DELAY_MINUTES",
    "UPDATE_PROCESSOR",
)
PARAMETER = {
    "ICAO_ADDRESSES": "icao_address",
    "CALLSIGNS": "callsign",
    "TAIL_NUMBERS": "tail_number",
    "AIRLINES": "airline",
    "LATITUDE_BETWEEN": "latitude_between",
    "LONGITUDE_BETWEEN": "longitude_between",
    "ALTITUDE_BETWEEN": "altitude_between",
    "MAX_AGE_SECONDS": "max_age",
    "LATE_FILTER": "late_filter",
}


def settings(**environ):
    """The settings of an environment with these variables beside the required ones."""
    return Settings.from_environment(REQUIRED | environ)


def test_without_options_the_whole_feed_is_read_from_now_on():
    """The provider's address, from LATEST, in gzip, filtered by nothing."""
    assert settings() == Settings(
        stream_url=DEFAULT_STREAM_URL,
        api_token_secret_arn=REQUIRED["API_TOKEN_SECRET_ARN"],
        state_bucket="state",
        data_bucket="data",
        updates_stream_name="updates",
        start_position="LATEST",
        envelopes=False,
        compression="gzip",
        filters={},
    )


def test_every_variable_of_the_design_is_known_here(repository):
    """What the design's table says of the consumer and what these tests cover are the same variables."""
    rows = [line for line in (repository / "docs" / "design.md").read_text().splitlines() if "| consumer" in line]
    names = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row.split("|")[1])}
    assert names == {*REQUIRED, *OPTIONAL}


@pytest.mark.parametrize("name", OPTIONAL)
@pytest.mark.parametrize("nothing", ["", "  "])
def test_an_empty_option_is_an_option_not_set(name, nothing):
    """A template passes its empty parameters as empty strings."""
    assert settings(**{name: nothing}) == settings()


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [None, "", " "])
def test_a_missing_resource_is_named(name, value):
    """A variable that must be set is named where it is absent or empty."""
    environ = {key: kept for key, kept in (REQUIRED | {name: value}).items() if kept is not None}
    with pytest.raises(ConfigurationError, match=f"^{name}: not set"):
        Settings.from_environment(environ)


def test_how_the_stream_is_read_is_taken():
    """All the time by default; a wrong value is named."""
    assert (settings().stop_when_caught_up, settings().visit_seconds) == (False, 60)
    periodic = settings(STOP_WHEN_CAUGHT_UP="true", VISIT_SECONDS="900")
    assert (periodic.stop_when_caught_up, periodic.visit_seconds) == (True, 900)
    assert settings(STREAM_DELAY_MINUTES="240").stream_delay == timedelta(hours=4)
    wrong = {"STOP_WHEN_CAUGHT_UP": "yes", "VISIT_SECONDS": "5", "STREAM_DELAY_MINUTES": "-1"}
    for name, value in wrong.items():
        with pytest.raises(ConfigurationError, match=f"{name}: got '{value}'"):
            settings(**{name: value})


@pytest.mark.parametrize("value", ["LATEST", "BEGINNING"])
def test_a_start_position_is_taken(value):
    """Both of the API's words are taken, with blanks around them too."""
    assert settings(START_POSITION=f" {value} ").start_position == value


@pytest.mark.parametrize("value", ["gzip", "none"])
def test_a_compression_is_taken(value):
    """Both of the API's words are taken."""
    assert settings(COMPRESSION=value).compression == value


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("ICAO_ADDRESSES", "78121E", "78121E"),
        ("ICAO_ADDRESSES", " 78121e , 040172,", "78121e,040172"),
        ("CALLSIGNS", "ETH701,DAL1", "ETH701,DAL1"),
        ("TAIL_NUMBERS", "ET-AWO,N1", "ET-AWO,N1"),
        ("AIRLINES", "ET, Delta Air Lines", "ET,Delta Air Lines"),
        ("LATITUDE_BETWEEN", "33.1,34.2", "33.1,34.2"),
        ("LATITUDE_BETWEEN", "-90, 90", "-90,90"),
        ("LONGITUDE_BETWEEN", "-85.0,-84.0", "-85.0,-84.0"),
        ("LONGITUDE_BETWEEN", "170,-170", "170,-170"),
        ("ALTITUDE_BETWEEN", "-100,+45000", "-100,+45000"),
        ("MAX_AGE_SECONDS", "60", "60"),
        ("LATE_FILTER", "true", "true"),
        ("LATE_FILTER", "false", "false"),
    ],
)
def test_a_filter_goes_out_under_the_name_the_api_gives_it(name, value, sent):
    """A valid filter becomes one query parameter, its blanks removed; no other appears."""
    assert settings(**{name: value}).filters == {PARAMETER[name]: sent}


def test_envelopes_are_made_where_they_are_asked_for():
    """The format is a setting, and the template's own alert patterns do with both."""
    patterns = '{"data":{"squawk":["7700"]}}\n\n'
    assert settings(RECORD_FORMAT="envelope", ALERT_PATTERNS=patterns).envelopes
    assert not settings(RECORD_FORMAT="single", ALERT_PATTERNS=patterns).envelopes


def test_a_pattern_that_misses_updates_in_envelopes_is_refused():
    """Alerts would be lost in silence; one record an update has no such limit."""
    patterns = '{"data":{"heading":[{"numeric":[">",180]}]}}'
    with pytest.raises(ConfigurationError, match=r"ALERT_PATTERNS.*heading"):
        settings(RECORD_FORMAT="envelope", ALERT_PATTERNS=patterns)
    assert not settings(ALERT_PATTERNS=patterns).envelopes


@pytest.mark.parametrize(
    ("name", "value", "got", "takes"),
    [
        ("START_POSITION", "latest", "latest", "'LATEST' or 'BEGINNING'"),
        ("RECORD_FORMAT", "envelopes", "envelopes", "'single' or 'envelope'"),
        ("COMPRESSION", "br", "br", "'gzip' or 'none'"),
        ("ICAO_ADDRESSES", "78121E,7812", "7812", "24-bit addresses of 6 hexadecimal digits"),
        ("ICAO_ADDRESSES", "78121G", "78121G", "6 hexadecimal digits"),
        ("ICAO_ADDRESSES", "78121E 040172", "78121E 040172", "separated by commas"),
        ("CALLSIGNS", "ETH-701", "ETH-701", "callsigns of 1 to 8 letters and digits"),
        ("CALLSIGNS", "ETHIOPIAN", "ETHIOPIAN", "callsigns of 1 to 8"),
        ("TAIL_NUMBERS", "ET_AWO", "ET_AWO", "registrations such as B-8700"),
        ("LATITUDE_BETWEEN", "33.1", "33.1", "south,north in degrees, each from -90 to 90, the lower one first"),
        ("LATITUDE_BETWEEN", "34,33", "34,33", "the lower one first"),
        ("LATITUDE_BETWEEN", "33,33", "33,33", "the lower one first"),
        ("LATITUDE_BETWEEN", "1,2,3", "1,2,3", "south,north"),
        ("LATITUDE_BETWEEN", "33,91", "33,91", "from -90 to 90"),
        ("LATITUDE_BETWEEN", "south,north", "south,north", "in degrees"),
        ("LATITUDE_BETWEEN", "nan,1", "nan,1", "in degrees"),
        ("LATITUDE_BETWEEN", "1e1,2e1", "1e1,2e1", "in degrees"),
        ("LATITUDE_BETWEEN", "٣٣,٣٤", "٣٣,٣٤", "in degrees"),
        ("LONGITUDE_BETWEEN", "-181,0", "-181,0", "west,east in degrees, each from -180 to 180"),
        ("LONGITUDE_BETWEEN", "10,", "10,", "west,east"),
        ("ALTITUDE_BETWEEN", "10000,0", "10000,0", "low,high in feet, each from -2000 to 200000, the lower one first"),
        ("ALTITUDE_BETWEEN", "0,inf", "0,inf", "in feet"),
        ("MAX_AGE_SECONDS", "0", "0", "a whole number of seconds above 0"),
        ("MAX_AGE_SECONDS", "-5", "-5", "a whole number of seconds above 0"),
        ("MAX_AGE_SECONDS", "1.5", "1.5", "a whole number"),
        ("MAX_AGE_SECONDS", "٦٠", "٦٠", "a whole number"),
        ("LATE_FILTER", "yes", "yes", "'true' or 'false'"),
        ("LATE_FILTER", "True", "True", "'true' or 'false'"),
        ("STREAM_URL", "api.airsafe.spire.com", "api.airsafe.spire.com", "https://..."),
        ("STREAM_URL", "ftp://127.0.0.1/", "ftp://127.0.0.1/", "https://..."),
        ("STREAM_URL", "https://exämple..com/x", "https://exämple..com/x", "https://..."),
        ("STREAM_URL", "https://.example.com/", "https://.example.com/", "https://..."),
        ("STREAM_URL", f"https://{'ä' * 64}.com/", f"https://{'ä' * 64}.com/", "https://..."),
        ("STREAM_URL", f"https://{'a' * 64}.com/", f"https://{'a' * 64}.com/", "https://..."),
        ("STREAM_URL", "https://", "https://", "https://..."),
        ("STREAM_URL", "https:///v2", "https:///v2", "https://..."),
        ("STREAM_URL", "https://host:port/", "https://host:port/", "https://..."),
        ("STREAM_URL", "https://host:65536/", "https://host:65536/", "https://..."),
        ("STREAM_URL", "https://ho st/", "https://ho st/", "https://..."),
        ("STREAM_URL", "https://[::1/", "https://[::1/", "https://..."),
    ],
)
def test_a_wrong_value_is_named_with_what_it_takes(name, value, got, takes):
    """The error begins with the variable, shows what it holds, and says what it takes."""
    with pytest.raises(ConfigurationError) as failure:
        settings(**{name: value})
    text = str(failure.value)
    assert text.startswith(f"{name}: got {got!r}; expected ")
    assert takes in text.split("; expected ")[1]


@pytest.mark.parametrize(
    "url",
    [
        "https://api.airsafe.spire.com/v2/targets/stream",
        "https://8.8.8.8/",
        "https://exämple.com/",
        "https://api.airsafe.spire.com./",
        "http://127.0.0.1:8080/v2/targets/stream",
        "http://localhost:8080/",
        "http://LOCALHOST/",
        "http://host.docker.internal:3000/",
        "http://[::1]:8080/",
        "http://10.1.2.3/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://[fd00::1]/",
    ],
)
def test_plain_http_is_for_this_machine_and_private_addresses(url):
    """HTTPS goes anywhere; HTTP only where nobody else can read the token on the way."""
    assert settings(STREAM_URL=url).stream_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://api.airsafe.spire.com/v2/targets/stream",
        "http://8.8.8.8/",
        "http://172.32.0.1/",
        "http://[2001:4860:4860::8888]/",
        "http://[::ffff:8.8.8.8]/",
        "http://localhost.example.com/",
        "http://127.0.0.1.example.com/",
        "http://2130706433/",
    ],
)
def test_plain_http_to_the_world_is_refused(url):
    """The token is never sent in the clear to a public host, or to a name that only looks like this machine."""
    with pytest.raises(ConfigurationError, match="expected https://"):
        settings(STREAM_URL=url)


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hunter2@api.airsafe.spire.com/",
        "https://hunter2@api.airsafe.spire.com/",
        "https://:hunter2@/",
        "user:hunter2@api.airsafe.spire.com/",
        "http://user:hunter2@[::1/",
        "https://user:hunter2@host:port/",
        "https://api.airsafe.spire.com/v2?token=hunter2",
        "api.airsafe.spire.com/v2?token=hunter2",
        "https://api.airsafe.spire.com/v2#hunter2",
    ],
)
def test_credentials_in_the_address_are_refused_unseen(url):
    """A secret in the address, well formed or not, is refused without being shown, in the error's cause neither."""
    with pytest.raises(ConfigurationError) as failure:
        settings(STREAM_URL=url)
    assert str(failure.value).startswith("STREAM_URL: holds credentials or a query; expected a bare address")
    assert failure.value.__cause__ is None
    assert failure.value.__context__ is None


@given(st.dictionaries(st.sampled_from(OPTIONAL), st.text(max_size=20)))
def test_whatever_the_variables_hold_the_error_is_a_configuration_error(environ):
    """No text in any variable makes it raise anything else, and the error begins with the variable's name."""
    try:
        taken = settings(**environ)
    except ConfigurationError as error:
        named = str(error).partition(": ")[0]
    else:
        assert {name for name, parameter in PARAMETER.items() if parameter in taken.filters} <= environ.keys()
        return
    assert named in environ


@pytest.mark.parametrize(
    ("event", "seconds"),
    [
        ({}, None),
        ({"detail": {}}, None),
        ({"detail": None}, None),
        ({"detail": "text"}, None),
        ({"detail": {"run_seconds": None}}, None),
        ({"detail": {"run_seconds": 20}}, 20.0),
        ({"detail": {"run_seconds": 0.5}}, 0.5),
    ],
)
def test_an_event_may_limit_the_run(event, seconds):
    """`detail.run_seconds` is taken where it is given; the schedule's own event has none."""
    assert run_seconds(event) == seconds


@pytest.mark.parametrize("value", [0, -1, "20", True, [20], float("nan")])
def test_a_wrong_limit_is_named(value):
    """A limit that is no number above 0 is refused with what it is, rather than taken for none."""
    with pytest.raises(
        ConfigurationError, match=r"^event detail.run_seconds: got .*; expected a number of seconds above 0"
    ):
        run_seconds({"detail": {"run_seconds": value}})

"""The API token is in no text that is cleaned or kept, in whatever spelling the server repeats it."""

from __future__ import annotations

import base64
import json
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consumer.stream import redaction
from consumer.stream.line_decoder import MAX_LINE_BYTES
from consumer.stream.redaction import Redactor

TOKEN = "s3cr3t/API+token_0123~456789==aBcDeF"
REDACTOR = Redactor(TOKEN)

SPELLINGS = {
    "as it is": TOKEN,
    "upper case": TOKEN.upper(),
    "lower case": TOKEN.lower(),
    "percent-encoded": quote(TOKEN, safe=""),
    "percent-encoded, lower hexadecimal": quote(TOKEN, safe="").replace("%2F", "%2f").replace("%2B", "%2b"),
    "percent-encoded twice": quote_plus(quote_plus(TOKEN)),
    "percent-encoded, every character": "".join(f"%{ord(one):02X}" for one in TOKEN),
    "escaped slashes": TOKEN.replace("/", "\\/"),
    "escaped slashes twice": TOKEN.replace("/", "\\\\\\/"),
    "unicode-escaped": "".join(f"\\u{ord(one):04x}" for one in TOKEN),
    "unicode-escaped in part": TOKEN.replace("t", "\\u0074").replace("A", "\\u0041"),
    "hexadecimal escapes": "".join(f"\\x{ord(one):02x}" for one in TOKEN),
    "entities": "".join(f"&#{ord(one)};" for one in TOKEN),
    "hexadecimal entities": "".join(f"&#x{ord(one):X};" for one in TOKEN),
    "hexadecimal": TOKEN.encode().hex(),
    "upper hexadecimal": TOKEN.encode().hex().upper(),
    "folded": TOKEN[:20] + "\r\n " + TOKEN[20:],
    "folded twice": TOKEN[:20] + " \t\n \\r \\n" + TOKEN[20:],
    "as JSON": json.dumps({"token": TOKEN}),
    **{
        f"base64 at {before}": base64.b64encode(b"x" * before + TOKEN.encode() + b"y" * 5).decode()
        for before in range(4)
    },
    **{
        f"URL-safe base64 at {before}": base64.urlsafe_b64encode(b"\xff" * before + TOKEN.encode()).decode()
        for before in range(4)
    },
    "base64 in a URL": quote(base64.b64encode(b"Bearer " + TOKEN.encode()).decode(), safe=""),
    "base64 of a header": base64.b64encode(b"Authorization: Bearer " + TOKEN.encode()).decode()[27:],
}


def fragments(text, size=12):
    """Every stretch of so many characters."""
    return {text[start : start + size] for start in range(len(text) - size + 1)}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("before", ["", "bad token ", "x" * 290, "\\u00e9\n&amp; %zz "])
def test_no_spelling_of_the_token_is_shown(spelling, before):
    """Nothing of the spelling but a few characters is left, wherever it is in the text."""
    cleaned = REDACTOR.clean(f"{before}{spelling} and more", 2000)
    assert not fragments(spelling) & fragments(cleaned)
    assert "***" in cleaned
    assert cleaned.endswith("and more")


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_no_spelling_of_the_token_is_kept(spelling):
    """A rejected line goes to S3 without it."""
    line = b'{"odd":"' + spelling.encode() + b'\xff"}'
    kept = REDACTOR.line(line)
    assert not fragments(spelling) & fragments(kept.decode("latin-1"))
    assert kept.startswith(b'{"odd":"')
    assert kept.endswith(b'\xff"}')


@pytest.mark.parametrize("start", range(0, 20, 3))
@pytest.mark.parametrize("size", [11, 20])
def test_no_good_part_of_the_token_is_shown(start, size):
    """A text that was cut short may hold a part of it."""
    part = TOKEN[start : start + size]
    assert part not in REDACTOR.clean(f"token {part}", 300)


@given(st.text(max_size=60), st.text(max_size=60))
def test_what_is_around_it_stays(before, after):
    """What is not the token is cleaned as it is."""
    redacted = REDACTOR.redact(f"{before} {TOKEN} {after}")
    assert TOKEN not in redacted
    assert len(redacted) <= len(before + after) + 5


@given(st.binary(max_size=200))
def test_a_line_without_it_is_the_same(line):
    """Nothing else is touched, whatever the bytes are."""
    assert REDACTOR.line(line) is line


@pytest.mark.parametrize("token", ["a", "ab", "secret", "test-token", "50%41\\u0042%", "a&#65;b/c\\/d"])
def test_a_short_token_is_redacted_too(token):
    """Whatever was put into the secret."""
    assert token not in Redactor(token).clean(f"<{token}> {token.upper()}", 300).lower()


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_a_position_token_is_hidden_beside_the_api_token(spelling):
    """The token that was asked for last is in no text; the one before it need not be looked for any more."""
    redactor = Redactor("another-secret")
    redactor.hide("the position before")
    redactor.hide(TOKEN)
    cleaned = redactor.clean(f"another-secret and {spelling} and the position before", 2000)
    assert not fragments(spelling) & fragments(cleaned)
    assert cleaned.startswith("*** and ")
    assert cleaned.endswith(" and the position before")


def test_a_position_token_need_not_be_ascii():
    """Nobody says what it is made of."""
    redactor, position = Redactor("another-secret"), "Позиция-потока"
    redactor.hide(position)
    assert redactor.clean(f"<{position}> <{quote(position)}>", 300) == "<***> <***>"


def test_a_line_that_is_kept_may_hold_a_position_token():
    """It goes into the bucket that has the checkpoint, and is there to be looked at as it was received."""
    redactor = Redactor("another-secret")
    redactor.hide(TOKEN)
    line = TOKEN.encode()
    assert redactor.line(line) is line


def test_the_message_is_one_bounded_line_without_control_characters():
    """Escape sequences, line ends and what turns text around never reach a terminal."""
    cleaned = REDACTOR.clean("\x1b[2J\x1b]0;x\x07a\r\nb\x7f\x9b31m\u202e\u2028\ud800" + "y" * 10_000, 300)
    assert cleaned.isprintable()
    assert len(cleaned) == 300


@pytest.mark.parametrize("text", [TOKEN * 200_000, "\\u0041" * 700_000, "%25" * 1_400_000, "\\" * 4_000_000])
def test_of_a_text_without_end_only_the_beginning_is_looked_at(text, monkeypatch):
    """A status of 4 MiB is cut before anything is looked for in it."""
    looked_at = []
    for look in (redaction._as_it_is, redaction._unescaped, redaction._sketch):

        def looked(part, look=look):
            looked_at.append(len(part))
            return look(part)

        monkeypatch.setattr(redaction, look.__name__, looked)
    assert len(REDACTOR.clean(text, 300)) <= 300
    assert 0 < sum(looked_at) <= 3 * redaction._LONGEST_TEXT


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_the_token_is_found_wherever_a_long_line_is_divided(spelling, monkeypatch):
    """A long line is looked at a part at a time: what lies on the border of two is found as anywhere else."""
    lines = [f"{'x' * before}{spelling} and {spelling[:-9]} more".encode("latin-1") for before in range(0, 100, 3)]
    whole = [REDACTOR.line(line) for line in lines]
    monkeypatch.setattr(redaction, "_WINDOW", 64)
    monkeypatch.setattr(redaction, "_OVERLAP", 400)
    assert [REDACTOR.line(line) for line in lines] == whole
    assert all(b"***" in line for line in whole)


LONG = {
    "escapes": "\\u0041" * 170_000,
    "spaces": " " * 1_000_000 + "\\u0041",
    "spaces and line ends": (" " * 999 + "\\n") * 1000,
    "backslashes": "\\" * 1_000_000 + "z",
    "percent signs": "%25" * 330_000,
    "entities": "&#0000065;" * 100_000,
    "parts of the token": f"{TOKEN[:9]} " * 100_000,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_long_line_takes_no_longer_than_its_length(text):
    """A rejected line of a megabyte, whatever it is made of, takes little more work than one of letters.

    Both are done by this thread one after the other: neither a slow machine nor one that stands still tells.
    """
    plain = "&#65;" + "x" * (len(text) - 5)
    assert work(text) < 20 * work(plain)


@pytest.mark.parametrize("unit", ["x", '\\"', "\\u0041", "\\x41", "%41", "%2525", " \\n", "\\", " ", "=", "token-01 "])
def test_a_long_line_without_the_token_is_not_taken_apart(unit, monkeypatch):
    """Character by character a line of 4 MiB took seconds; what is certainly not in it is not looked for so."""
    taken_apart = []
    for form in (redaction._as_it_is, redaction._unescaped):
        monkeypatch.setattr(redaction, form.__name__, taken_apart.append)
    line = (unit * (MAX_LINE_BYTES // len(unit))).encode()
    assert REDACTOR.line(line) is line
    assert taken_apart == []


AWKWARD = [TOKEN, "x41u0041n=25%41r/'\"25", "nrnrnrnrnrnrnr", "=3d=3d=3d=3d=41", "252525252525", "a&#65;b/c\\/d&#65;"]


@given(
    st.sampled_from(AWKWARD),
    st.lists(
        st.tuples(
            st.sampled_from(["", "\\", "\\\\", " \\n", "\r\n ", "%", "%25", "\\x", "\\u00", "=", "2"]),
            st.integers(0, 4),
        )
    ),
    st.integers(0, 10),
)
@example("n3cr3t-tokE", [("", 0), ("\\n\\\\\\r", 0)], 1)
def test_a_token_that_is_there_is_never_ruled_out(token, odd, start):
    """However its characters are spelled, and whatever stands between them."""
    redactor = Redactor(token)
    ways = [
        lambda one: one,
        lambda one: f"%{ord(one):02X}",
        lambda one: f"\\u00{ord(one):02x}",
        lambda one: f"\\\\x{ord(one):02X}",
        lambda one: f"%2525{ord(one):02x}",
    ]
    odd += [("", 0)] * (start + len(token) - len(odd))
    spelled = "".join(before + ways[way](one) for one, (before, way) in zip("z" * start + token, odd, strict=False))
    plain = redaction._unescaped(spelled)[0]
    found = [plain[at : at + redaction._FRAGMENT] in redactor._fragments for at in range(len(plain))]
    if any(all(found[at : at + redaction._STRIDE]) for at in range(len(found) - redaction._STRIDE + 1)):
        assert redactor._may_be_in(spelled, redaction._unescaped)


def work(text):
    """What a line costs this thread, in seconds of a processor."""
    begun = time.thread_time()
    REDACTOR.line(text.encode())
    return time.thread_time() - begun

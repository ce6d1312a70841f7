"""The provider refuses: tokens, everything, for a while or for good, with words that mean to be shown."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import TYPE_CHECKING

from tests.adversary.attacks.register import kind
from tests.adversary.attacks.throttling import record_format
from tests.adversary.feed import Break
from tests.adversary.judge import encodings
from tests.adversary.plan import SETTLE, Bounds, Run, Traffic
from tests.adversary.stage import API_TOKEN
from tests.adversary.wire import Instead, Reply, Rule

if TYPE_CHECKING:
    from random import Random

    from tests.adversary.plan import ConsumerPlan

_CLIENT_ERRORS = (
    400,
    402,
    403,
    404,
    405,
    406,
    409,
    410,
    412,
    414,
    415,
    416,
    417,
    418,
    421,
    423,
    424,
    425,
    426,
    428,
    431,
    451,
    499,
)
FORGED = "FORGED-LINE"


@kind("a token that is refused again and again is asked for ever more rarely", weight=2)
def refused_tokens(rng: Random, now: float) -> ConsumerPlan:
    """Every stored token is refused, LATEST is not, for a whole run; the stream's new tokens are no better."""
    traffic = Traffic(rng, now, age=300)
    traffic.intervals(3, 5)
    traffic.gate(1)
    traffic.intervals(rng.choice([2, 20]), 5)
    status = rng.choice([400, 410, 422, *rng.sample(_CLIENT_ERRORS, 2)])
    rules = (Rule("feed.stored", Instead(Reply(status, b'{"message":"no such token"}'))),)
    refused = Run(rng.choice([6.0, 10.0]), rules)
    return traffic.plan(
        Run(2.5),
        refused,
        SETTLE,
        bounds=Bounds(requests=40, checkpoint_writes=130),
        **record_format(rng),
    )


@kind("a single odd status neither ends the stream for good nor starts a storm", weight=2)
def odd_statuses(rng: Random, now: float) -> ConsumerPlan:
    """One or a few answers bear a status nobody expects there; the next run finds all well."""
    traffic = Traffic(rng, now, age=300)
    traffic.intervals(3, 5)
    traffic.gate(1)
    traffic.intervals(4, 5)
    status = rng.choice(
        [
            103,
            201,
            202,
            204,
            205,
            206,
            226,
            300,
            301,
            302,
            303,
            307,
            308,
            401,
            408,
            422,
            429,
            500,
            501,
            502,
            503,
            504,
            505,
            507,
            520,
            529,
            599,
            *_CLIENT_ERRORS,
        ]
    )
    extra = ((("Location", "http://127.0.0.1:9/"),) if 300 <= status < 400 else ()) + _retry_after(rng)
    body = b"" if status in (103, 204, 304) else b'{"message":"for a moment"}'
    rules = (Rule("feed.*", Instead(Reply(status, body, extra)), count=rng.choice([1, 2, 1 << 30])),)
    return traffic.plan(
        Run(2.5),
        Run(rng.choice([4.0, 6.0]), rules),
        SETTLE,
        bounds=Bounds(requests=40),
        **record_format(rng),
    )


@kind("a server that asks to wait is not asked before, by whatever run", weight=1)
def asked_to_wait(rng: Random, now: float) -> ConsumerPlan:
    """The stream breaks, and the server asks for more seconds than the run has; others follow before they are over."""
    traffic = Traffic(rng, now, age=300)
    traffic.intervals(3, 5)
    traffic.items.append(Break())
    traffic.intervals(2, 5)
    reply = Reply(rng.choice([429, 503]), b"busy", (("Retry-After", "7"),))
    rules = (Rule("feed.stored", Instead(reply), count=1),)
    fresh = rng.random() < 0.5
    return traffic.plan(
        Run(3.5, rules),
        *[Run(2.0, fresh=fresh)] * rng.randrange(1, 3),
        SETTLE,
        bounds=Bounds(requests=10),
        **record_format(rng),
    )


def _retry_after(rng: Random) -> tuple[tuple[str, str], ...]:
    moment = formatdate(time.time() + 2, usegmt=True)
    odd = [
        "1",
        "0",
        "1.5",
        "-3",
        "1e400",
        "nan",
        "soon",
        "",
        moment,
        "Wed, 31 Feb 2999 25:61:61 GMT",
        "\uff11",
        "0x10",
        "\x1b[2J",
    ]
    return (("Retry-After", rng.choice(odd)),) if rng.random() < 0.6 else ()


@kind("the provider's texts reach logs and errors harmless, bounded, and without the API token", weight=4)
def hostile_texts(rng: Random, now: float) -> ConsumerPlan:
    """Statuses, error bodies, reasons, headers and lines hold escape sequences, line ends and the token in disguise."""
    disguise = rng.choice(sorted(encodings(API_TOKEN).items()))[1]
    evil = rng.choice(
        [
            f"\x1b[2J\x1b[31m{disguise}\x1b]0;owned\x07",
            f"quiet\n{FORGED} all is well\r{FORGED} {disguise}",
            f"Authorization: Bearer {disguise}",
            f"\x9b31m\x00\x08\x7f{disguise}\u202e\u2028{FORGED}\u2029",
            disguise,
            disguise * 2000,
        ]
    )
    escaped = _json_text(evil)
    traffic = Traffic(rng, now, age=300)
    traffic.intervals(2, 5)
    for level in rng.sample(["INFO", "WARN", "ERROR", evil], 2):
        status = _status(_json_text(level), escaped)
        traffic.line(status)
    traffic.line(escaped.encode())
    traffic.line(f'{{"target":{{"icao_address":"{escaped}","timestamp":"{escaped}"}}}}'.encode())
    traffic.line(f'{{"{escaped}":1,"surprise":"{escaped}"}}'.encode())
    traffic.token()
    traffic.gate(1)
    traffic.intervals(2, 5)
    code = rng.choice([400, 401, 403, 404, 422, 429, 500, 503])
    raw = evil.encode("utf-8", "surrogateescape")
    reply = rng.choice(
        [
            Reply(code, raw),
            Reply(code, b'{"message":"' + escaped.encode() + b'"}'),
            Reply(code, b"", (("X-Reason", evil.replace("\n", " ").replace("\r", " ")),)),
            Reply(code, b"", reason=evil.replace("\n", " ").replace("\r", " ")[:300]),
            Reply(302, b"", (("Location", "http://" + disguise[:200] + "/" + FORGED),)),
            Reply(200, raw * 3, (("Content-Type", "text/html"),)),
        ]
    )
    rules = (Rule("feed.*", Instead(reply), count=rng.choice([1, 1 << 30])),)
    return traffic.plan(
        Run(2.5),
        Run(3.0, rules),
        SETTLE,
        hidden_marks=(FORGED,),
        bounds=Bounds(log=120_000),
        **record_format(rng),
    )


@kind("what the provider says without end is logged within bounds")
def chatter(rng: Random, now: float) -> ConsumerPlan:
    """Statuses of every level, unknown keys and blank lines, thousands of them, some of them huge."""
    traffic = Traffic(rng, now, age=300)
    for _ in range(3):
        traffic.intervals(1, 5)
        size = rng.choice([10, 1_000, 50_000])
        for level in rng.choices(
            ["INFO", "WARN", "ERROR", "FATAL", "WARNING"], k=rng.choice([20, 3000]) if size < 50_000 else 20
        ):
            traffic.line(_status(level, "x" * size))
        for _ in range(rng.choice([5, 2_000])):
            traffic.line(
                rng.choice(
                    [
                        b"",
                        b" ",
                        b'{"heartbeat":1}',
                        b"{}",
                        b'{"status":null}',
                        b'{"status":{"level":5}}',
                        b"null",
                        b"[]",
                        b"not json at all",
                    ]
                )
            )
    traffic.token()
    return traffic.plan(Run(5.0), SETTLE, bounds=Bounds(log=200_000), **record_format(rng))


@kind("cookies and other keepsakes of the provider do not grow the request")
def keepsakes(rng: Random, now: float) -> ConsumerPlan:
    """Each answer sets cookies and odd headers, over many reconnects."""
    from tests.adversary.feed import Break

    traffic = Traffic(rng, now, age=300)
    for _ in range(12):
        traffic.intervals(1, 3)
        traffic.items.append(Break("end"))
    traffic.token()
    cookies = tuple(("Set-Cookie", f"c{rng.random()}={'x' * 3000}; Path=/") for _ in range(8))
    odd = (
        *cookies,
        ("Refresh", "0; url=http://127.0.0.1:9/"),
        ("Alt-Svc", 'h3=":443"'),
        ("Content-Encoding", "identity") if rng.random() < 0.2 else ("X", "y"),
    )
    return traffic.plan(
        Run(9.0),
        SETTLE,
        feed_headers=odd,
        bounds=Bounds(requests=60, request_head=4_096),
        **record_format(rng),
    )


def _status(level: str, message: str) -> bytes:
    stated = f'"timestamp":"2024-03-04T23:24:00Z","level":"{level}","message":"{message}","code":300'
    return b'{"status":{' + stated.encode() + b"}}"


def _json_text(text: str) -> str:
    """Return the text as it stands between quotes in JSON, its controls as escapes."""
    return "".join(
        f"\\u{ord(char):04x}" if ord(char) < 32 or char == '"' else char for char in text.replace("\\", "\\\\")
    )

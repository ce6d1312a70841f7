"""Errors as RFC 9457 has them: each names the parameter, what it got, and what it takes."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import Meta

MEDIA_TYPE = "application/problem+json"

_SHOWN = 80
"""Characters of a value that are repeated in an error."""

KINDS = {
    "parameter": (HTTPStatus.BAD_REQUEST, "A parameter is unknown, given twice, or of a value that it does not take."),
    "not-found": (HTTPStatus.NOT_FOUND, "There is no such resource, aircraft or flight."),
    "media-type": (HTTPStatus.NOT_ACCEPTABLE, "None of the media types in `Accept` is offered."),
    "unavailable": (HTTPStatus.SERVICE_UNAVAILABLE, "The data cannot be read now; see `Retry-After`."),
}
"""The kinds of problem: status and meaning. `openapi` has a schema of each, to which `type` leads."""


def type_of(kind: str) -> str:
    """Return a kind's `type`: the address of its schema."""
    return f"/api/openapi.json#{anchor(kind)}"


def anchor(kind: str) -> str:
    """Return the name of a kind's schema within the description."""
    return f"problem-{kind}"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What went wrong, for people and for programs."""

    type: Annotated[str, Meta(description="Which kind of problem it is: the address of its schema.")]
    title: Annotated[str, Meta(description="The kind in words.")]
    status: Annotated[int, Meta(description="The HTTP status.")]
    detail: Annotated[str, Meta(description="What happened, and what to do.")]
    parameter: Annotated[str | None, Meta(description="The parameter at fault.")] = None
    got: Annotated[str | None, Meta(description="What it was, cut after 80 characters.")] = None
    takes: Annotated[str | None, Meta(description="What it may be.")] = None


class ProblemError(Exception):
    """Ends a request with a problem."""

    def __init__(self, problem: Problem, headers: dict[str, str] | None = None) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.headers = headers or {}


def _problem(kind: str, detail: str, **fields: str) -> Problem:
    status, _ = KINDS[kind]
    return Problem(type=type_of(kind), title=status.phrase, status=status, detail=detail, **fields)


def wrong_parameter(name: str, got: str, takes: str) -> ProblemError:
    """Return the error of a parameter with a value it does not take."""
    shown = got if len(got) <= _SHOWN else got[:_SHOWN] + "..."
    detail = f"{name}: got {shown!r}; expected {takes}"
    return ProblemError(_problem("parameter", detail, parameter=name, got=shown, takes=takes))


def not_found(detail: str) -> ProblemError:
    """Return the error of something that is not there."""
    return ProblemError(_problem("not-found", detail))


def not_acceptable(accept: str, offered: tuple[str, ...]) -> ProblemError:
    """Return the error of a media type that there is not."""
    detail = f"Accept: got {accept[:_SHOWN]!r}; expected one of {', '.join(offered)}"
    return ProblemError(_problem("media-type", detail))


def unavailable(detail: str) -> ProblemError:
    """Return the error of data that cannot be read now."""
    return ProblemError(_problem("unavailable", detail), {"Retry-After": "5"})

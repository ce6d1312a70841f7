"""Typed reading of environment variables: every error names the variable, what it holds and what it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class ConfigurationError(Exception):
    """A setting is missing or holds a value it does not take."""


def text(environ: Mapping[str, str], name: str, default: str | None = None) -> str:
    """Return the variable's value, or `default` where it is absent or empty.

    Raises
    ------
    ConfigurationError
        It is absent or empty, and there is no default.
    """
    value = environ.get(name, "").strip() or default
    if value is None:
        raise ConfigurationError(
            f"{name}: not set; expected a value. template.yaml sets it from the stack's own resources; "
            "set it by hand only when running the function outside a stack"
        )
    return value


def number(environ: Mapping[str, str], name: str, default: float, *, low: float, high: float) -> float:
    """Return the variable as a number within `low` and `high`, both inclusive.

    Raises
    ------
    ConfigurationError
        It is no number, or lies outside.
    """
    raw = environ.get(name, "").strip()
    if not raw:
        return default
    try:
        value = float(raw)
    except ValueError:
        raise ConfigurationError(f"{name}: got {raw!r}; expected a number from {low:g} to {high:g}") from None
    if not low <= value <= high:
        raise ConfigurationError(f"{name}: got {raw!r}; expected a number from {low:g} to {high:g}")
    return value

"""The operator's own update processor: a function, named by `UPDATE_PROCESSOR`, that sees updates before publishing.

It may look at them and leave some out; it cannot change them. `docs/processor.md` says what it can rely on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module

from common.environment import ConfigurationError
from common.printable import said
from consumer.errors import UpdateProcessorError
from consumer.stream.messages import StreamUpdate

type OwnProcessor = Callable[[Sequence[StreamUpdate]], Sequence[StreamUpdate]]


def load(name: str) -> OwnProcessor | None:
    """Return the function that `module:function` names; None for an empty name.

    Raises
    ------
    ConfigurationError
        There is no such module or function, or the module cannot be imported.
    """
    if not name:
        return None
    module, _, function = name.partition(":")
    try:
        found = getattr(import_module(module), function, None)
    except Exception as error:  # whatever somebody else's module raises
        raise ConfigurationError(
            f"UPDATE_PROCESSOR: {name!r} cannot be imported: {_shown(error)}; expected module:function, "
            "such as consumer.airborne:process, with the module in the function's zip"
        ) from error
    if not callable(found):
        raise ConfigurationError(f"UPDATE_PROCESSOR: {module} has no function {function!r}; expected module:function")
    processor: OwnProcessor = found
    return processor


def choose(processor: OwnProcessor, updates: Sequence[StreamUpdate]) -> list[StreamUpdate]:
    """Return those of the updates that the processor has published, in their order.

    Raises
    ------
    UpdateProcessorError
        It failed, or returned something else than some of the updates in their order.
    """
    try:
        chosen = list(processor(updates))
    except Exception as error:
        raise UpdateProcessorError(
            f"the update processor failed on {len(updates)} updates: {_shown(error)}; none of them was published, "
            "and the next run reads them again. Mend it, or clear the parameter UpdateProcessor"
        ) from error
    given = iter(updates)
    if not all(any(one is other for other in given) for one in chosen):
        raise UpdateProcessorError(
            "the update processor returned an update that it was not given, or in another order; expected some of "
            "those it was given, in their order. None of them was published, and the next run reads them again"
        )
    return chosen


def _shown(error: Exception) -> str:
    return said(f"{type(error).__name__}: {error}")

"""Whether a template, or a stack as it is deployed, is what AWS takes and what was planned."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ops import limits
from ops.output import say, say_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ops.plan.load import Load
    from ops.template import DeployedTemplate

_AGGREGATOR = "aggregator: "
_AGGREGATOR_MAPPING = "AggregatorFunctionUpdates"
_ON_DEMAND = "ON_DEMAND"


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that is not as planned."""

    setting: str
    has: str
    planned: str


def report(
    name: str, template: DeployedTemplate, load: Load | None, settings: Mapping[str, str | int], *, as_json: bool
) -> int:
    """Say what AWS would refuse and what is not as planned for the load; return 1 if there is anything to say."""
    problems = list(exceeded(template))
    found = differences(template, settings)
    if as_json:
        say_json(
            {
                "checked": name,
                "limits_read_on": limits.READ_ON,
                "exceeded": problems,
                "load": asdict(load) if load else None,
                "differences": [asdict(one) for one in found],
            }
        )
    else:
        _show(name, problems, load, found)
    return 1 if problems or found else 0


def _show(name: str, problems: Sequence[str], load: Load | None, found: Sequence[Difference]) -> None:
    for problem in problems:
        say(problem)
    if not problems:
        say(f"{name}: within AWS's limits as of {limits.READ_ON}")
    if load is None:
        return
    say(load.text())
    if not found:
        say("as planned for it")
        return
    say()
    say(f"  {'not as planned for it':<44} {'has':<28} planned")
    for one in found:
        say(f"  {one.setting:<44} {one.has:<28} {one.planned}")


def differences(template: DeployedTemplate, settings: Mapping[str, str | int]) -> list[Difference]:
    """Return the settings of a plan that a template has otherwise, its parameters taken as they are deployed.

    What it does not say is left out, and the number of shards where none is set, which is on demand.
    """
    found = []
    for setting, planned in settings.items():
        has = _value(template, setting)
        if setting == "ShardCount" and _ON_DEMAND in {settings["StreamMode"], template.parameters.get("StreamMode")}:
            if settings["StreamMode"] == _ON_DEMAND:
                continue
            has = f"as many as come ({_ON_DEMAND})"
        if has is not None and str(has) != str(planned):
            found.append(Difference(setting, str(has), str(planned)))
    return found


def _value(template: DeployedTemplate, setting: str) -> Any:
    if not setting.startswith(_AGGREGATOR):
        return template.parameters.get(setting)
    mapping = template.resources.get(_AGGREGATOR_MAPPING, {}).get("Properties", {})
    return template.value(mapping.get(setting.removeprefix(_AGGREGATOR)))


def exceeded(template: DeployedTemplate) -> Iterator[str]:
    """Yield a sentence for each property of the template that AWS would refuse."""
    for limit in limits.LIMITS:
        for logical_id, properties in template.of_type(limit.type) if limit.type else ():
            value = _number(template, properties, limit.property)
            if value is not None and not limit.takes(value):
                yield (
                    f"{logical_id}: {limit.property} is {value:,g}; {limit.what}: {limit.low:,g} to {limit.high:,g} "
                    f"{limit.unit}".rstrip()
                    + f" ({limit.source})"
                )
    for logical_id, properties in template.of_type(limits.MAPPING):
        window = _number(template, properties, "TumblingWindowInSeconds")
        factor = _number(template, properties, "ParallelizationFactor")
        if window and factor is not None and factor > 1:
            yield f"{logical_id}: ParallelizationFactor is {factor:g} with a tumbling window; expected 1 ({limits.ESM})"


def _number(template: DeployedTemplate, properties: dict[str, Any], name: str) -> float | None:
    given = properties.get(name)
    if name == "FilterCriteria":
        return None if given is None else float(len(given["Filters"]))
    value = template.value(given)
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None

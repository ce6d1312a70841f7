"""The template as CloudFormation would make it with given parameters: conditions decided, intrinsics resolved."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from local.aws.moto import ACCOUNT, REGION
from local.aws.template import translate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PSEUDO = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/local/1",
}
_NOTHING = object()
_VARIABLE = re.compile(r"\$\{(!?)([\w:.]+)\}")


@cache
def _translated(path: Path) -> dict[str, Any]:
    return translate(path)


class ResolvedTemplate:
    """`resources` gives what `Ref` is for each logical id; one that is not in it is itself, its ARN `arn:<id>`."""

    def __init__(
        self,
        repository: Path,
        parameters: Mapping[str, str] | None = None,
        resources: Mapping[str, str] | None = None,
        stack_name: str = "local",
    ) -> None:
        self._template = _translated(repository / "template.yaml")
        declared = self._template["Parameters"]
        given = dict(parameters or {})
        if unknown := given.keys() - declared.keys():
            raise KeyError(f"the template has no parameters {sorted(unknown)}")
        self._known = {name: str(one["Default"]) for name, one in declared.items() if "Default" in one}
        self._known |= _PSEUDO | {"AWS::StackName": stack_name} | given
        self._names = dict(resources or {})

    def resources(self, kind: str | None = None) -> dict[str, dict[str, Any]]:
        """Return the resources (of a type) that would be made, by logical id: their type and resolved properties."""
        return {
            name: {**one, "Properties": self.value(one.get("Properties", {}))}
            for name, one in self._template["Resources"].items()
            if kind in {None, one["Type"]} and self._holds(one.get("Condition"))
        }

    def properties(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the resolved properties of each resource of a type that would be made."""
        return {name: one["Properties"] for name, one in self.resources(kind).items()}

    def value(self, given: Any) -> Any:
        """Resolve a piece of the template; `AWS::NoValue` leaves out what it is the value of."""
        if isinstance(given, list):
            return [one for inner in given if (one := self.value(inner)) is not _NOTHING]
        if not isinstance(given, dict):
            return given
        if len(given) == 1:
            ((function, argument),) = given.items()
            if function in {"Ref", "Condition"} or function.startswith("Fn::"):
                return self._intrinsic(function, argument)
        return {name: one for name, inner in given.items() if (one := self.value(inner)) is not _NOTHING}

    def _intrinsic(self, function: str, argument: Any) -> Any:  # noqa: C901, PLR0911 - a case for each function
        match function, argument:
            case "Ref", name:
                return self._ref(name)
            case "Fn::GetAtt", _:
                name, _, attribute = (
                    argument.partition(".") if isinstance(argument, str) else (argument[0], "", argument[1])
                )
                if attribute == "QueueName" and name in self._names:
                    return self._names[name].rpartition("/")[2]  # `Ref` gives a queue's address
                return f"arn:{name}" if attribute == "Arn" else f"{name}.{attribute}"
            case "Fn::Sub", [text, variables]:
                return self._substituted(text, self.value(variables))
            case "Fn::Sub", text:
                return self._substituted(text, {})
            case "Fn::If", [condition, first, second]:
                return self.value(first if self._holds(condition) else second)
            case "Fn::FindInMap", [name, key, field]:
                return self._template["Mappings"][name][str(self.value(key))][self.value(field)]
            case "Fn::Join", [separator, parts]:
                return separator.join(map(str, self.value(parts)))
            case "Fn::Split", [separator, text]:
                return self.value(text).split(separator)
            case "Fn::Select", [place, parts]:
                return self.value(parts)[int(place)]
            case "Fn::Base64", text:
                return self.value(text)
            case "Condition", name:
                return self._holds(name)
        raise NotImplementedError(function)

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NOTHING
        if name in self._known:
            kind = self._template["Parameters"].get(name, {}).get("Type", "")
            found = self._known[name]
            return [one for one in found.split(",") if one] if kind == "CommaDelimitedList" else found
        return self._names.get(name, name)

    def _substituted(self, text: str, variables: Mapping[str, Any]) -> str:
        def replacement(match: re.Match[str]) -> str:
            is_literal, name = match.groups()
            if is_literal:
                return f"${{{name}}}"
            if name in variables:
                return str(variables[name])
            return str(self._intrinsic("Fn::GetAtt", name) if "." in name else self._ref(name))

        return _VARIABLE.sub(replacement, text)

    def _holds(self, condition: Any) -> bool:  # noqa: PLR0911 - the same
        if condition is None:
            return True
        if isinstance(condition, str):
            return self._holds(self._template["Conditions"][condition])
        ((function, argument),) = condition.items()
        match function:
            case "Condition":
                return self._holds(argument)
            case "Fn::Equals":
                first, second = (str(self.value(one)) for one in argument)
                return first == second
            case "Fn::Not":
                return not self._holds(argument[0])
            case "Fn::And":
                return all(self._holds(one) for one in argument)
            case "Fn::Or":
                return any(self._holds(one) for one in argument)
        raise NotImplementedError(function)

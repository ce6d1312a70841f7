"""Reads a deployed stack's template: a resource's properties, resolved with the stack's parameters."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ops.stack import Stack


@dataclass(frozen=True, slots=True)
class DeployedTemplate:
    """The processed template, and the values of its parameters."""

    resources: Mapping[str, Any]
    parameters: Mapping[str, str]
    mappings: Mapping[str, Any]

    def of_type(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield logical id and properties of each resource of a type."""
        for logical_id, resource in self.resources.items():
            if resource["Type"] == kind:
                yield logical_id, resource.get("Properties", {})

    def value(self, given: Any) -> Any:
        """Return a plain value, or what it refers to in parameters and mappings; None where it is anything else."""
        match given:
            case {"Ref": name}:
                return self.parameters.get(name)
            case {"Fn::FindInMap": [name, key, field]}:
                return self.mappings[name][str(self.value(key))][field]
            case dict():
                return None
        return given


def of_file(path: Path) -> DeployedTemplate:
    """Return what a SAM template would be deployed as, with its parameters' defaults.

    Raises
    ------
    OpsError
        It cannot be read, or does not translate.
    """
    from local.aws.template import TemplateError, translate  # noqa: PLC0415 - seconds of imports, for this alone

    try:
        translated = translate(path)
    except TemplateError as error:
        raise OpsError(str(error)) from error
    return _described(translated, {})


def read(stack: Stack) -> DeployedTemplate:
    """Return what the stack was made of.

    Raises
    ------
    botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
        CloudFormation cannot be asked.
    """
    cloudformation = stack.client("cloudformation")
    body = cloudformation.get_template(StackName=stack.name, TemplateStage="Processed")["TemplateBody"]
    content: Any = body if isinstance(body, dict) else _parsed(str(body))
    [description] = cloudformation.describe_stacks(StackName=stack.name)["Stacks"]
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in description.get("Parameters", [])}
    return _described(content, parameters)


def _described(content: Mapping[str, Any], parameters: Mapping[str, str]) -> DeployedTemplate:
    declared = content.get("Parameters", {})
    defaults = {name: str(one["Default"]) for name, one in declared.items() if "Default" in one}
    return DeployedTemplate(content["Resources"], {**defaults, **parameters}, content.get("Mappings", {}))


def _parsed(body: str) -> Any:
    if body.lstrip().startswith("{"):
        return json.loads(body)
    from samcli.yamlhelper import yaml_parse  # type: ignore[import-untyped] # noqa: PLC0415 - a second of imports

    return yaml_parse(body)

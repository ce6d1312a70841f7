"""Translates `template.yaml` into what the local AWS can create: by the SAM translator, minus what moto lacks.

Pure: nothing here talks to anything. Resources that moto's CloudFormation does not know are taken out. References to
them become names known beforehand; what their properties refer to is asked of the stack through outputs, so that
CloudFormation alone resolves intrinsics and conditions.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import yaml  # type: ignore[import-untyped]
from samcli.yamlhelper import intrinsics_multi_constructor  # type: ignore[import-untyped]
from samtranslator.model.exceptions import InvalidDocumentException  # type: ignore[import-untyped]
from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]
from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]
from samtranslator.utils.py27hash_fix import undo_mark_unicode_str_in_template  # type: ignore[import-untyped]

from local.aws.moto import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

CODE_BUCKET, CODE_KEY = "local-code", "functions.zip"
"""Where a function's code is said to be: the translator and moto ask for an object, the functions run from `src`."""

DELIVERY_STREAM = "AWS::KinesisFirehose::DeliveryStream"
SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 -- a resource type
SUBSCRIPTION = "AWS::SNS::Subscription"
_KEY = "AWS::KMS::Key"
EVENT_INVOKE_CONFIG = "AWS::Lambda::EventInvokeConfig"
TAKEN_OVER = frozenset({DELIVERY_STREAM, SECRET, SUBSCRIPTION, EVENT_INVOKE_CONFIG})
"""Resource types made (or honoured) here, because moto has them in its own APIs but not in CloudFormation."""

_SUBSTITUTION = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.([A-Za-z0-9.]+))?\}")


class _Loader(yaml.CSafeLoader):  # type: ignore[misc] # PyYAML has no types
    """Reads a template as SAM does, by libyaml: what `samcli.yamlhelper.yaml_parse` takes a second for."""


_Loader.add_multi_constructor("!", intrinsics_multi_constructor)
_Loader.yaml_implicit_resolvers = {
    first: [one for one in resolvers if one[0] != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


class TemplateError(Exception):
    """The template cannot be read or translated."""


@dataclass(frozen=True, slots=True)
class TakenOut:
    """A resource that is not created through CloudFormation.

    `outputs` maps dotted paths of its properties, such as `S3DestinationConfiguration.BucketARN`, to the names of
    the stack outputs that hold their values. `stands_in` is what `Ref` gives for it.
    """

    logical_id: str
    type: str
    stands_in: str
    arn: str
    outputs: dict[str, str]
    reason: str = ""

    def properties(self, outputs: Mapping[str, str]) -> dict[str, str] | None:
        """Return its resolved properties, given the stack's outputs, or None if its condition is false."""
        if not any(name in outputs for name in self.outputs.values()):
            return None
        return {path: outputs[name] for path, name in self.outputs.items() if name in outputs}


@dataclass(frozen=True, slots=True)
class LocalTemplate:
    """A template for moto's CloudFormation, and what was taken out of it."""

    body: dict[str, Any]
    taken_over: tuple[TakenOut, ...] = ()
    left_out: tuple[TakenOut, ...] = ()

    def of_type(self, resource_type: str) -> list[TakenOut]:
        """Return the resources of one type that are made through another API."""
        return [one for one in self.taken_over if one.type == resource_type]


def translate(path: Path) -> dict[str, Any]:
    """Read a SAM template and translate it as CloudFormation's transform would.

    Raises
    ------
    TemplateError
        It is absent, is no YAML, or does not translate; the message names the file and the resource.
    """
    try:
        template = yaml.load(path.read_text(), _Loader)  # noqa: S506 -- it is a safe one
    except OSError as error:
        raise TemplateError(f"{path}: cannot be read: {error.strerror}; run this in the repository's folder") from error
    except yaml.YAMLError as error:
        raise TemplateError(f"{path}: is no YAML: {error}") from error
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise TemplateError(f"{path}: has no section Resources; expected a SAM template")
    code = {"Bucket": CODE_BUCKET, "Key": CODE_KEY}
    template.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
    for resource in template["Resources"].values():
        if isinstance(resource, dict) and resource.get("Type") == "AWS::Serverless::Function":
            resource.setdefault("Properties", {})["CodeUri"] = code
    try:
        # What `transform()` of the same package does, with a session: by itself it looks for the machine's own region.
        translator = Translator(None, Parser(), boto_session=boto3.Session(region_name=REGION))
        translated = translator.translate(template, {}, get_managed_policy_map=dict)
    except InvalidDocumentException as error:
        causes = "; ".join(cause.message for cause in error.causes)
        raise TemplateError(f"{path}: does not translate: {causes}; `sam validate --lint` says more") from error
    plain: dict[str, Any] = undo_mark_unicode_str_in_template(translated)
    return plain


def logical_ids(translated: Mapping[str, Any], resource_type: str) -> list[str]:
    """Return the logical ids of a translated template's resources of one type."""
    return [name for name, resource in translated["Resources"].items() if resource["Type"] == resource_type]


def localise(
    translated: Mapping[str, Any], known_types: Collection[str], stack_name: str, secrets: Mapping[str, str]
) -> LocalTemplate:
    """Take out what moto's CloudFormation does not know, and put names in place of the references to it.

    `secrets` maps logical ids to ARNs: a secret has to be there first, since half of its ARN is random.
    """
    body = copy.deepcopy(dict(translated))
    outputs: dict[str, Any] = {}
    taken_over: list[TakenOut] = []
    left_out: list[TakenOut] = []
    for logical_id, resource in list(body["Resources"].items()):
        kind = resource["Type"]
        if kind in known_types and kind not in TAKEN_OVER:
            continue
        del body["Resources"][logical_id]
        reason = _left_out_because(resource)
        one = TakenOut(
            logical_id,
            kind,
            *_names(stack_name, logical_id, kind, secrets),
            {} if reason else _as_outputs(logical_id, resource, outputs),
            reason,
        )
        (left_out if reason else taken_over).append(one)
    names = {one.logical_id: one for one in (*taken_over, *left_out)}
    known = _without_references({"Resources": body["Resources"], "Outputs": {}}, names)
    body["Resources"] = known["Resources"]
    for resource in body["Resources"].values():
        _forget_dependencies(resource, names)
        if resource["Type"] == _KEY:
            resource["Properties"].pop("Tags", None)  # moto's CloudFormation hands KMS another spelling of them
    body["Outputs"] = _without_references(body.get("Outputs", {}) | outputs, names)
    return LocalTemplate(body, tuple(taken_over), tuple(left_out))


def _left_out_because(resource: Mapping[str, Any]) -> str:
    """Return why a resource has no counterpart here; empty when it has one."""
    kind = resource["Type"]
    return "" if kind in TAKEN_OVER else f"moto's CloudFormation does not know {kind}"


def _names(stack_name: str, logical_id: str, kind: str, secrets: Mapping[str, str]) -> tuple[str, str]:
    """Return what `Ref` and `GetAtt Arn` give for a resource that is taken out."""
    name = f"{stack_name}-{logical_id}"
    if kind == DELIVERY_STREAM:
        return name, f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/{name}"
    if kind == SECRET:
        return secrets[logical_id], secrets[logical_id]
    return name, f"arn:aws:local:{REGION}:{ACCOUNT}:{name}"


def _as_outputs(logical_id: str, resource: Mapping[str, Any], outputs: dict[str, Any]) -> dict[str, str]:
    """Add an output for each plain property, however deep; return their names by the properties' paths."""
    names: dict[str, str] = {}

    def visit(path: str, value: Any) -> None:
        if isinstance(value, dict) and not _is_intrinsic(value):
            for key, inner in value.items():
                visit(f"{path}.{key}" if path else key, inner)
            return
        if isinstance(value, list):
            return  # no list is needed of any of these resources
        name = f"Local{logical_id}{len(names)}"
        names[path] = name
        outputs[name] = {"Value": value if isinstance(value, dict) else str(value)}
        if "Condition" in resource:
            outputs[name]["Condition"] = resource["Condition"]

    visit("", resource.get("Properties", {}))
    return names


def _is_intrinsic(value: Mapping[str, Any]) -> bool:
    return len(value) == 1 and (next(iter(value)).startswith("Fn::") or "Ref" in value)


def _without_references(value: Any, names: Mapping[str, TakenOut]) -> Any:
    """Copy a piece of a template with the references to resources that were taken out replaced by their names."""
    if isinstance(value, list):
        return [_without_references(inner, names) for inner in value]
    if not isinstance(value, dict):
        return value
    if _is_intrinsic(value):
        ((function, argument),) = value.items()
        if function == "Ref" and argument in names:
            return names[argument].stands_in
        if function == "Fn::GetAtt":
            target = argument.split(".") if isinstance(argument, str) else argument
            if target[0] in names:
                return names[target[0]].arn
        if function == "Fn::Sub":
            return {function: _substituted(argument, names)}
    return {key: _without_references(inner, names) for key, inner in value.items()}


def _substituted(argument: Any, names: Mapping[str, TakenOut]) -> Any:
    def replacement(match: re.Match[str]) -> str:
        one = names.get(match[1])
        return match[0] if one is None else one.arn if match[2] else one.stands_in

    if isinstance(argument, str):
        return _SUBSTITUTION.sub(replacement, argument)
    text, variables = argument
    return [_SUBSTITUTION.sub(replacement, text), _without_references(variables, names)]


def _forget_dependencies(resource: dict[str, Any], names: Mapping[str, TakenOut]) -> None:
    needed = resource.get("DependsOn", [])
    kept = [one for one in ([needed] if isinstance(needed, str) else needed) if one not in names]
    resource.pop("DependsOn", None)
    if kept:
        resource["DependsOn"] = kept

"""Checks the parameters in samconfig.toml against the template: `pipenv run check-parameters`; prints all as a table.

SAM drops a parameter whose name the template does not know, without a word, and CloudFormation refuses a wrong value
only after everything has been uploaded. An alert pattern that Lambda does not take is found later still, and one that
envelopes cannot be filtered by at the consumer's next start.
"""

from __future__ import annotations

import argparse
import difflib
import math
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from samcli.yamlhelper import yaml_parse  # type: ignore[import-untyped]

from local.command import run_command
from tools.operations import alert_patterns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]

_HARM: Final = {
    "stack_name": "deploying one would turn the other's stack into its own",
    "s3_prefix": "`sam delete` of one would remove the other's zips",
    "MetricsNamespace": "the alarms of each would go by the metrics of both",
}
"""What each environment needs to itself, and what comes of sharing it."""


class ParametersError(Exception):
    """A file cannot be read: the message names it, and says what was expected."""


def read_config(path: Path) -> dict[str, Any]:
    """Return what is in samconfig.toml.

    Raises
    ------
    ParametersError
        It is not there, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ParametersError(f"{path}: cannot be read: {error}; expected TOML, as `sam` reads it") from error


def read_declared(path: Path) -> dict[str, dict[str, Any]]:
    """Return the template's section `Parameters`.

    Raises
    ------
    ParametersError
        It is not there, is not YAML, or declares none.
    """
    try:
        template = yaml_parse(path.read_text(encoding="utf-8"))
    except Exception as error:  # yaml_parse lets several libraries' errors through
        raise ParametersError(f"{path}: cannot be read: {error}; expected a SAM template") from error
    declared = template.get("Parameters") if isinstance(template, dict) else None
    if not isinstance(declared, dict):
        raise ParametersError(f"{path}: has no section Parameters; expected a SAM template with parameters")
    return declared


def problems(config: Mapping[str, Any], declared: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield a sentence for each parameter in samconfig.toml that would not arrive at the stack as it is written."""
    for environment, commands in config.items():
        if not isinstance(commands, dict):
            continue
        for command, section in commands.items():
            overrides = section.get("parameters", {}).get("parameter_overrides", {})
            where = f"{environment}.{command}.parameters.parameter_overrides"
            if not isinstance(overrides, dict):
                yield (
                    f"[{where}] is not a table; SAM eats quotes and cuts at blanks in any other form. "
                    'Write one parameter a line: Name = "value"'
                )
                continue
            for name, value in overrides.items():
                problem = _unknown(name, declared) if name not in declared else _refused(value, declared[name])
                if problem:
                    yield f"[{where}] {name}: {problem}"
            for name, problem in alert_patterns.problems(_values(overrides, declared)):
                yield f"[{where}] {name}: {problem}"


def _values(overrides: Mapping[str, Any], declared: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return what a stack would have that is deployed for the first time; what is refused by itself is left out."""
    return {
        name: str(overrides.get(name, parameter.get("Default", "")))
        for name, parameter in declared.items()
        if name not in overrides or not _refused(overrides[name], parameter)
    }


def shared(config: Mapping[str, Any], declared: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield a sentence for each name that two environments have in common, so that one stack would harm the other."""
    seen: dict[tuple[str, str], str] = {}
    for environment, commands in config.items():
        if not isinstance(commands, dict):
            continue
        for name, value in _own_names(commands, declared):
            if (other := seen.setdefault((name, value), environment)) != environment:
                yield f'[{environment}] and [{other}] both have {name} = "{value}": {_HARM[name]}. Give each its own'


def _own_names(commands: Mapping[str, Any], declared: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the names that an environment gives its stack; one that it leaves out is the template's default."""
    sections = [commands.get(command, {}).get("parameters", {}) for command in ("global", "deploy")]
    given = sections[0] | sections[1]  # as SAM reads them
    overrides = given.get("parameter_overrides", {})
    named = {name: given.get(name) for name in ("stack_name", "s3_prefix")}
    if "deploy" in commands and isinstance(overrides, dict):  # any other form is named by `problems`
        named["MetricsNamespace"] = overrides.get(
            "MetricsNamespace", declared.get("MetricsNamespace", {}).get("Default")
        )
    yield from ((name, str(value)) for name, value in named.items() if value is not None)


def _unknown(name: str, declared: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, declared, n=1) or [
        known for known in declared if known.lower() == name.lower()
    ]
    hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(declared)}"
    return f"the template has no such parameter, and SAM would drop it without a word; {hint}"


def _refused(value: Any, parameter: Mapping[str, Any]) -> str:
    """Return why a value would not be taken, or an empty text."""
    if isinstance(value, bool):
        return f'SAM hands a bare {str(value).lower()} on as "{value}"; write it in quotes: "{str(value).lower()}"'
    if not isinstance(value, str | int | float):
        return f"is a {type(value).__name__}; expected a text in quotes, or a number"
    text = str(value)
    allowed = [str(each) for each in parameter.get("AllowedValues", [])]
    if allowed and text not in allowed:
        return f'"{text}" is refused; expected one of {", ".join(each or "an empty text" for each in allowed)}'
    if not _fits(text, parameter):
        return f'"{text}" is refused; expected {parameter.get("ConstraintDescription", parameter["Type"])}'
    return ""


def table(template: Mapping[str, Any]) -> list[str]:
    """Return all parameters as Markdown, by the template's groups: default, what is taken, what it does and costs."""
    declared = template["Parameters"]
    lines = []
    for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]:
        lines += ["", f"## {group['Label']['default']}", "", "| parameter | default | takes | |", "|---|---|---|---|"]
        for name in group["Parameters"]:
            one = declared[name]
            default = f"`{_cell(one['Default'])}`" if str(one["Default"]) else "empty"
            lines.append(f"| `{name}` | {default} | {_cell(_takes(one))} | {_cell(one['Description'])} |")
    return lines


def _takes(parameter: Mapping[str, Any]) -> str:
    if "AllowedValues" in parameter:
        return ", ".join(f"`{one}`" if str(one) else "empty" for one in parameter["AllowedValues"])
    return str(parameter.get("ConstraintDescription", "any text"))


def _cell(value: Any) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def _fits(text: str, parameter: Mapping[str, Any]) -> bool:
    if parameter["Type"] == "Number":
        try:
            number = float(text)
        except ValueError:
            return False
        return float(parameter.get("MinValue", -math.inf)) <= number <= float(parameter.get("MaxValue", math.inf))
    pattern = parameter.get("AllowedPattern")
    if pattern is None:
        return True
    values = text.split(",") if parameter["Type"] == "CommaDelimitedList" else [text]
    return all(re.fullmatch(pattern, one) for one in values) and (len(values) == 1 or all(values))


def main(arguments: list[str] | None = None) -> int:
    """Check as the command line says; return 1 if something would not arrive, 2 if a file cannot be read."""
    parser = argparse.ArgumentParser(prog="pipenv run check-parameters", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--config", type=Path, default=ROOT / "samconfig.toml", help="default: samconfig.toml")
    parser.add_argument("--template", type=Path, default=ROOT / "template.yaml", help="default: template.yaml")
    parser.add_argument("--table", action="store_true", help="print all parameters as Markdown: docs/parameters.md")
    options = parser.parse_args(arguments)
    if options.table:
        print("\n".join(table(yaml_parse(options.template.read_text(encoding="utf-8")))))  # noqa: T201 - the output
        return 0
    try:
        config = read_config(options.config)
        declared = read_declared(options.template)
        found = [*problems(config, declared), *shared(config, declared)]
    except ParametersError as error:
        print(f"check-parameters: {error}", file=sys.stderr)  # noqa: T201 - a command line talks
        return 2
    for problem in found:
        print(f"{options.config.name}: {problem}", file=sys.stderr)  # noqa: T201 - the same
    return 1 if found else 0


if __name__ == "__main__":
    run_command("check-parameters", main)

"""`python -m tools.packaging.licences`: checks that each locked package's licence is allowed.

Licences are read from what the installed packages say of themselves: `License-Expression`, else the classifiers, else
`License`. What says nothing, or something that is not allowed, is looked at by a person, who adds it here with the
reason.
"""

from __future__ import annotations

import json
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from packaging.markers import Marker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LOCK: Final = Path(__file__).resolve().parents[2] / "Pipfile.lock"

ALLOWED: Final = (
    ("MIT", r"MIT( license| No Attribution license)?( \(MIT(-0)?\))?|MIT-0"),
    ("Apache 2.0", r"Apache([ -]2\.0| License,?( Version)? 2\.0| Software License)"),
    ("BSD", r"(3-Clause )?BSD( license)?|BSD-[23]-Clause"),
    ("Python", r"PSF-2\.0|Python Software Foundation License|CNRI-Python"),
    ("MPL 2.0", r"MPL-2\.0|Mozilla Public License 2\.0( \(MPL 2\.0\))?"),
)
"""Each permits what this project's own licence does. MPL asks for changes to its own files alone; none are made."""

LOOKED_AT: Final[Mapping[str, str]] = {
    "cookiecutter": "says nothing; its LICENSE is BSD-3-Clause. Development alone (aws-sam-cli)",
    "text-unidecode": "Artistic or GPL, of which Artistic is taken. Development alone (aws-sam-cli), not passed on",
}
"""Packages that were looked at by a person, and what was found."""

DEPLOYED, DEVELOPMENT = "default", "develop"

_ALLOWED = re.compile("|".join(f"({pattern})" for _, pattern in ALLOWED), re.IGNORECASE)
_LONGEST = 80


def problems(lock: Mapping[str, Mapping[str, Mapping[str, str]]], read: Callable[[str], str | None]) -> Iterator[str]:
    """Yield a sentence for each locked package whose licence is not allowed.

    `read` gives a package's licences as an expression of names with AND and OR; None where it is not installed.
    """
    for section in (DEPLOYED, DEVELOPMENT):
        for name, pin in sorted(lock[section].items()):
            if (marker := pin.get("markers")) and not Marker(marker).evaluate():
                continue
            licence = read(name)
            if licence is None:
                yield f"{name}: is not installed, so that its licence is not known; run `pipenv sync --dev`"
            elif not is_allowed(licence) and (section == DEPLOYED or name not in LOOKED_AT):
                yield (
                    f"{name} ({section}): its licence is {licence[:_LONGEST] or 'not said'!r}; expected one of "
                    f"{', '.join(known for known, _ in ALLOWED)}. Look at it, and take another package, or add it to "
                    "tools/packaging/licences.py with the reason"
                )


def is_allowed(licence: str) -> bool:
    """Return whether an expression is allowed: of what OR joins, one; of what AND joins, each."""
    choices = [choice.split(" AND ") for choice in licence.split(" OR ")]
    return any(all(_ALLOWED.fullmatch(one.strip()) for one in choice) for choice in choices)


def installed(name: str) -> str | None:
    """Return what an installed package says of its licence; None where it is not installed.

    Several classifiers name licences of which one may be chosen.
    """
    try:
        said = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return None
    if expression := said.get("License-Expression"):
        return str(expression)
    of = "License :: OSI Approved :: "
    if named := [one.removeprefix(of) for one in said.get_all("Classifier") or () if one.startswith(of)]:
        return " OR ".join(named)
    return str(said.get("License") or "").strip().partition("\n")[0]


def main() -> int:
    """Check all that is locked; return the exit code."""
    lock = json.loads(LOCK.read_text(encoding="utf-8"))
    found = list(problems(lock, installed))
    for text in found:
        sys.stderr.write(f"licences: {text}\n")
    if not found:
        sys.stdout.write(
            f"licences: all {sum(len(lock[name]) for name in (DEPLOYED, DEVELOPMENT))} packages are fine\n"
        )
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())

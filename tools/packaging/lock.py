"""Reads the deployed packages' versions and hashes from Pipfile.lock, the only place that fixes them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.packaging.errors import PackagingError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Pin:
    """One package as the lock fixes it: its name, `==version`, and the digests of the files that may be used."""

    name: str
    version: str
    hashes: tuple[str, ...]

    def requirement(self) -> str:
        """Return the line of a requirements file that pip checks hashes by."""
        return " ".join([f"{self.name}{self.version}", *(f"--hash={digest}" for digest in self.hashes)])


def read_pins(lock: Path) -> list[Pin]:
    """Return what is in the lock's `default` section, by name.

    Raises
    ------
    PackagingError
        The lock is not there, is no lock, or has a package without version or hashes.
    """
    try:
        packages = json.loads(lock.read_text(encoding="utf-8"))["default"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PackagingError(
            f"{lock}: cannot be read ({error!r}); expected the lock that `pipenv run lock` writes"
        ) from error
    pins = []
    for name, entry in sorted(packages.items()):
        if not entry.get("version") or not entry.get("hashes"):
            raise PackagingError(
                f"{lock}: {name} has no version or no hashes; expected both. "
                "Only packages from an index can be deployed: change the Pipfile, then `pipenv run lock`"
            )
        pins.append(Pin(name, entry["version"], tuple(sorted(entry["hashes"]))))
    return pins

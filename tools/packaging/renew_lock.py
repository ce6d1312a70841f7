"""Renews Pipfile.lock without an index's address in it: `pipenv run lock`.

pipenv writes down the index that it happened to use, which may be a mirror that only one machine reaches. Without one,
`pipenv sync` and `pipenv verify` take pipenv's own default.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def without_sources(lock: str) -> str:
    """Return a lock's text with an empty list of indexes, and otherwise as pipenv writes it."""
    content = json.loads(lock)
    content["_meta"]["sources"] = []
    return json.dumps(content, indent=4, sort_keys=True) + "\n"


def main() -> int:
    """Lock, and take the addresses out; return pipenv's exit code."""
    finished = subprocess.run(["pipenv", "lock"], cwd=ROOT, check=False)  # noqa: S607 - the one that runs this
    if finished.returncode == 0:
        path = ROOT / "Pipfile.lock"
        path.write_text(without_sources(path.read_text(encoding="utf-8")), encoding="utf-8")
    return finished.returncode


if __name__ == "__main__":
    sys.exit(main())

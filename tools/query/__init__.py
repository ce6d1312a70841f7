"""SQL queries on the archive, on one machine: `pipenv run query`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))  # the tables' schemas are there

"""What a day's flights take, as a whole and in parts: `pipenv run python -m benchmarks.flights`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))  # what is measured is there

"""Days or months archived again from their raw objects, on one machine: `pipenv run reprocess`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))  # the functions that do the work are there

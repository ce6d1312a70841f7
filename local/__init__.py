"""The whole system on one machine: simulator, stack, schedule, event source mappings, ledger."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))  # `common` is there

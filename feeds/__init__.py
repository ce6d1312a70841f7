"""Sources of updates without a subscription: generated traffic, recordings, and ADS-B receivers."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))  # the consumer's publisher is there

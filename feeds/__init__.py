"""Where updates can come from without a subscription: generated traffic, recordings, and your own receiver."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))  # the consumer's publisher is there

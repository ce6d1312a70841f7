"""Standalone programs: what the map costs a browser, and what a viewer costs the network."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))  # the live objects' writer is there

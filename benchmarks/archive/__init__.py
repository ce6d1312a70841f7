"""What an hour's updates take on their way into the archive: `pipenv run python -m benchmarks.archive`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))  # what is measured is there

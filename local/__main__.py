"""The whole system on one machine: `pipenv run local`."""

from __future__ import annotations

import sys

from local.command_line import parse
from local.run import main

if __name__ == "__main__":
    sys.exit(main(parse()))

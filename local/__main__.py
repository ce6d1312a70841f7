"""The whole system on one machine: `pipenv run local`."""

from __future__ import annotations

import sys

from local import command_line, run

if __name__ == "__main__":
    sys.exit(run.main(command_line.parse()))

"""The whole system on one machine: `pipenv run local`."""

from __future__ import annotations

import signal

# Until the run takes Ctrl-C over, it ends the program without a word: nothing has been started yet.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from local.cli.command_line import parse  # noqa: E402 -- these imports take a second, which the line above is for
from local.cli.main import main  # noqa: E402
from local.command import run_command  # noqa: E402 -- as those below

if __name__ == "__main__":
    run_command("local", lambda: main(parse()))

"""The whole system on one machine: `pipenv run local`."""

from __future__ import annotations

import signal

# Until the run takes Ctrl-C over, it ends the program without a word: nothing has been started yet, and the imports
# below take a second. A script's background job ignores it, and so does this.
if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from local.quick_imports import quick_imports

with quick_imports():
    from local.cli.command_line import parse
    from local.cli.main import main
    from local.command import run_command

if __name__ == "__main__":
    run_command("local", lambda: main(parse()))

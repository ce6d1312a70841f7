"""Runs the command line."""

from __future__ import annotations

from local.command import run_command
from ops.command_line import main

if __name__ == "__main__":
    run_command("ops", main)

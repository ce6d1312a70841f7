"""Makes a password for the page, and the hash that the stack is given: `pipenv run page-password`.

Whoever can read the stack can read the hash, and SHA-256 is quick: what keeps the password is that nobody chose it.
"""

from __future__ import annotations

import argparse
import hashlib
import secrets

from local.command import run_command

GROUPS, IN_A_GROUP = 5, 5
ALPHABET = "abcdefghijkmnopqrstuvwxyz23456789"
"""Without l, 0 and 1, which are taken for others: 33 characters, 126 bits in all."""


def new_password() -> str:
    """Return groups of letters and digits, joined by hyphens."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(IN_A_GROUP)) for _ in range(GROUPS))


def hashed(password: str) -> str:
    """Return what the template's parameter PagePasswordHash takes."""
    return hashlib.sha256(password.encode()).hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Print both."""
    argparse.ArgumentParser(
        prog="pipenv run page-password",
        description="Make a password for the page, and the lines that samconfig.toml takes. Nothing is stored.",
    ).parse_args(arguments)
    password = new_password()
    print(  # noqa: T201 - the output
        f"Password (any user name will do), which is not shown again:\n  {password}\n\n"
        "Under parameter_overrides in samconfig.toml, then `pipenv run sam deploy`:\n"
        f'  PageAccess = "password"\n  PagePasswordHash = "{hashed(password)}"'
    )
    return 0


if __name__ == "__main__":
    run_command("page-password", main)

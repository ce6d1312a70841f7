"""The named queries: the files of `queries/`, whose first line says what each answers."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.query.errors import QueryError

FOLDER: Final = Path(__file__).resolve().parents[2] / "queries"


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """One file: its name without the ending, what it answers, and the SQL.

    A `?` in it is the first day asked for, the next one the last, and so on in pairs (docs/queries.md).
    """

    name: str
    answers: str
    sql: str


def read_all(folder: Path = FOLDER) -> list[NamedQuery]:
    """Return the named queries by name."""
    return [_read(path) for path in sorted(folder.glob("*.sql"))]


def find(name: str, folder: Path = FOLDER) -> NamedQuery:
    """Return the query of a name.

    Raises
    ------
    QueryError
        There is none; the message names those that are nearest.
    """
    path = folder / f"{name}.sql"
    if path.parent == folder and path.is_file():
        return _read(path)
    names = [one.stem for one in sorted(folder.glob("*.sql"))]
    wanted = name.removesuffix(".sql").lower().replace("_", "-")
    near = difflib.get_close_matches(wanted, names, cutoff=0.5) or [one for one in names if wanted and wanted in one]
    hint = f"did you mean {' or '.join(near)}?" if near else "--list shows them"
    raise QueryError(f"there is no query {name!r}; {hint}")


def _read(path: Path) -> NamedQuery:
    sql = path.read_text(encoding="utf-8")
    first = re.match(r"-- (.+)", sql)
    if first is None:
        raise QueryError(f"{path}: the first line does not say what it answers; expected `-- ...`")
    return NamedQuery(path.stem, first[1], sql)

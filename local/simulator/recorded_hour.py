"""An hour of the archive, or any Parquet file with its columns, as messages of the stream."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local.simulator.recorded import Recorded, RecordingError

if TYPE_CHECKING:
    from pathlib import Path

_NEEDED = ("icao_address", "timestamp", "ingestion_time")
_ROWS = 10_000
_EXPECTED = "expected an hour of the archive, archive/updates/date=.../hour=.../updates.parquet"


def read(path: Path) -> Recorded:
    """Return its updates, in the order of their ingestion times; one without is sent at its `timestamp`.

    Raises
    ------
    RecordingError
        It is damaged, or has other columns.
    """
    import duckdb  # noqa: PLC0415 -- a third of a second that other recordings need not wait

    recorded = Recorded()
    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            hour = connection.read_parquet(str(path).replace("[", "[[]"), hive_partitioning=False)
            if missing := [name for name in _NEEDED if name not in hour.columns]:
                raise RecordingError(f"{path}: a Parquet file without the column {missing[0]}; {_EXPECTED}")
            names = hour.columns
            rows = hour.order("ingestion_time, icao_address, timestamp")
            while chunk := rows.fetchmany(_ROWS):
                recorded.archived += [_message(dict(zip(names, row, strict=True))) for row in chunk]
    except (duckdb.Error, OSError) as error:
        raise RecordingError(f"{path}: a Parquet file that cannot be read: {error}; {_EXPECTED}") from error
    except (TypeError, AttributeError) as error:
        raise RecordingError(f"{path}: a Parquet file with columns of other types: {error}; {_EXPECTED}") from error
    return recorded


def _message(row: dict[str, Any]) -> tuple[float, bytes]:
    arrived = row["ingestion_time"] or row["timestamp"]
    fields = {name: _as_sent(value) for name, value in row.items() if value is not None}
    text = json.dumps({"target": fields}, separators=(",", ":"), ensure_ascii=False)
    return arrived.replace(tzinfo=UTC).timestamp(), text.encode()


def _as_sent(value: Any) -> Any:
    """Return a value as the API writes it: times in UTC, with as many digits as they have."""
    return f"{value.isoformat()}Z" if isinstance(value, datetime) else value

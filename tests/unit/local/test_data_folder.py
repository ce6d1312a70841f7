"""A run's folder: the objects under a deployed stack's keys, in a place that nobody else uses."""

from __future__ import annotations

import gzip

import pytest

from local.data_folder import DataFolder, DataFolderError


def test_objects_become_files_under_their_keys(tmp_path):
    """All but the window rows, whose compression moto's Firehose does not know."""
    folder = DataFolder(tmp_path / "new" / "d")
    kept = folder.keep([("raw/date=2024-03-04/hour=23/a.gz", b"1"), ("windows/date=2024-03-04/hour=23/rows", b"{}\n")])
    assert kept == 2
    assert (folder.path / "raw/date=2024-03-04/hour=23/a.gz").read_bytes() == b"1"
    rows = folder.path / "windows/date=2024-03-04/hour=23/rows.ndjson.gz"
    assert gzip.decompress(rows.read_bytes()) == b"{}\n"


def test_a_folder_that_holds_something_is_refused(tmp_path):
    """Two runs in one folder would be taken for one."""
    (tmp_path / "x").touch()
    with pytest.raises(DataFolderError, match="is not empty"):
        DataFolder(tmp_path)


def test_a_file_is_no_folder(tmp_path):
    """The text says what is expected."""
    (tmp_path / "x").touch()
    with pytest.raises(DataFolderError, match="expected a folder"):
        DataFolder(tmp_path / "x")

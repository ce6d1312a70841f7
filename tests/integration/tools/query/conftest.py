"""Folders to ask: of the recording of real updates, and of generated traffic with an emergency."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, NamedTuple

import pytest

from local.simulator.flights import GeneratedTraffic
from tests.support import data_folder

if TYPE_CHECKING:
    from pathlib import Path


class Folder(NamedTuple):
    """Where it is, and the lines that it was made of."""

    path: Path
    lines: list[bytes]


@pytest.fixture(scope="session")
def generated(tmp_path_factory):
    """Three hours of generated traffic across midnight; one country is silent for a while, some rows come again."""
    source = GeneratedTraffic(rate=0.6, aircraft=40, seed=5, start=1_709_591_400, emergency=True)  # 22:30
    lines, silent = [], (source.start + 4_000, source.start + 4_900)
    for moment, line in source.updates():
        if moment >= source.start + 3 * 3600:
            break
        if not (silent[0] <= moment < silent[1] and b'"icao_address":"A' in line):
            lines.append(line)
    path = tmp_path_factory.mktemp("generated")
    data_folder.write_archive(path, lines)
    data_folder.write_windows(path, lines)
    data_folder.write_alerts(path, lines)
    for first in sorted(path.glob("windows/*/*/*"))[:3]:
        (first.parent / f"{first.name}-again.ndjson.gz").write_bytes(first.read_bytes())
    return Folder(path, lines)


@pytest.fixture(scope="session")
def recorded(recording, tmp_path_factory):
    """The recording."""
    lines = gzip.decompress(recording.read_bytes()).splitlines()
    path = tmp_path_factory.mktemp("recorded")
    data_folder.write_archive(path, lines)
    data_folder.write_windows(path, lines)
    return Folder(path, lines)


@pytest.fixture(params=["generated", "recorded"])
def folder(request):
    """Each of them."""
    return request.getfixturevalue(request.param)

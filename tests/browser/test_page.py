"""The page as a whole: who judges accessibility has nothing serious to say, and it stays small."""

from __future__ import annotations

import gzip

import pytest

MOST_BYTES = 120 * 1024


@pytest.fixture
def axe(repository):
    """axe-core's script, from the development packages of the page."""
    script = repository / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        pytest.skip("axe-core is not installed (npm ci)")
    return script.read_text()


@pytest.mark.usefixtures("sky")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_serious(open_page, axe, scheme, width):
    """With the panel, the filters and the list open, by day and by night."""
    page = open_page(width=width, color_scheme=scheme)
    page.shown(3)
    if width == 360:
        page.click("#side-button")
    page.wait("() => document.querySelectorAll('tbody tr').length === 3")
    page.evaluate(axe)
    for opened in (None, "tbody button", "#filters-button"):
        if opened:
            page.eval_on_selector(opened, "button => button.click()")
        page.wait_for_timeout(200)
        found = page.evaluate("() => axe.run({resultTypes: ['violations']})")
        serious = [
            f"{one['id']}: {node['html']} {node['failureSummary']}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]
        assert serious == []


def test_the_page_weighs_little(repository):
    """All files as they are served, gzipped one by one."""
    files = [path for path in (repository / "web").rglob("*") if path.is_file() and path.suffix != ".md"]

    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in files) <= MOST_BYTES

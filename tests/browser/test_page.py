"""The page as a whole: who judges accessibility has nothing serious to say, and it stays small."""

from __future__ import annotations

import gzip

import pytest

MOST_BYTES = 124 * 1024


@pytest.fixture
def axe(repository):
    """axe-core's script, from the development packages of the page."""
    script = repository / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        pytest.skip("axe-core is not installed (npm ci)")
    return script.read_text()


@pytest.mark.usefixtures("sky")
def test_axe_finds_nothing_serious(open_page, axe):
    """With the panel, the filters and the list open, by day and by night, on a desk and on a phone."""
    page = open_page(width=1280, color_scheme="light")
    page.wait("() => document.querySelectorAll('tbody tr').length === 3")
    page.evaluate(axe)
    for width, theme in ((1280, "light"), (1280, "dark"), (360, "dark"), (360, "light")):
        page.set_viewport_size({"width": width, "height": 740})
        if page.evaluate("document.documentElement.dataset.theme") != theme:
            page.click("#theme")
        if page.is_hidden("#side-body"):
            page.click("#side-button")
        assert serious(page) == []  # the list, and on a desk what was opened before
        page.click("tbody button")
        page.wait("() => !document.getElementById('panel').hidden")
        assert serious(page) == []
        page.click("#filters-button")
        assert serious(page) == []
        page.keyboard.press("Escape")


EDGES = """() => {
  const light = (colour) => {
    const parts = colour.match(/[0-9.]+/g).slice(0, 3).map((part) => part / 255);
    const [red, green, blue] = parts.map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const found = [];
  for (const theme of ['light', 'dark']) {
    document.documentElement.dataset.theme = theme;
    const ground = light(getComputedStyle(document.getElementById('top')).backgroundColor);
    for (const field of document.querySelectorAll('input:not([type=range], [type=checkbox]), select')) {
      const edge = light(getComputedStyle(field).borderTopColor);
      const contrast = (Math.max(edge, ground) + 0.05) / (Math.min(edge, ground) + 0.05);
      if (!(contrast >= 3)) found.push(`${theme}: ${field.id || field.name} ${contrast}`);
    }
  }
  return found;
}"""


def test_the_edges_of_fields_are_seen(open_page):
    """By day and by night, as WCAG 1.4.11 asks for."""
    assert open_page().evaluate(EDGES) == []


def serious(page):
    """What axe holds for serious or critical."""
    return [
        f"{one['id']}: {node['html']} {node['failureSummary']}"
        for one in page.evaluate("() => axe.run({resultTypes: ['violations']})")["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def test_the_page_weighs_little(repository):
    """All files as they are served, gzipped one by one."""
    files = [path for path in (repository / "web").rglob("*") if path.is_file() and path.suffix != ".md"]

    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in files) <= MOST_BYTES

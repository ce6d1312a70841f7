"""The pages: an index that is complete, links that lead somewhere, and commands that exist."""

from __future__ import annotations

import re
import tomllib

import pytest


def pages(repository):
    """Every page of the project, by its path."""
    return [*sorted(repository.glob("*.md")), *sorted((repository / "docs").rglob("*.md"))]


def anchors(text):
    """The anchors of a page's headings, as they are made from their words."""
    return {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


def test_the_index_of_decisions_is_complete(repository):
    """Each decision once, under its own title, with a date and a status."""
    folder = repository / "docs" / "decisions"
    rows = re.findall(
        r"^\| \d{4}-\d\d-\d\d \| (?:in force|superseded by \[.+?\]\(.+?\)) \| \[(.+?)\]\((.+?)\) \|$",
        (folder / "README.md").read_text(),
        re.MULTILINE,
    )
    there = {path.name: path.read_text().partition("\n")[0].removeprefix("# ") for path in folder.glob("*.md")}
    del there["README.md"]
    assert {name: title for title, name in rows} == there
    assert len(rows) == len(there)


def test_the_readme_leads_to_every_page(repository):
    """A page that nothing at the front links to is not found."""
    linked = set(re.findall(r"\]\((docs/[\w-]+\.md)", (repository / "README.md").read_text()))
    assert {f"docs/{path.name}" for path in (repository / "docs").glob("*.md")} == linked


def test_the_index_has_every_page(repository):
    """By what its reader wants to do."""
    linked = re.findall(r"^\| \[[^]]+\]\(([\w-]+\.md)\) \|", (repository / "docs/README.md").read_text(), re.MULTILINE)
    assert sorted(linked) == sorted({path.name for path in (repository / "docs").glob("*.md")} - {"README.md"})


def test_links_lead_somewhere(repository):
    """No page refers to a file or a heading that has gone."""
    for page in pages(repository):
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if re.match(r"https?://|mailto:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            assert file.exists(), f"{page.name}: {target}"
            if anchor:
                assert anchor in anchors(file.read_text()), f"{page.name}: {target}"


def test_tests_that_pages_name_are_there(repository):
    """A promise is worth the test that is named for it."""
    there = {path.name for path in (repository / "tests").rglob("test_*.py")}
    named = {
        (page.name, name)
        for page in (repository / "docs").rglob("*.md")
        for name in re.findall(r"`(?:[\w/]*/)?(test_\w+\.py)`", page.read_text())
    }
    assert len(named) > 50
    assert {(page, name) for page, name in named if name not in there} == set()


def test_sam_is_run_where_it_is_installed(repository):
    """It comes with pipenv's packages, and need not be on anybody's PATH."""
    for page in pages(repository):
        bare = re.findall(r"^ *sam .+|`sam logs [^`]+`|`sam local invoke \w+ [^`]+`", page.read_text(), re.MULTILINE)
        assert bare == [], page


def test_the_page_of_performance_ends_with_its_notes(repository):
    """It is made of figures and of notes: what is changed in one alone is lost when the page is made again."""
    notes = (repository / "benchmarks/report/notes.md").read_text()
    assert (repository / "docs/performance.md").read_text().endswith(notes)


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", "docs/feeds.md", "docs/debugging.md", ".pre-commit-config.yaml"]
)
def test_commands_exist(repository, page):
    """What a page has people run is a script of the Pipfile, or a program that comes with the packages."""
    scripts = tomllib.loads((repository / "Pipfile").read_text())["scripts"]
    for name in re.findall(r"pipenv run ([\w-]+)", (repository / page).read_text()):
        assert name in scripts or name in {"python", "sam", "ruff", "mypy"}, f"{page}: {name}"

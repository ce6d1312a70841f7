"""The rooms: who may import whom, as docs/design.md says, and no circle of imports anywhere, web/js included."""

from __future__ import annotations

import ast
import graphlib
import re

import pytest

FUNCTIONS = {"consumer", "aggregator", "alerts", "api", "archive", "flights"}
SHARED = {"common", "live"}
MAY_IMPORT = {
    "common": set(),
    "live": {"common"},
    **dict.fromkeys(FUNCTIONS, SHARED),
    "local": {"common.api_token", "common.event_pattern"},
    "feeds": {"common", "consumer", "local"},
    "ops": {*SHARED, "consumer.publish", "local", "benchmarks.cost"},
    "tools": {*FUNCTIONS, *SHARED, "local", "ops.errors"},
    "benchmarks": {*FUNCTIONS, *SHARED, "local", "ops.plan"},
}
"""By room; what is not named here is of the room itself, or a library."""


@pytest.fixture(scope="module")
def imports(repository):
    """The modules of each module's imports, those for types alone among them."""
    roots = [
        repository / "src",
        *(repository / room for room in MAY_IMPORT if not (repository / "src" / room).exists()),
    ]
    paths = {
        ".".join(path.relative_to(repository / "src" if root.name == "src" else repository).with_suffix("").parts): path
        for root in roots
        for path in root.rglob("*.py")
    }
    return {name: set(_imported(ast.parse(path.read_text()), paths)) for name, path in paths.items()}


def _imported(tree, known):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [(one.name,) for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [(f"{node.module}.{one.name}", node.module) for one in node.names]
        else:
            continue
        for candidates in names:
            yield from [name for name in candidates for name in (name, f"{name}.__init__") if name in known][:1]


def test_no_room_imports_what_it_may_not(imports):
    """What is deployed knows nothing of this machine, and no function of another."""
    found = {
        f"{importer} imports {imported}"
        for importer, modules in imports.items()
        for imported in modules
        for room in [importer.partition(".")[0]]
        if not any(f"{imported}.".startswith(f"{allowed}.") for allowed in {room, *MAY_IMPORT[room]})
    }
    assert found == set()


def test_there_is_no_circle_of_imports(imports):
    """Each module can be read before those that use it."""
    assert len(list(graphlib.TopologicalSorter(imports).static_order())) == len(imports)


def test_the_page_names_every_room(repository):
    """Whoever looks for a thing finds its folder there, with what it is for."""
    page = (repository / "docs" / "design.md").read_text().partition("\n## Rooms\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`([^`]+)`", page))))
    tops = [
        *(repository / "src").iterdir(),
        *(repository / top for top in ("local", "feeds", "ops", "tools", "benchmarks")),
    ]
    rooms = {room for top in tops if top.is_dir() for room in (top, *top.iterdir()) if (room / "__init__.py").exists()}
    assert len(rooms) > 40
    assert {room.name for room in rooms} - named == set()


@pytest.fixture(scope="module")
def scripts(repository):
    """The page's modules and what each imports, at once, later, or for its types alone."""
    return {
        path.name: set(re.findall(r"""(?:from|import\()\s*"\./([\w-]+\.js)\"""", path.read_text()))
        for path in (repository / "web" / "js").glob("*.js")
    }


def test_there_is_no_circle_of_imports_in_the_page(scripts):
    """Each module can be read before those that use it, and is loaded before they run."""
    assert {name for names in scripts.values() for name in names} <= set(scripts)
    assert len(list(graphlib.TopologicalSorter(scripts).static_order())) == len(scripts) > 20


def test_the_worker_has_nothing_of_the_page(scripts):
    """There is no document in a worker, and it says what it knows by messages alone."""
    reached, waiting = set(), ["worker.js"]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += scripts[name]
    assert reached.isdisjoint({"dom.js", "app.js", "orders.js", "draw.js", *_users_of("dom.js", scripts)})


def _users_of(name, scripts):
    return {user for user, names in scripts.items() if name in names}

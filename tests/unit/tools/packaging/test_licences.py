"""The licence check: what is allowed, what is not, and what its errors say."""

from __future__ import annotations

import pytest

from tools.packaging import licences


def lock(**sections):
    """A lock of packages without markers."""
    return {name: {package: {} for package in sections.get(name, ())} for name in ("default", "develop")}


@pytest.mark.parametrize(
    "licence",
    [
        "MIT",
        "Apache-2.0 OR BSD-3-Clause",
        "GPL-3.0-only OR MIT",
        "MIT AND PSF-2.0",
        "BSD License",
        "Apache License 2.0",
    ],
)
def test_takes(licence):
    """Of what OR joins one has to be allowed, of what AND joins each."""
    assert licences.is_allowed(licence)


@pytest.mark.parametrize(
    "licence", ["", "GPL-3.0-only", "MIT AND GPL-3.0-only", "AGPL-3.0-or-later", "Proprietary MIT"]
)
def test_refuses(licence):
    """A name inside another one is not that one."""
    assert not licences.is_allowed(licence)


def test_a_package_under_another_licence_is_named_with_what_to_do():
    """Name, section, licence, what was expected, where to write it down."""
    [text] = licences.problems(lock(default=["good", "odd"]), {"good": "MIT", "odd": "GPL-3.0-only"}.get)
    assert text.startswith("odd (default): its licence is 'GPL-3.0-only'; expected one of MIT")
    assert "tools/packaging/licences.py" in text


def test_what_is_deployed_has_no_exceptions():
    """A package that was looked at is for development alone."""
    [exception, *_] = licences.LOOKED_AT
    assert list(licences.problems(lock(develop=[exception]), lambda _: "GPL")) == []
    assert list(licences.problems(lock(default=[exception]), lambda _: "GPL"))


def test_a_package_that_is_not_there_is_no_package_that_is_fine():
    """Unless it is locked for other machines alone."""
    [text] = licences.problems(lock(default=["absent"]), lambda _: None)
    assert "`pipenv sync --dev`" in text
    elsewhere = {"default": {"absent": {"markers": "sys_platform == 'win32'"}}, "develop": {}}
    assert list(licences.problems(elsewhere, lambda _: None)) == []


def test_all_that_is_locked_is_allowed():
    """As the gate asks."""
    assert licences.main() == 0

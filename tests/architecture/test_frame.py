"""The frame holds together: locks, entry points, licence, and no address of a registry."""

import ast
import re
import stat
from pathlib import Path

import pytest

import borsellino
from tests.architecture.repository import PACKAGES, ROOT, files, project

LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
# Written in pieces, so that this file does not contain what it looks for.
REGISTRIES = re.compile(
    "|".join(
        [
            r"://[^\s\"']*/simple\b",
            "files[.]python" + "hosted",
            "pypi[.]" + "org",
            "registry[.]npm" + "js",
            "deb[.]debian" + "[.]org",
        ]
    )
)


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None, requirement
    return found[0].lower().replace("_", "-")


def _pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ]+) \\$", lock.read_text(), re.MULTILINE))


def test_no_file_names_a_registry() -> None:
    naming = [
        path.relative_to(ROOT).as_posix()
        for path in files()
        if REGISTRIES.search(path.read_text("utf-8", errors="replace"))
    ]
    assert naming == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_holds_pins_with_hashes_and_nothing_else(lock: Path) -> None:
    lines = [line for line in lock.read_text().splitlines() if not line.strip().startswith("#")]
    strange = [
        line
        for line in lines
        if not re.fullmatch(r"[a-z0-9.-]+==[^ ]+ \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line)
    ]
    assert _pins(lock)
    assert strange == []


def test_all_locks_agree_on_every_version() -> None:
    seen: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, pin in _pins(lock).items():
            seen.setdefault(name, set()).add(pin)
    assert {name: pins for name, pins in seen.items() if len(pins) > 1} == {}


def test_every_dependency_is_locked() -> None:
    metadata = project()["project"]
    extras = metadata["optional-dependencies"]
    locked = {name: set(_pins(ROOT / "requirements" / f"{name}.lock")) for name in ("demo", "all")}
    demo = [*metadata["dependencies"], *extras["terminal"], *extras["backend"]]
    assert {_name(requirement) for requirement in demo} <= locked["demo"]
    assert {_name(requirement) for requirement in [*demo, *extras["postgres"]]} <= locked["all"]


def test_the_listing_tells_what_every_command_does() -> None:
    commands = project()["project"]["entry-points"]["borsellino.commands"]
    assert set(borsellino.ABOUT) == set(commands)


def test_the_command_imports_nothing_of_ours() -> None:
    tree = ast.parse((ROOT / "borsellino.py").read_text("utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else _names(node))
    }
    assert imported.isdisjoint({*PACKAGES, "migrations", "tests"})


def _names(node: ast.Import) -> list[str]:
    return [alias.name for alias in node.names]


@pytest.mark.parametrize("script", ["run", ".ci/run"])
def test_scripts_can_be_executed(script: str) -> None:
    assert (ROOT / script).stat().st_mode & stat.S_IXUSR

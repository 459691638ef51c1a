"""Every import contract of pyproject.toml can fail: one forbidden import breaks exactly it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.repository import PACKAGES, ROOT, project

# contract id: the module that gets one more import, and that import
PLANTS = {
    "command": ("terminal.planted", "borsellino"),
    "floor": ("cardlib.planted", "simulator"),
    "layers": ("cardlib.wire.planted", "cardlib.keys"),
    "pure": ("cardlib.codec.planted", "socket"),
    "sans-io": ("cardlib.dialogues.planted", "socket"),
    "pyscard": ("cardlib.planted", "smartcard"),
    "card-side": ("simulator.card.planted", "cardlib.wire"),
    "module-side": ("simulator.module_card.planted", "cardlib.wire"),
    "cards-alone": ("simulator.planted", "terminal"),
    "till-alone": ("terminal.planted", "fastapi"),
    "screens": ("terminal.planted", "textual"),
    "till-layers": ("terminal.receipts", "terminal.ui"),
    "uplink": ("terminal.planted", "httpx2"),
    "server-side": ("backend.planted", "cardlib.drivers"),
    "clock": ("terminal.planted", "cardlib.system"),
    "rules": ("backend.domain.planted", "pydantic"),
    "use-cases": ("backend.services.planted", "backend.api"),
    "http": ("backend.services.planted", "fastapi"),
    "sql": ("backend.api.planted", "sqlalchemy"),
    "audit": ("backend.verifier.planted", "cardlib.errors"),
}
_LINT_IMPORTS = "from importlinter.cli import lint_imports_command as lint; lint()"
CONTRACTS = {c["id"]: c["name"] for c in project()["tool"]["importlinter"]["contracts"]}


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def _plant(tree: Path, module: str, imported: str) -> None:
    place = tree.joinpath(*module.split("."))
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    with file.open("a", encoding="utf-8") as text:
        text.write(f"\nimport {imported}\n")


def _broken(tree: Path) -> list[str]:
    """Names of the contracts that import-linter finds broken in ``tree``."""
    told = subprocess.run(
        [sys.executable, "-c", _LINT_IMPORTS, "--no-cache", "--no-logo"],
        cwd=tree,
        env={"PYTHONPATH": str(tree), "COLUMNS": "200"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert "Contracts: " in told.stdout, told.stdout + told.stderr
    return re.findall(r"^(.+?) BROKEN", told.stdout, re.MULTILINE)


def test_every_contract_has_a_plant() -> None:
    assert set(CONTRACTS) == set(PLANTS)


def test_the_tree_as_it_is_keeps_all_contracts(scratch: Path) -> None:
    assert _broken(scratch) == []


@pytest.mark.parametrize("contract", PLANTS)
def test_one_forbidden_import_breaks_exactly_its_contract(contract: str, scratch: Path) -> None:
    _plant(scratch, *PLANTS[contract])
    assert _broken(scratch) == [CONTRACTS[contract]]

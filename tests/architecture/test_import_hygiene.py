"""What importing a part really loads, seen in a process of its own.

Import contracts read the source; this sees what they cannot, such as an import made at
run time by a library or hidden behind TYPE_CHECKING.
"""

import json
import subprocess
import sys

import pytest

_LIST_MODULES = "import importlib, json, sys; importlib.import_module(sys.argv[1]); "
_LIST_MODULES += "print(json.dumps(sorted(sys.modules)))"

# importing the first must load none of the others
NEVER_LOADED = {
    "borsellino": ["cardlib", "simulator", "terminal", "backend", "typer"],
    "cardlib": ["smartcard", "cryptography", "textual"],
    "cardlib.wire": ["smartcard", "sqlalchemy", "textual", "socket"],
    "simulator.card": ["smartcard", "cardlib.wire", "cardlib.keys", "cardlib.dialogues"],
    "simulator.cli": ["smartcard", "textual", "terminal", "backend"],
    "simulator.pytest_plugin": ["smartcard", "textual", "terminal", "backend"],
    "terminal": ["smartcard", "textual", "httpx2", "backend", "simulator", "sqlalchemy"],
    "terminal.agent": ["smartcard", "textual", "backend", "simulator", "sqlalchemy"],
    "backend": ["smartcard", "textual", "terminal", "simulator", "cardlib.pcsc"],
    "backend.domain": ["fastapi", "pydantic", "sqlalchemy", "sqlite3"],
    "backend.verifier": ["cardlib", "backend.domain", "backend.adapters", "backend.services"],
}


@pytest.mark.parametrize("module", NEVER_LOADED)
def test_importing_a_package_loads_nothing_foreign_to_it(module: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", _LIST_MODULES, module],
        check=True,
        capture_output=True,
        text=True,
    )
    assert set(json.loads(told.stdout)).isdisjoint(NEVER_LOADED[module])

"""Every import contract of pyproject.toml can fail: one forbidden import breaks exactly it.

The tree is read once, by import-linter's own reader. A plant is one more import in a copy of
what was read, and import-linter judges the copy: no process and no copied tree for each.
``./run check`` starts the command itself, on the tree as it is.
"""

from copy import deepcopy

import pytest
from grimp import ImportGraph
from importlinter.adapters.building import GraphBuilder
from importlinter.application.app_config import settings
from importlinter.application.use_cases import create_report, read_user_options
from importlinter.configuration import configure
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract
from importlinter.domain.contract import registry

from tests.architecture.repository import ROOT, project

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
    "audit-layers": ("backend.verifier.decoder.planted", "backend.verifier.export"),
}
CONTRACTS = {c["id"]: c["name"] for c in project()["tool"]["importlinter"]["contracts"]}


class Planted(GraphBuilder):
    """What import-linter reads, with further imports in it: module and what it imports."""

    def __init__(self, read: ImportGraph) -> None:
        self._read = read
        self.plants: list[tuple[str, str]] = []

    def build(self, *_arguments: object, **_options: object) -> ImportGraph:
        graph = deepcopy(self._read)
        for module, imported in self.plants:
            for name in (module, imported):
                if name not in graph.modules:
                    graph.add_module(name, is_squashed="." not in name)
            graph.add_import(importer=module, imported=imported)
        return graph


@pytest.fixture(scope="module")
def read() -> ImportGraph:
    """The imports of the tree as it is."""
    configure()
    registry.register(ForbiddenContract, "forbidden")
    registry.register(LayersContract, "layers")
    told = project()["tool"]["importlinter"]
    return GraphBuilder().build(
        told["root_packages"],
        cache_dir=None,
        include_external_packages=told["include_external_packages"],
    )


@pytest.fixture
def tree(read: ImportGraph, monkeypatch: pytest.MonkeyPatch) -> Planted:
    planted = Planted(read)
    monkeypatch.chdir(ROOT)
    settings.configure(GRAPH_BUILDER=planted)
    return planted


def _broken() -> list[str]:
    """Names of the contracts that import-linter finds broken."""
    report = create_report(read_user_options("pyproject.toml"), cache_dir=None)
    assert not report.could_not_run
    checks = report.get_contracts_and_checks()
    return [contract.name for contract, check in checks if not check.kept]


def test_every_contract_has_a_plant() -> None:
    assert set(CONTRACTS) == set(PLANTS)


@pytest.mark.usefixtures("tree")
def test_the_tree_as_it_is_keeps_all_contracts() -> None:
    assert _broken() == []


@pytest.mark.parametrize("contract", PLANTS)
def test_one_forbidden_import_breaks_exactly_its_contract(contract: str, tree: Planted) -> None:
    tree.plants.append(PLANTS[contract])
    assert _broken() == [CONTRACTS[contract]]

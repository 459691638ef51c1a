"""Who only looks waits for nobody: there is one transaction that writes, and tills need it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest

from backend.adapters.unit_of_work import Unit
from backend.services.cases.office import CaseOffice
from backend.services.recovery.office import RecoveryOffice
from backend.services.terminals.module_orders import ModuleOffice
from backend.services.unit_of_work import Work
from cardlib.wire.ids import TerminalNumber
from tests.integration.backend.builders import Town


@dataclass
class WriterTaken:
    """While another transaction writes."""

    work: Work

    def begin(self) -> AbstractContextManager[Unit]:
        raise AssertionError("it waits for whoever writes")

    def read(self) -> AbstractContextManager[Unit]:
        return self.work.read()


LOOKS: dict[str, Callable[[Town, Work], object]] = {
    "cases": lambda town, work: CaseOffice(work, town.clock).waiting(),
    "recovery": lambda town, work: RecoveryOffice(work, town.keys, town.clock).waiting(),
    "module order": lambda town, work: ModuleOffice(work, town.keys, town.clock).order(
        TerminalNumber(1)
    ),
}


@pytest.mark.parametrize("look", LOOKS)
def test_who_only_looks_does_not_wait_for_whoever_writes(town: Town, look: str) -> None:
    till = town.till()
    till.sell(town.chip_with(5_000), 700, tc=False)
    till.sync()
    RecoveryOffice(town.work, town.keys, town.clock).begin("Lina")
    assert LOOKS[look](town, WriterTaken(town.work))

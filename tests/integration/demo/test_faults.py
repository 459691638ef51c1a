"""Tears and kills in a whole town: card, till, agent, backend, ledger, verifier.

After every fault the card's totals are the ledger's proven postings plus what is not yet
posted, and that is zero after the next synchronisation. At the end the independent
verifier goes over everything.
"""

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from backend.services.export.export import write_export
from backend.verifier.audit import audit
from cardlib.connection import CardConnection
from cardlib.errors import CardlibError
from cardlib.system import SystemClock
from cardlib.wire.card_session import SessionOpening
from cardlib.wire.money import Money
from simulator.errors import SimulatorError
from simulator.faults import Shim, TearAfter, TearBefore, nth
from simulator.town.demo.people import CHEMIST, GROCER, MARIA
from simulator.town.demo.story import DESK
from terminal.sale.states import State
from tests.cases import chosen
from tests.integration.demo.town import TENTH, Town

SOME_CASES = 8

SALE_COMMANDS = 10
LOAD_COMMANDS = 23
"""Two, twelve, four, four and one: a load that replaces a grant."""
LOAD_WRITES = (15, 19, 23)


@pytest.fixture(scope="module")
def town(founded: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with founded.copied(tmp_path_factory.mktemp("faults")) as town:
        yield town


@pytest.mark.parametrize("fault", [TearBefore, TearAfter])
@pytest.mark.parametrize("command", range(1, SALE_COMMANDS + 1))
def test_a_card_torn_at_any_command_of_a_sale_costs_nobody_a_cent(
    town: Town, command: int, fault: type[TearBefore] | type[TearAfter]
) -> None:
    before = town.balance()
    state = town.sell(GROCER.key, partial(fault, when=nth(command)))
    town.recover(GROCER.key)
    debited = before - town.balance()
    town.synchronise_and_compare()

    assert debited in (Money(0), TENTH)
    assert state is not State.CLOSED or debited == TENTH


class DeadlyReader(Shim):
    """Kills the process before or after a command: point 1 is before the first."""

    def __init__(self, inner: CardConnection, fatal: int) -> None:
        super().__init__(inner)
        self._left = fatal

    def _point(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def transmit(self, apdu: bytes) -> bytes:
        self._point()
        answer = super().transmit(apdu)
        self._point()
        return answer


@pytest.mark.parametrize("point", range(1, 2 * SALE_COMMANDS + 1))
def test_a_till_killed_at_any_point_of_a_sale_costs_nobody_a_cent(town: Town, point: int) -> None:
    child = os.fork()
    if child == 0:
        town.sell(CHEMIST.key, partial(DeadlyReader, fatal=point))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    town.recover(CHEMIST.key)

    town.synchronise_and_compare()


@pytest.mark.parametrize("fault", [TearBefore, TearAfter])
def test_a_load_torn_at_any_command_grants_once(
    town: Town, fault: type[TearBefore] | type[TearAfter]
) -> None:
    """The writes of a load and one of its reads; each command of it, without the network, in
    tests/integration/card_sessions/test_tears.py.
    """
    story = town.story
    award = town.hall.award("faults", Money(100 * LOAD_COMMANDS), "Determina 99/2026")
    with town.hall.serve(town.port):
        for command in chosen(range(1, LOAD_COMMANDS + 1), (1, 8, *LOAD_WRITES)):
            before = town.balance()
            town.hall.order_load(award, story.purses[MARIA.key], Money(100))
            with pytest.raises((CardlibError, SimulatorError)):
                story.session(
                    DESK, MARIA, SessionOpening("load", ""), partial(fault, when=nth(command))
                )
            _finish_load(town)
            assert town.balance() - before == Money(100), command
            assert all(slot.agree for slot in town.slots())


def _finish_load(town: Town) -> None:
    with town.story.reader.insert(town.story.image(MARIA)) as card:
        town.story.shops[DESK.key].collect(card, SessionOpening("load", ""))


def test_after_all_that_the_independent_verifier_finds_nothing(town: Town, tmp_path: Path) -> None:
    town.synchronise_and_compare()
    now = SystemClock().unix_ms() // 1000
    write_export(town.hall.backend.work, tmp_path / "export", now)
    verdict = audit(tmp_path / "export")

    assert verdict.holds, list(verdict.findings)

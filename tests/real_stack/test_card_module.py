"""A module card in slot 1 and a purse in slot 0, both through the real pcscd."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cardlib import pcsc
from cardlib.drivers.card_module import CardModule
from cardlib.errors import ModuleGoneError, PresenceError
from cardlib.system import SystemClock
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.enrolment import DebitMaster
from cardlib.wire.entry_header import ModuleClass
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection
from simulator.module_card.card import ModuleCard
from simulator.private_pcscd import PrivatePcscd
from simulator.vpcd import VirtualReader
from terminal.sale.states import State
from tests.integration.terminal.stage import (
    ISSUER,
    KEY_SET,
    Customer,
    Stage,
    assert_books,
    committed,
)
from tests.module_cards import PIN, ready_memory
from tests.real_stack.pcscd import SEEN_S, Insert

pytestmark = pytest.mark.pcsc

TERMINAL = 502
KEY = SigningKey(bytes([TERMINAL & 0xFF]) * 32)
PURSE_SLOT, MODULE_SLOT = "00 00", "00 01"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    with made.open_tills:
        yield made


def module_card(stage: Stage) -> InProcessConnection:
    randomness = SeededRandomness("module in a slot")
    master = DebitMaster(ISSUER, KEY_SET, stage.masters.debit)
    memory = ready_memory(KEY, TERMINAL, stage.operator, master, randomness=randomness)
    return InProcessConnection(ModuleCard(memory, randomness))


def module_in_slot() -> CardModule:
    return CardModule(lambda: pcsc.connect(MODULE_SLOT), PIN, KEY.public)


def test_sales_with_the_module_in_the_second_slot(stage: Stage, insert: Insert) -> None:
    card = stage.card()
    insert(card.card, slot=0)
    insert(module_card(stage), slot=1)
    till = stage.till(TERMINAL, module=module_in_slot())
    connection = pcsc.connect(PURSE_SLOT)
    shop = Customer(till, connection)
    results = [shop.buy(cents).state for cents in (12_50, 2_00)]
    connection.close()

    assert results == [State.CLOSED, State.CLOSED]
    entries = [stored.decode() for stored in till.journal.views.entries()]
    assert {entry.header.module_class for entry in entries} == {ModuleClass.CARD}
    assert all(sale.tc is not None for sale in committed(till))
    assert_books(card, till)


def test_another_program_gets_the_module_between_two_sales(stage: Stage, insert: Insert) -> None:
    """The sync agent beside an open till: the reader is held for a customer, not for a day."""
    card = stage.card()
    insert(card.card, slot=0)
    insert(module_card(stage), slot=1)
    till = stage.till(TERMINAL, module=module_in_slot())
    connection = pcsc.connect(PURSE_SLOT)
    base = b'"@method": POST'
    for _ in range(2):
        with Customer(till, connection).session() as sale:
            sale.read()
        KEY.public.verify(base, module_in_slot().sign_request(base))
    connection.close()


@contextmanager
def plugged(pcscd: PrivatePcscd, module: InProcessConnection) -> Generator[None]:
    """The module in slot 1 while the block runs, and seen to be gone after it."""
    with VirtualReader(module, ("127.0.0.1", pcscd.port + 1)) as reader:
        assert reader.connected.wait(SEEN_S)
        await_module(present=True)
        yield
    await_module(present=False)


def await_module(*, present: bool) -> None:
    """Until clients see it so; the purse's slot may be held meanwhile."""
    clock = SystemClock()
    for _ in range(50):
        try:
            pcsc.connect(MODULE_SLOT).close()
            seen = True
        except PresenceError:
            seen = False
        if seen == present:
            return
        clock.sleep(0.1)
    pytest.fail("pcscd did not notice the module")


def test_a_module_taken_out_and_put_back(stage: Stage, pcscd: PrivatePcscd, insert: Insert) -> None:
    card, module = stage.card(), module_card(stage)
    insert(card.card, slot=0)
    connection = pcsc.connect(PURSE_SLOT)
    till = stage.till(TERMINAL, module=module_in_slot())
    with plugged(pcscd, module):
        assert Customer(till, connection).buy(1_00).state is State.CLOSED
    with pytest.raises(ModuleGoneError):
        Customer(till, connection).buy(1_00)
    assert card.newest().ctr == 1

    with plugged(pcscd, module):
        assert Customer(till, connection).buy(1_00).state is State.CLOSED
    connection.close()
    assert_books(card, till)

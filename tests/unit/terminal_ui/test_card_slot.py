"""The till's slot, before the simulated PC/SC service: what it is told, it acts on at once."""

import threading
from collections.abc import Iterator

import pytest

from cardlib.connection import CardConnection
from cardlib.errors import CardMissingError
from cardlib.monitor import CardWatch, Monitor
from cardlib.pcsc.connection import PcscConnection, TimeLimits
from cardlib.pcsc.link import Search
from terminal.ui.card_slot import CardSlot, Change
from tests.unit.cardlib.readers.service import Card, Service

READER, MODULE = "Lettore 00 00", "Lettore SAM 00 01"
UNAWARE = TimeLimits(keep_alive_s=3600)
"""The connection itself would notice nothing."""
LOOKS = 500


@pytest.fixture
def service() -> Service:
    made = Service()
    made.add(READER)
    made.add(MODULE, Card())
    return made


@pytest.fixture
def slot(service: Service) -> Iterator[CardSlot]:
    def open_card() -> CardConnection:
        return PcscConnection(Search("", "sam"), UNAWARE, service.establish)

    with Monitor(service.establish) as monitor:
        assert monitor.await_first_look(5)
        made = CardSlot(open_card, CardWatch(monitor, "", "sam"))
        yield made
        made.let_go()


def look(slot: CardSlot) -> Change:
    """Looks until something has changed."""
    pause = threading.Event()
    for _ in range(LOOKS):
        change = slot.look()
        if change is not None:
            return change
        pause.wait(0.01)
    raise AssertionError(f"nothing changed: {slot.trouble}")


def test_a_card_that_goes_is_let_go_although_nobody_spoke_with_it(
    slot: CardSlot, service: Service
) -> None:
    service.insert(READER, Card())
    assert look(slot) is Change.ENTERED
    service.pull(READER)
    assert look(slot) is Change.LEFT
    with pytest.raises(CardMissingError):
        _ = slot.connection


def test_another_card_at_once_is_another_customer(slot: CardSlot, service: Service) -> None:
    service.insert(READER, Card())
    assert look(slot) is Change.ENTERED
    first = slot.connection
    service.swap(READER, Card())
    assert look(slot) is Change.LEFT
    assert look(slot) is Change.ENTERED
    assert slot.connection is not first


def test_the_modules_card_is_no_customer(slot: CardSlot, service: Service) -> None:
    assert slot.look() is None
    assert trouble(slot) == ""
    service.remove(READER)
    pause = threading.Event()
    for _ in range(LOOKS):
        assert slot.look() is None
        if trouble(slot):
            break
        pause.wait(0.01)
    assert trouble(slot) == "READER_MISSING"


def trouble(slot: CardSlot) -> str:
    return "" if slot.trouble is None else slot.trouble.code

"""What the screen says while readers, cards and the card service come and go.

The service is the simulated one of the monitor's own tests; a card that is in it is the
stage's virtual card.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from cardlib.connection import CardConnection
from cardlib.errors import PresenceError
from cardlib.monitor import CardWatch, Monitor, monitor
from cardlib.pcsc.codes import Code, error_of
from terminal.till import Till
from terminal.ui.app import TillApp
from terminal.ui.steps import UiStep
from tests.integration.terminal.stage import Stage
from tests.integration.terminal_ui.cashier import POLL_S, SIZE, Cashier
from tests.integration.terminal_ui.reader import Reader
from tests.unit.cardlib.readers.service import Card, Service

READER = "Lettore 00 00"
ANOTHER = "Lettore 01 00"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setattr(monitor, "RETRY_S", 0.01)
    return Service()


@pytest.fixture
def watch(service: Service) -> Iterator[CardWatch]:
    with Monitor(service.establish) as watched:
        assert watched.await_first_look(5)
        yield CardWatch(watched)


class Desk:
    """The reader on the counter: the service knows of the card that the till then opens."""

    def __init__(self, service: Service, reader: Reader) -> None:
        self.service = service
        self.reader = reader
        self.refusal: PresenceError | None = None
        self.attempts = 0

    def open(self) -> CardConnection:
        self.attempts += 1
        if self.refusal is not None:
            raise self.refusal
        return self.reader.open()


@pytest.fixture
def desk(service: Service, reader: Reader) -> Desk:
    return Desk(service, reader)


@asynccontextmanager
async def opened(till: Till, desk: Desk, watch: CardWatch) -> AsyncIterator[Cashier]:
    app = TillApp(till, desk.open, "en", poll_s=POLL_S, settle_s=0.001, watch=watch)
    async with app.run_test(size=SIZE) as pilot:
        yield Cashier(app, pilot, desk.reader)


async def test_the_status_line_follows_service_and_reader(
    till: Till, desk: Desk, watch: CardWatch, service: Service
) -> None:
    async with opened(till, desk, watch) as cashier:
        await cashier.until_text("No reader", "No card reader was found. Plug in a reader.")
        assert "Ready for the next customer" not in cashier.words
        service.add(READER)
        await cashier.until_text("No card in the reader")
        assert "Plug in a reader" not in cashier.words
        service.kill()
        await cashier.until_text("No card service", "The smart card service is not running")
        service.restart(ANOTHER)
        await cashier.until_text("No card in the reader")
        assert "service is not running" not in cashier.words
        assert "Ready for the next customer" in cashier.words


async def test_the_till_waits_to_be_told_of_a_card_and_does_not_try(
    stage: Stage, till: Till, desk: Desk, watch: CardWatch, service: Service
) -> None:
    service.add(READER)
    async with opened(till, desk, watch) as cashier:
        await cashier.until(UiStep.INSERT)
        await cashier.pilot.pause(4 * POLL_S)
        assert desk.attempts == 0
        desk.reader.insert(stage.card())
        service.insert(READER, Card())
        await cashier.until(UiStep.AMOUNTS)
        assert desk.attempts == 1


async def test_a_mute_card_is_asked_once_and_a_busy_reader_again(
    stage: Stage, till: Till, desk: Desk, watch: CardWatch, service: Service
) -> None:
    service.add(READER)
    desk.refusal = error_of(Code.UNRESPONSIVE_CARD)
    async with opened(till, desk, watch) as cashier:
        service.insert(READER, Card())
        await cashier.until_text("Card does not answer", "CARD_MUTE")
        await cashier.pilot.pause(4 * POLL_S)
        assert desk.attempts == 1
        desk.refusal = error_of(Code.SHARING_VIOLATION)
        service.swap(READER, Card())
        await cashier.until_text("Reader in use", "scdaemon")
        desk.refusal = None
        desk.reader.insert(stage.card())
        await cashier.until(UiStep.AMOUNTS)

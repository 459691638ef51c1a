"""A shop over PC/SC for the tests: the till's worker, customers with cards, a daemon that fails.

The till's own worker serves, with journal, module and rules as in a shop; only the screen
is left out. What it tells the screen is what a test waits for.
"""

import queue
from collections.abc import Callable
from typing import TypeVar

from textual.message import Message

from cardlib.codec.pin import Pin
from cardlib.connection import CardConnection
from cardlib.errors import CardGoneError
from cardlib.monitor import CardWatch
from cardlib.pcsc import PcscConnection, Search, TimeLimits
from cardlib.system import SystemClock
from cardlib.wire.money import ZERO, Money
from simulator.connection import InProcessConnection
from simulator.faults import Shim
from simulator.private_pcscd import PrivatePcscd
from simulator.vpcd import VirtualReader
from terminal.counter import Counter
from terminal.sale.offer import Item
from terminal.till import Till
from terminal.ui.counter_worker import CounterWorker
from terminal.ui.messages import (
    CardRead,
    Offered,
    SaleClosed,
    StatusChanged,
    WorkerStopped,
)
from tests.integration.terminal.stage import (
    FOOD,
    PIN,
    StageCard,
    StageClock,
    assert_books,
    committed,
)
from tests.real_stack.pcscd import POLL_S

PATIENCE_S = 40
LIMITS = TimeLimits(open_s=1.0, transmit_s=1.0)
VERIFY, UPDATE = 0x20, 0xDC
AWAY = "Lettore nuovo"

T = TypeVar("T", bound=Message)


class Struck(Shim):
    """Something happens at one command, so that it never reaches the card, or after it did."""

    def __init__(self, inner: CardConnection) -> None:
        super().__init__(inner)
        self._ins: int | None = None
        self._strike: Callable[[], object] = lambda: None
        self._after = False

    def at(self, ins: int, strike: Callable[[], object], *, after: bool = False) -> None:
        """``strike`` at the next command ``ins``, once."""
        self._ins, self._strike, self._after = ins, strike, after

    def transmit(self, apdu: bytes) -> bytes:
        hit = apdu[1] == self._ins
        if hit and not self._after:
            self._ins = None
            self._strike()
            raise CardGoneError
        answer = self.inner.transmit(apdu)
        if hit and self._after:
            self._ins = None
            self._strike()
        return answer


class Customer:
    """A card, and the hand that puts it into the reader."""

    def __init__(self, card: StageCard, daemon: PrivatePcscd) -> None:
        self.card = card
        self.fate = Struck(InProcessConnection(card.card))
        self.connection: CardConnection = self.fate
        self._daemon = daemon
        self._reader: VirtualReader | None = None

    def insert(self, slot: int = 0) -> None:
        self._reader = VirtualReader(self.connection, ("127.0.0.1", self._daemon.port + slot))
        self._reader.start()

    def pull(self) -> None:
        """Out, for longer than pcscd's poll: it would not notice the next card otherwise."""
        self.snatch()
        SystemClock().sleep(POLL_S)

    def snatch(self) -> None:
        """Out; the next card may follow at once."""
        if self._reader is not None:
            self._reader.stop()


class Shop:
    """The till's worker, and a cashier who does what it says."""

    def __init__(self, till: Till, watch: CardWatch) -> None:
        self.till = till
        self._told: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.worker = CounterWorker(
            Counter(till),
            lambda: PcscConnection(Search(), LIMITS),
            "it",
            self._told.put,
            0.1,
            watch,
        )

    def until_any(self) -> Message:
        """The next message; the worker must never end."""
        told = self._told.get(timeout=PATIENCE_S)
        assert not isinstance(told, WorkerStopped), told.error
        return told

    def until(self, kind: type[T]) -> T:
        """The next message of a kind."""
        while not isinstance(told := self.until_any(), kind):
            pass
        return told

    def until_trouble(self, code: str) -> None:
        """Until the status line says ``code``; empty: until all is well."""
        while self.until(StatusChanged).status.trouble != code:
            pass

    def propose(self, cents: int) -> None:
        """The amounts are typed."""
        items = [Item(FOOD, Money(cents))]
        self.worker.submit(lambda: self.worker.serving.propose(items, ZERO))

    def type_pin(self) -> None:
        """The customer has agreed."""
        self.worker.submit(lambda: self.worker.serving.agree(Pin(PIN)))

    def agree(self, cents: int) -> None:
        """From a card that was read to the PIN; what comes of it is told."""
        self.until(CardRead)
        self.propose(cents)
        self.until(Offered)
        self.type_pin()

    def sell_patiently(self, cents: int) -> None:
        """One sale by a cashier who begins anew when the card enters once more.

        A swap that the service sees late enters twice, and nobody can say when.
        """
        self.propose(cents)
        while not isinstance(told := self.until_any(), SaleClosed):
            if isinstance(told, CardRead):
                self.propose(cents)
            elif isinstance(told, Offered):
                self.type_pin()

    def sell(self, cents: int) -> SaleClosed:
        """One sale, of a card that is being read."""
        self.agree(cents)
        return self.until(SaleClosed)


def comes_back(daemon: PrivatePcscd, *devices: str) -> None:
    """The daemon is started with other readers, or with none."""
    daemon.kill()
    daemon.install(*devices)
    daemon.start()


def books_hold(shop: Shop, customer: Customer, *sales: int) -> None:
    """Each sale is in the journal once, the card has lost their sum, nothing is open."""
    assert len(committed(shop.till)) == len(sales)
    assert sum(customer.card.newest().spent) == sum(sales)
    views = shop.till.journal.views
    assert views.open_intent() is None
    assert_books(customer.card, shop.till)


class PatientClock(StageClock):
    """Pauses are real, for the daemon needs time to come back."""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        SystemClock().sleep(seconds)

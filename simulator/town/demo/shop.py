"""A shop of the town: one till, its agent, and what a cashier does with them."""

from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cardlib.channel import Channel
from cardlib.codec.pin import Pin
from cardlib.codec.purse import SpendType
from cardlib.connection import CardConnection
from cardlib.ports import Clock, Randomness
from cardlib.wire.card_session import SessionCommands, SessionOpening
from cardlib.wire.enrolment import EnrolmentAnswer
from cardlib.wire.entry_body import Body, Committed, Intent
from cardlib.wire.ids import PurseId, TerminalNumber
from cardlib.wire.money import Money
from terminal.agent import enrolment
from terminal.agent.card_session import run_session
from terminal.agent.loop import Agent, RoundReport
from terminal.agent.uplink import Uplink
from terminal.counter import Counter as TillCounter
from terminal.journal.derived import purse_of
from terminal.receipts import render
from terminal.recovery.flow import Settled
from terminal.sale.debit import SaleResult
from terminal.sale.offer import Item
from terminal.till import Till
from terminal.till_files import TillConfig, TillFiles


@dataclass(frozen=True, slots=True)
class Shop:
    """A till in ``directory``; the passphrase opens its keys."""

    directory: Path
    passphrase: str
    clock: Clock
    randomness: Randomness

    def prepare(self, url: str) -> str:
        """Makes the till's keys; the fingerprint that is read out to the operator."""
        config = TillConfig(backend_url=url, cashier="1")
        public = enrolment.prepare_keys(self.directory, self.passphrase, config, self.randomness)
        return public.fingerprint

    def enrol(self, code: str, operator_fingerprint: str) -> int:
        """Enrols with the one-time code; the terminal's number."""
        answer: EnrolmentAnswer = enrolment.ask(
            self.directory, self.passphrase, code, self.clock, self.randomness
        )
        enrolment.check_operator(answer, operator_fingerprint)
        return enrolment.accept(self.directory, self.passphrase, answer, self.randomness).terminal

    def move(self, url: str) -> None:
        """The backend answers at another address."""
        files = TillFiles(self.directory)
        replace(TillConfig.read(files.config), backend_url=url).write(files.config)

    def collect(self, card: CardConnection, opening: SessionOpening) -> SessionCommands:
        """Carries a card session between the backend and a card in the reader."""
        with self._uplink() as (_, uplink):
            return run_session(Channel(card), uplink, opening)

    def sell(
        self, card: CardConnection, pin: str, items: list[tuple[int, Money]]
    ) -> tuple[SaleResult, Callable[[str], str]]:
        """One sale; where it stands, and the receipt by language when goods are due."""
        with self._counter() as counter, counter.sale(counter.card(card)) as sale:
            sale.read()
            offer = sale.basket([Item(category, amount) for category, amount in items])
            offer.require_everything_paid()
            sale.agree(Pin(pin))
            result = sale.commit()
            receipt = _printed(counter, result)
            sale.finish()
            return result, receipt

    def void_last(self, card: CardConnection, pin: str) -> SaleResult:
        """Takes the last sale on this card back."""
        with self._counter() as counter, counter.sale(counter.card(card)) as sale:
            sale.read()
            sale.void()
            sale.agree(Pin(pin))
            result = sale.commit()
            sale.finish()
            return result

    def recover(self, card: CardConnection) -> list[Settled]:
        """The same card is back: what is open with it is settled."""
        with self._counter() as counter:
            return counter.recovery().settle(counter.card(card))

    def synchronise(self) -> RoundReport:
        """One round of the agent."""
        with self._uplink() as (till, uplink):
            return Agent(till, uplink, self.clock, self.randomness).round(beat_due=True)

    def entries_here(self) -> int:
        """Entries in the journal that nobody has acknowledged yet."""
        with self._load().read_journal() as reader:
            return reader.views.head().seq - reader.acknowledgements.uploaded().seq

    def waiting(self) -> Counter[tuple[PurseId, int]]:
        """Cents by purse and slot of sales that the backend has not acknowledged yet."""
        cents: Counter[tuple[PurseId, int]] = Counter()
        with self._load().read_journal() as reader:
            for stored in reader.views.entries(reader.acknowledgements.uploaded().seq):
                body = stored.decode().body
                if isinstance(body, Committed):
                    _add(cents, reader.views.entry(body.intent_seq).decode().body)
        return cents

    def journal_bytes(self) -> list[bytes]:
        """Every entry of the journal, complete."""
        with self._load().read_journal() as reader:
            return [item.complete for item in reader.views.entries()]

    def terminal(self) -> TerminalNumber:
        """The number that the certificate gives this till."""
        return self._load().certificate.terminal

    def _load(self) -> Till:
        return Till.load(self.directory, self.passphrase, self.clock, self.randomness)

    @contextmanager
    def _counter(self) -> Generator[TillCounter]:
        with Till.open(self.directory, self.passphrase, self.clock, self.randomness) as till:
            yield TillCounter(till)

    @contextmanager
    def _uplink(self) -> Generator[tuple[Till, Uplink]]:
        till = self._load()
        url = till.config.backend_url
        with Uplink(url, till.module, till.operator, self.clock, self.randomness) as uplink:
            yield till, uplink


def _add(cents: Counter[tuple[PurseId, int]], intent: Body) -> None:
    assert isinstance(intent, Intent)
    sign = -1 if intent.plan.type is SpendType.VOID else 1
    for line in intent.lines:
        cents[purse_of(intent), line.slot] += sign * line.cents


def _printed(counter: TillCounter, result: SaleResult) -> Callable[[str], str]:
    if result.closing is None:
        return lambda _lang: ""
    receipt = counter.receipt(result.closing)
    return lambda lang: render(receipt, lang)

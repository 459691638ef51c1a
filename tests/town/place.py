"""A small place on the simulated hall and lines: one town, tills with real journals, cards."""

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from backend.domain.ledger import AccountKind
from backend.services.administration.programmes import NewProgramme
from cardlib.codec.pin import Pin
from cardlib.codec.purse import Suite
from cardlib.wire.card_session import SessionCommands, SessionOpening
from cardlib.wire.enrolment import EnrolmentAnswer
from cardlib.wire.entry_body import Declined
from cardlib.wire.ids import PurseId
from cardlib.wire.money import Money
from cardlib.wire.upload import BATCH_ENTRIES_MAX
from simulator.card.card import VirtualCard
from simulator.card.filesystem import Memory
from simulator.card.masks import TRANSPORT_KEYS, WHITE, make_card, random_transport_keys
from simulator.card.personal import Holder
from simulator.card.randomness import SeededRandomness as CardRandomness
from simulator.connection import InProcessConnection
from simulator.stock import FORMAT, VERSION, stock_kind
from simulator.town.clock import DeviceClock, TownTime
from simulator.town.hall import Hall
from simulator.town.line import Exchanger, SimulatedLine
from simulator.town.randomness import SeededRandomness
from terminal.agent.card_session import run_session
from terminal.agent.loop import Agent, RoundReport
from terminal.agent.step import State
from terminal.agent.uplink import Uplink
from terminal.counter import Counter as TillCounter
from terminal.sale.debit import SaleResult
from terminal.sale.offer import Item
from terminal.storage import Storage
from terminal.system_storage import SYSTEM
from terminal.till import Till
from terminal.till_files import TillConfig, TillFiles
from terminal.till_keys import TillKeys

ISSUER, URL, START_MS = "015146", "https://hall.invalid", 1_790_000_000_000
LOADER, APPROVER = "anna", "bruno"
ROUNDS_MAX = 200


class Place:
    """The hall, its time, and who belongs to it."""

    def __init__(self, directory: Path, seed: int = 1, hall_time: TownTime | None = None) -> None:
        self.directory, self.seed = directory, seed
        self.time = TownTime(START_MS)
        self.randomness = SeededRandomness(seed)
        self.hall = Hall(DeviceClock(hall_time or self.time, "hall"), SeededRandomness("hall"))
        backend = self.hall.backend
        backend.programmes.set_up("Consorzio")
        backend.programmes.create_municipality(ISSUER, "Borgo")
        backend.programmes.name_category(0, "alimentari", "food")
        self.programme = backend.programmes.create_programme(
            ISSUER, NewProgramme(12, "Buoni", (0,), date(2026, 1, 1), date(2027, 12, 31))
        )
        backend.programmes.fund(self.programme, "Stato", Money(10_000_000), act="D1", by=LOADER)
        self.merchant = backend.merchants.register("Bottega", "IT60X0542811101000000123456")
        backend.merchants.enable(self.merchant, self.programme)

    def shop(
        self, name: str = "till", exchanger: Exchanger | None = None, storage: Storage = SYSTEM
    ) -> "Shop":
        """An enrolled till; ``exchanger``: what stands in front of the hall."""
        return Shop(self, name, exchanger or self.hall.answer, storage)

    def card(self, shop: "Shop", seed: str = "card") -> "Card":
        """A personalised card, made over the shop's line while nothing goes wrong."""
        randomness = CardRandomness(seed)
        transport = random_transport_keys(randomness)
        memory = make_card(WHITE, randomness, Holder(), transport)
        stock = {
            "format": FORMAT, "version": VERSION, "serial": memory.serial,
            "kind": stock_kind(memory), "suite": int(Suite.AES_128),
            "transport_keys": {f"{key:02X}": transport[key].hex() for key in TRANSPORT_KEYS},
        }  # fmt: skip
        self.hall.backend.loads.import_stock(ISSUER, json.dumps(stock))
        card = Card(memory, VirtualCard(memory, randomness))
        done = shop.session(card, SessionOpening("personalise", memory.serial))
        assert done.outcome == "PURSE_MADE", done.outcome
        card.purse = PurseId.parse(done.purse)
        card.pin = self.hall.letters.pins[card.purse]
        return card

    def order(self, card: "Card", cents: int) -> int:
        backend = self.hall.backend
        award = backend.programmes.award(
            self.programme, "Stato", f"household of {card.memory.serial}", Money(cents), act="D2",
            requested_by=LOADER, approved_by=APPROVER,
        )  # fmt: skip
        return backend.loads.approve(
            award, card.purse, Money(cents), requested_by=LOADER, approved_by=APPROVER
        )

    def order_state(self, order: int) -> str:
        with self.hall.work.begin() as unit:
            return unit.cards.order(order).state

    def announce_keys(self, shop: "Shop") -> None:
        """A further key set, which the till fetches; ``hall.backend.key_sets.begin`` comes next."""
        self.hall.backend.key_sets.announce(ISSUER, LOADER)
        for _ in range(2):
            shop.clock.sleep(130)
            shop.sync()

    def signed(self, card: "Card") -> list[tuple[int, str]]:
        """Number and state of the grants of a purse."""
        with self.hall.work.begin() as unit:
            purse = unit.cards.purse(card.purse)
            return sorted((row.grant_seq, row.state) for row in unit.cards.grants_of(purse.id))

    def cents(self, kind: AccountKind) -> int:
        with self.hall.work.begin() as unit:
            balances = unit.ledger.balances()
        return sum(cents for account, cents in balances.items() if account.kind is kind)

    def alarms(self) -> set[str]:
        with self.hall.work.begin() as unit:
            return {alarm.code for alarm in unit.verdicts.alarms()}

    def ledger_head(self) -> tuple[int, bytes]:
        with self.hall.work.begin() as unit:
            return unit.ledger.head()


@dataclass
class Card:
    memory: Memory
    chip: VirtualCard
    purse: PurseId = field(init=False)
    pin: str = ""

    @property
    def line(self) -> InProcessConnection:
        line = InProcessConnection(self.chip)
        line.reset()
        return line


class Shop:
    """A till with real files (or another ``storage``), on a line of its own."""

    def __init__(
        self, place: Place, name: str, exchanger: Exchanger, storage: Storage = SYSTEM
    ) -> None:
        self.place, backend = place, place.hall.backend
        self.clock = DeviceClock(place.time, name)
        self.randomness = SeededRandomness(f"{place.seed}:{name}")
        self.line = SimulatedLine(exchanger, place.time, f"{place.seed}:{name}")
        keys = TillKeys.generate(self.randomness)
        code = backend.enrolment.issue_code(place.merchant, keys.public_key.fingerprint)
        answer = EnrolmentAnswer.decode(backend.enrolment.enrol(keys.request(code)))
        self.files = TillFiles(place.directory / name, storage)
        storage.make_directory(self.files.directory)
        TillConfig(URL, cashier="1").write(self.files.config, storage)
        self.files.storage.write(self.files.certificate, answer.certificate)
        self.files.storage.write(self.files.bundle, answer.bundle)
        self.keys = keys.enrolled(answer.operator_key, answer.sealed_keys)
        self.number = self.load().certificate.terminal
        self.agents = 0

    def load(self) -> Till:
        return Till.of(self.files, self.keys, self.clock, self.randomness)

    def uplink(self, till: Till) -> Uplink:
        return Uplink(
            URL, till.module, till.operator, self.clock, self.randomness, transport=self.line
        )

    def write(self, count: int) -> None:
        """Entries of the simplest kind."""
        with self.load().open_journal() as journal:
            for _ in range(count):
                journal.append(Declined(code="CARD_MAC_BAD"))

    def session(
        self, card: Card, opening: SessionOpening, pin: Pin | None = None
    ) -> SessionCommands:
        """``pin``: what the citizen types when it is asked for."""
        till = self.load()
        with closing(self.uplink(till)) as uplink:
            return run_session(card.line, uplink, opening, ask_pin=lambda _left: pin)

    def sell(self, card: Card, cents: int) -> SaleResult:
        till = self.load()
        till.take_journal(till.open_journal())
        with till:
            counter = TillCounter(till)
            with counter.sale(counter.card(card.line)) as sale:
                sale.read()
                sale.basket([Item(0, Money(cents))]).require_everything_paid()
                sale.agree(Pin(card.pin))
                result = sale.commit()
                sale.finish()
                return result

    def sync(self, *, beat: bool = True) -> RoundReport:
        """One round of a fresh agent."""
        till = self.load()
        with closing(self.uplink(till)) as uplink:
            return Agent(till, uplink, self.clock, self.randomness).round(beat_due=beat)

    def sync_until_done(
        self, meanwhile: Callable[[], None] = lambda: None, *, batch: int = BATCH_ENTRIES_MAX
    ) -> int:
        """Rounds of one agent that never gives up, until nothing waits; how many."""
        till = self.load()
        with closing(self.uplink(till)) as uplink:
            agent = Agent(till, uplink, self.clock, self.randomness)
            agent._state = State(batch=batch)
            for count in range(1, ROUNDS_MAX):
                report = agent.round(beat_due=False)
                assert not report.final, report
                if not report.problem and not report.pending:
                    return count
                meanwhile()
                self.clock.sleep(report.rest_s)
        raise AssertionError("it never ends")

    def entries(self) -> list[bytes]:
        with self.load().read_journal() as reader:
            return [item.complete for item in reader.views.entries()]

    def received(self) -> list[bytes]:
        """What the hall accepted of this journal, in order."""
        with self.place.hall.work.begin() as unit:
            high = unit.terminals.terminal(self.number).high_seq
            rows = [unit.journals.entry(self.number, seq) for seq in range(1, high + 1)]
        return [row.complete for row in rows if row is not None]

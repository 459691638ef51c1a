"""The town hall's people: set up the town, give money, settle, and change the keys."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from backend.adapters.key_store import TransportKeys
from backend.adapters.tables.cards import StockCardRow
from backend.errors import BackendError
from backend.services.administration.lost_terminals import LossOffice
from backend.services.administration.programmes import NewProgramme
from backend.services.day_end import DayReport
from cardlib.calendar import day_at
from cardlib.codec.files import DF_SERVICES
from cardlib.codec.purse import Suite
from cardlib.wire.ids import PurseId
from cardlib.wire.money import Money
from simulator.card.filesystem import Memory
from simulator.card.masks import TRANSPORT_KEYS
from simulator.stock import stock_kind
from simulator.town.hall import Hall
from simulator.town.plan.calendar import DAY_LIMIT, GROCERIES, PHARMACY, SEASON, SEASON_DAYS
from simulator.town.plan.model import FOOD, HYGIENE, MEDICINES, Plan
from simulator.town.plan.people import town_iban
from simulator.town.truth import Truth

TOWN, ISSUER = "Comune di Borgo Esempio", "018999"
OPERATOR = "Consorzio Buoni di Prova"
TOWN_IBAN = town_iban(1)
SOURCE = "Fondo di solidarietà alimentare"
CATEGORIES = ((FOOD, "alimentari", "food"), (HYGIENE, "igiene", "hygiene"),
              (MEDICINES, "farmaci", "medicines"))  # fmt: skip
PROGRAMMES = {
    GROCERIES: ("Buono spesa", (FOOD, HYGIENE), Money(500_000_00)),
    PHARMACY: ("Buono farmaci", (MEDICINES,), Money(100_000_00)),
    SEASON: ("Buono di stagione", (FOOD,), Money(10_000_00)),
}
LOADER, APPROVER, ACCOUNTANT = "anna.loader", "bruno.approver", "carla.accountant"
_SECOND_KEY_HOLDER = "dario.operator"
_TWO = {"requested_by": LOADER, "approved_by": APPROVER}
PATIENT_NIGHTS = 2
"""So many the town waits for its tills after a restored backup."""
_FUND = (
    "SELECT (SELECT coalesce(sum(t.cents), 0) FROM transfer t JOIN account a ON a.id = t.target_id"
    " WHERE a.kind = 'fund' AND a.programme_id = p.id)"
    " - (SELECT coalesce(sum(t.cents), 0) FROM transfer t JOIN account a ON a.id = t.source_id"
    " WHERE a.kind = 'fund' AND a.programme_id = p.id) FROM programme p WHERE p.id = ?"
)
_WAITING = (
    "SELECT m.issuer, p.number FROM load_order o JOIN purse p ON p.id = o.purse_id"
    " JOIN municipality m ON m.id = p.municipality_id WHERE o.state = 'approved'"
)


@dataclass(frozen=True, slots=True)
class Paper:
    """An order as the office has it in its binder."""

    purse: PurseId
    holder: str
    programme: int
    cents: int


class Official:
    """Acts through the backend's services; notes what was ordered."""

    def __init__(self, hall: Hall, truth: Truth) -> None:
        self._hall = hall
        self._truth = truth
        self.town = 0
        """The municipality's number."""
        self._programmes: dict[int, int] = {}
        self._acts = 0
        self._nights = 0
        """How many a recovery has lasted."""
        self._papers: dict[str, Paper] = {}
        """What was ordered, by its act."""
        self.merchants: dict[str, int] = {}
        """Merchant numbers by shop."""

    # setting up -----------------------------------------------------------------------------

    def open_books(self, plan: Plan) -> None:
        """Operator, municipality with keys, programmes with money, merchants."""
        office = self._hall.backend.programmes
        today = day_at(plan.start_ms // 1000)
        office.set_up(OPERATOR)
        self.town = office.create_municipality(ISSUER, TOWN)
        for bit, name_it, name_en in CATEGORIES:
            office.name_category(bit, name_it, name_en)
        until = today + timedelta(days=plan.days + 60)
        for number, (name, bits, cents) in PROGRAMMES.items():
            last = today + timedelta(days=SEASON_DAYS) if number == SEASON else until
            new = NewProgramme(number, name, bits, today, last, day_limit_eur=DAY_LIMIT // 100)
            programme = office.create_programme(ISSUER, new)
            office.fund(programme, SOURCE, cents, act="Delibera 12/2026", by=ACCOUNTANT)
            self._programmes[number] = programme
        self.register_merchant("desk", f"Sportello, {TOWN}", TOWN_IBAN)
        for shop in plan.shops:
            self.register_merchant(shop.key, shop.name, shop.iban)

    def register_merchant(self, key: str, name: str, iban: str) -> None:
        """A merchant that takes the vouchers of every programme."""
        merchants = self._hall.backend.merchants
        self.merchants[key] = merchants.register(name, iban)
        for programme in self._programmes.values():
            merchants.enable(self.merchants[key], programme)

    def enrolment_code(self, shop: str, fingerprint: str) -> str:
        """A one-time code for the key that a shop has read out."""
        return self._hall.backend.enrolment.issue_code(self.merchants[shop], fingerprint)

    def take_stock(self, memory: Memory, suite: Suite = Suite.AES_128) -> None:
        """Takes a factory card's transport keys over."""
        services = memory.find((DF_SERVICES,))
        assert services is not None
        keys = TransportKeys(*(services.keys[number] for number in TRANSPORT_KEYS))
        backend = self._hall.backend
        backend.keys.add_transport_keys(memory.serial, keys)
        with backend.work.begin() as unit:
            unit.add(
                StockCardRow(
                    serial=memory.serial, kind=stock_kind(memory), municipality_id=self.town,
                    state="new", imported_at=backend.clock.unix_ms() // 1000, suite=suite,
                )
            )  # fmt: skip
            unit.commit()

    # money ----------------------------------------------------------------------------------

    def order_load(
        self, purse: PurseId, holder: str, programme: int, cents: int, act: str = ""
    ) -> None:
        """An award for a household, and the approved order to load it.

        ``act`` names this order alone: where the backend died on the way, the same again goes on.
        """
        self._acts += 1
        act = act or f"Determina {self._acts}/2027"
        paper = Paper(purse, holder, programme, cents)
        self._enter(act, paper)
        self._papers[act] = paper
        self._truth.ordered[purse] += cents
        self._truth.ordered_slots[purse, programme] += cents

    def enter_again(self) -> Counter[PurseId]:
        """What a restored copy has forgotten is entered from the binder; loads that now wait.

        Also those that were fetched since the copy was made: the card must be seen again.
        """
        for act, paper in self._papers.items():
            self._enter(act, paper)
        with self._hall.engine.connect() as connection:
            rows = connection.exec_driver_sql(_WAITING).all()
        return Counter(PurseId(bytes(issuer), bytes(number)) for issuer, number in rows)

    def _enter(self, act: str, paper: Paper) -> None:
        """Award and order, as far as they are not there."""
        backend, award, order = self._hall.backend, self._award(act), self._order(act)
        if award is None:
            award = backend.programmes.award(
                self._programmes[paper.programme], SOURCE, paper.holder, Money(paper.cents),
                act=act, **_TWO,
            )  # fmt: skip
        if order is None:
            backend.loads.approve(award, paper.purse, Money(paper.cents), **_TWO)

    # what was not taken -------------------------------------------------------------------

    def take_back(self, purse: PurseId) -> tuple[int, int | None]:
        """Cancels what waits for a purse; cents, and an order that a card session must make void.

        What was signed may lie on the card, and only the card can say.
        """
        taken = 0
        for act, paper in list(self._papers.items()):
            order = self._order(act)
            if paper.purse != purse or order is None:
                continue
            state = self._ask("SELECT state FROM load_order WHERE id = ?", order)
            if state == "loading":
                return taken, order
            if state == "approved":
                self._hall.backend.unspent.cancel_order(order, **_TWO)
            if state in ("approved", "void"):
                taken += self._withdraw(act, paper)
        return taken, None

    def _withdraw(self, act: str, paper: Paper) -> int:
        """The award of an order that is void goes back into the fund; its cents."""
        award = self._award(act)
        assert award is not None
        if self._ask("SELECT state FROM award WHERE id = ?", award) != "withdrawn":
            self._hall.backend.unspent.withdraw(award, Money(paper.cents), **_TWO)
        del self._papers[act]
        self._truth.ordered[paper.purse] -= paper.cents
        self._truth.ordered_slots[paper.purse, paper.programme] -= paper.cents
        return paper.cents

    def give_back(self) -> int:
        """Half of what every fund still holds returns to the funder; cents."""
        returned = 0
        for programme in self._programmes.values():
            held = self._ask(_FUND, programme) or 0
            if held > 1:
                self._hall.backend.unspent.give_back(
                    programme, SOURCE, Money(held // 2), act="Determina 90/2026", by=ACCOUNTANT
                )
                returned += held // 2
        return returned

    def _award(self, act: str) -> int | None:
        return self._number("SELECT id FROM award WHERE act = ?", act)

    def _order(self, act: str) -> int | None:
        query = "SELECT o.id FROM load_order o JOIN award a ON a.id = o.award_id WHERE a.act = ?"
        return self._number(query, act)

    def _number(self, query: str, about: object) -> int | None:
        found = self._ask(query, about)
        return None if found is None else int(found)

    def _ask(self, query: str, about: object) -> Any:
        with self._hall.engine.connect() as connection:
            return connection.exec_driver_sql(query, (about,)).scalar()

    # the day ------------------------------------------------------------------------------

    def end_day(self) -> DayReport:
        """The night work."""
        return self._hall.backend.day_end.close_day()

    def end_recovery(self) -> bool:
        """After a restored backup, each night: whether loads and payments may go on.

        Tills that are not back by the second night are named, and tell when they can.
        """
        recovery = self._hall.backend.recovery
        self._nights += 1
        with suppress(BackendError):
            without = recovery.waiting() if self._nights >= PATIENT_NIGHTS else ()
            recovery.end(
                requested_by=LOADER, approved_by=APPROVER, act="verbale di ripristino",
                without=without,
            )  # fmt: skip
            self._nights = 0
            return True
        return False

    def record_loss(self, terminal: int, act: str) -> None:
        """A till is stolen or its journal lost: two people say so."""
        backend = self._hall.backend
        now = backend.clock.unix_ms() // 1000
        LossOffice(backend.work, backend.clock).record(
            terminal, now, act=act, requested_by=LOADER, approved_by=APPROVER
        )

    # keys -----------------------------------------------------------------------------------

    def announce_keys(self) -> None:
        """Makes the next key set known to the tills."""
        with suppress(BackendError):
            self._hall.backend.key_sets.announce(ISSUER, APPROVER)

    def begin_keys(self) -> bool:
        """Lets the cards change, once every till holds the keys; whether they may."""
        with suppress(BackendError):
            self._hall.backend.key_sets.begin(ISSUER, _SECOND_KEY_HOLDER)
            return True
        return False

"""The town hall's people: set up the town, give money, settle, and change the keys."""

from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from random import Random

from backend.adapters.key_store import TransportKeys
from backend.adapters.pain001 import Debtor
from backend.adapters.tables.cards import StockCardRow
from backend.domain.settlement import Period
from backend.errors import BackendError, ConflictError
from backend.services.administration.lost_terminals import LossOffice
from backend.services.administration.programmes import NewProgramme
from backend.services.day_end import DayReport
from backend.services.settlement.batches import PaymentOrder
from backend.services.settlement.statements import StatementService
from cardlib.calendar import day_at
from cardlib.codec.purse import Suite
from cardlib.wire.ids import PurseId
from cardlib.wire.money import Money
from simulator.card.filesystem import Memory
from simulator.card.masks import TRANSPORT_KEYS
from simulator.stock import stock_kind
from simulator.town.hall import Hall
from simulator.town.plan.calendar import CHEMISTRY, GROCERIES
from simulator.town.plan.model import FOOD, HYGIENE, MEDICINES, Plan
from simulator.town.plan.people import town_iban
from simulator.town.truth import Truth

TOWN, ISSUER = "Comune di Borgo Esempio", "018999"
TOWN_CODE = bytes.fromhex(ISSUER)
OPERATOR = "Consorzio Buoni di Prova"
TOWN_IBAN = town_iban(1)
SOURCE = "Fondo di solidarietà alimentare"
CATEGORIES = ((FOOD, "alimentari", "food"), (HYGIENE, "igiene", "hygiene"),
              (MEDICINES, "farmaci", "medicines"))  # fmt: skip
PROGRAMMES = {
    GROCERIES: ("Buono spesa", (FOOD, HYGIENE), Money(500_000_00)),
    CHEMISTRY: ("Buono farmaci", (MEDICINES,), Money(100_000_00)),
}
TURNED_DOWN = 0.15
"""The share of batches that the second person refuses in a town where things go wrong."""
LOADER, APPROVER, ACCOUNTANT = "anna.loader", "bruno.approver", "carla.accountant"
_SECOND_KEY_HOLDER = "dario.operator"


class Official:
    """Acts through the backend's services; notes what was ordered."""

    def __init__(self, hall: Hall, truth: Truth) -> None:
        self._hall = hall
        self._truth = truth
        self._town = 0
        self._programmes: dict[int, int] = {}
        self._settled_to: dict[int, int] = {}
        self._stated_to: dict[int, int] = {}
        self.merchants: dict[str, int] = {}
        """Merchant numbers by shop."""
        self.orders: list[PaymentOrder] = []
        """Payment orders that the bank has not seen."""

    # setting up -----------------------------------------------------------------------------

    def open_books(self, plan: Plan) -> None:
        """Operator, municipality with keys, programmes with money, merchants."""
        office = self._hall.backend.programmes
        today = day_at(plan.start_ms // 1000)
        office.set_up(OPERATOR)
        self._town = office.create_municipality(ISSUER, TOWN)
        for bit, name_it, name_en in CATEGORIES:
            office.name_category(bit, name_it, name_en)
        until = today + timedelta(days=plan.days + 60)
        for number, (name, bits, cents) in PROGRAMMES.items():
            new = NewProgramme(number, name, bits, today, until, day_limit_eur=150)
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
        services = memory.find((0x1200,))
        assert services is not None
        keys = TransportKeys(*(services.keys[number] for number in TRANSPORT_KEYS))
        backend = self._hall.backend
        backend.keys.add_transport_keys(memory.serial, keys)
        with backend.work.begin() as unit:
            unit.add(
                StockCardRow(
                    serial=memory.serial, kind=stock_kind(memory), municipality_id=self._town,
                    state="new", imported_at=backend.clock.unix_ms() // 1000, suite=suite,
                )
            )  # fmt: skip
            unit.commit()

    # money ----------------------------------------------------------------------------------

    def order_load(self, purse: PurseId, holder: str, programme: int, cents: int) -> None:
        """An award for a household, and the approved order to load it."""
        backend = self._hall.backend
        award = backend.programmes.award(
            self._programmes[programme], SOURCE, holder, Money(cents), act="Determina 45/2026",
            requested_by=LOADER, approved_by=APPROVER,
        )  # fmt: skip
        backend.loads.approve(award, purse, Money(cents), requested_by=LOADER, approved_by=APPROVER)
        self._truth.ordered[purse] += cents
        self._truth.ordered_slots[purse, programme] += cents

    def settle(self, until_s: int, rng: Random | None = None) -> None:
        """A batch for each shop whose tills have reported past the instant, and their order.

        With ``rng`` the second person turns some of them down; the next period takes them up.
        """
        batches = []
        for shop, merchant in self.merchants.items():
            start = self._settled_to.get(merchant, 1)
            if shop == "desk" or start >= until_s:
                continue
            batch = self._batch(merchant, Period(start, until_s))
            if batch is None:
                continue
            self._settled_to[merchant] = until_s
            if rng is not None and rng.random() < TURNED_DOWN:
                self._turn_down(batch, rng)
            else:
                batches.append(batch)
        if batches:
            for batch in batches:
                self._hall.backend.settlement.approve(batch, APPROVER)
            debtor = Debtor(TOWN, TOWN_IBAN)
            self.orders.append(self._hall.backend.settlement.order_payments(batches, debtor))

    def _batch(self, merchant: int, period: Period) -> int | None:
        """One batch; None where it is too early, or there is nothing to pay."""
        with suppress(ConflictError):
            settlement = self._hall.backend.settlement
            return settlement.draw_up(self._town, merchant, period, ACCOUNTANT).id
        return None

    def _turn_down(self, batch: int, rng: Random) -> None:
        """The approver refuses it, at once or on second thoughts."""
        settlement = self._hall.backend.settlement
        if rng.random() < 0.5:
            settlement.approve(batch, APPROVER)
        settlement.turn_down(batch, APPROVER)

    def statement(self, merchant: int, until_s: int) -> dict[str, object] | None:
        """What a merchant gets for the time since its last one, as the file says; None for none."""
        start = self._stated_to.get(merchant, 1)
        if start >= until_s:
            return None
        self._stated_to[merchant] = until_s
        backend = self._hall.backend
        office = StatementService(backend.work, backend.keys, backend.clock)
        signed = office.issue(merchant, Period(start, until_s))
        inclusions = [
            asdict(item) | {"path": [step.hex() for step in item.path]}
            for item in signed.inclusions
        ]
        return {"merchant": merchant, "bytes": signed.complete.hex(), "inclusions": inclusions}

    def end_day(self) -> DayReport:
        """The night work."""
        return self._hall.backend.day_end.close_day()

    def end_recovery(self) -> bool:
        """After a restored backup: whether loads and payments may go on, all tills being back."""
        with suppress(BackendError):
            self._hall.backend.recovery.end(
                requested_by=LOADER, approved_by=APPROVER, act="verbale di ripristino"
            )
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

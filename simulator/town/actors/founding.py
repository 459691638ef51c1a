"""How the town begins: its books, programmes with money, merchants, and the cards in stock."""

from datetime import timedelta

from backend.adapters.key_store import TransportKeys
from backend.adapters.tables.cards import StockCardRow
from backend.services.administration.programmes import NewProgramme
from cardlib.calendar import day_at
from cardlib.codec.files import DF_SERVICES
from cardlib.codec.purse import Suite
from cardlib.wire.money import Money
from simulator.card.filesystem import Memory
from simulator.card.masks import TRANSPORT_KEYS
from simulator.stock import stock_kind
from simulator.town.actors.official import ACCOUNTANT, ISSUER, SOURCE, TOWN, TOWN_IBAN
from simulator.town.hall import Hall
from simulator.town.plan.calendar import DAY_LIMIT, GROCERIES, PHARMACY, SEASON, SEASON_DAYS
from simulator.town.plan.model import FOOD, HYGIENE, MEDICINES, Plan

OPERATOR = "Consorzio Buoni di Prova"
CATEGORIES = ((FOOD, "alimentari", "food"), (HYGIENE, "igiene", "hygiene"),
              (MEDICINES, "farmaci", "medicines"))  # fmt: skip
PROGRAMMES = {
    GROCERIES: ("Buono spesa", (FOOD, HYGIENE), Money(500_000_00)),
    PHARMACY: ("Buono farmaci", (MEDICINES,), Money(100_000_00)),
    SEASON: ("Buono di stagione", (FOOD,), Money(10_000_00)),
}


class Founding:
    """Acts through the backend's services; knows by which numbers it keeps what was founded."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self.town = 0
        """The municipality's number."""
        self.programmes: dict[int, int] = {}
        """The backend's numbers of programmes, by the town's."""
        self.merchants: dict[str, int] = {}
        """Merchant numbers by shop."""

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
            self.programmes[number] = programme
        self.register_merchant("desk", f"Sportello, {TOWN}", TOWN_IBAN)
        for shop in plan.shops:
            self.register_merchant(shop.key, shop.name, shop.iban)

    def register_merchant(self, key: str, name: str, iban: str) -> None:
        """A merchant that takes the vouchers of every programme."""
        merchants = self._hall.backend.merchants
        self.merchants[key] = merchants.register(name, iban)
        for programme in self.programmes.values():
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

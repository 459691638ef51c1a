"""A small town on disk: one backend, tills, and people with cards and money on them."""

import json
import socket
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from backend.config import Settings
from backend.services.administration.programmes import NewProgramme
from cardlib.calendar import day_at
from cardlib.codec.purse import Suite
from cardlib.system import SystemClock, SystemRandomness
from cardlib.wire.card_session import SessionOpening
from cardlib.wire.ids import PurseId
from cardlib.wire.money import Money
from simulator import stock
from simulator.card import image
from simulator.card.masks import WHITE, make_card, random_transport_keys
from simulator.card.personal import Holder
from simulator.card.store import FileStore
from simulator.town.demo import people
from simulator.town.demo.people import Merchant
from simulator.town.demo.readers import ProcessReader
from simulator.town.demo.shop import Shop
from simulator.town.demo.town_hall import TownHall

PASSPHRASE = "a soaked town"
TILLS, CARDS = 2, 5
FUNDED, LOADED = Money(10_000_000), Money(1_000_000)


@dataclass
class SoakTown:
    """Everything in ``directory``, but for the database when ``database`` names another one."""

    directory: Path
    database: str | None = None
    people: int = CARDS
    cards: dict[Path, PurseId] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock, self.randomness = SystemClock(), SystemRandomness()
        self.reader = ProcessReader(self.randomness)
        self.port = _free_port()
        self.secret.parent.mkdir(parents=True, exist_ok=True)
        self.secret.write_text(PASSPHRASE + "\n", "ascii")

    @property
    def secret(self) -> Path:
        """The file that every process reads its passphrase from."""
        return self.directory / "passphrase"

    @property
    def url(self) -> str:
        """Where the backend answers, whichever process it is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What the processes are told."""
        told = {"BORSELLINO_PASSPHRASE_FILE": str(self.secret)}
        return told | ({"BORSELLINO_DATABASE": self.database} if self.database else {})

    @property
    def tills(self) -> list[Shop]:
        """The shops' tills; ``directory`` is where each lies."""
        return [self._shop(f"till-{number}") for number in range(1, TILLS + 1)]

    def hall(self) -> TownHall:
        """The installation, opened in this process."""
        hall = TownHall(self.directory / "backend", PASSPHRASE, self.clock, self.randomness)
        hall.settings = Settings(hall.settings.directory, PASSPHRASE, self.database)
        return hall

    def found(self) -> None:
        """Books, enrolled tills, cards with money on them."""
        with self.hall() as hall, hall.serve(self.port):
            programme = self._open_books(hall)
            for shop in self.tills:
                merchant = Merchant(shop.directory.name, "Alimentari", people.GROCER.iban)
                number = hall.backend.merchants.register(merchant.name, merchant.iban)
                hall.backend.merchants.enable(number, programme)
                code = hall.enrolment_code(number, shop.prepare(self.url))
                shop.enrol(code, hall.operator_fingerprint)
            for number in range(1, self.people + 1):
                self._issue(hall, programme, self.directory / "cards" / f"card-{number}.json")
            pins = {path.name: hall.pin_of(purse) for path, purse in self.cards.items()}
        (self.directory / "cards" / "pins").write_text(json.dumps(pins), "ascii")

    def pins(self) -> dict[str, str]:
        """What people know by heart, by the name of their card."""
        return dict(json.loads((self.directory / "cards" / "pins").read_text("ascii")))

    def _open_books(self, hall: TownHall) -> int:
        office, today = hall.backend.programmes, day_at(self.clock.unix_ms() // 1000)
        office.set_up(people.OPERATOR)
        office.create_municipality(people.ISSUER, people.TOWN)
        office.name_category(0, "alimentari", "food")
        programme = office.create_programme(people.ISSUER, _programme(today))
        office.fund(programme, people.FUNDING_SOURCE, FUNDED, act="D1", by=people.ACCOUNTANT)
        return programme

    def _issue(self, hall: TownHall, programme: int, path: Path) -> None:
        serial = self._factory_card(hall, path)
        shop, loads = self.tills[0], hall.backend.loads
        with self.reader.insert(path) as card:
            done = shop.collect(card, SessionOpening("personalise", serial))
        self.cards[path] = purse = PurseId.parse(done.purse)
        award = hall.backend.programmes.award(
            programme, people.FUNDING_SOURCE, path.stem, LOADED, act="D2",
            requested_by=people.LOADER, approved_by=people.APPROVER,
        )  # fmt: skip
        loads.approve(award, purse, LOADED, requested_by=people.LOADER, approved_by=people.APPROVER)
        with self.reader.insert(path) as card:
            done = shop.collect(card, SessionOpening("load", ""))
        assert done.outcome == "LOAD_DONE", done.outcome

    def _factory_card(self, hall: TownHall, path: Path) -> str:
        path.parent.mkdir(exist_ok=True)
        keys = random_transport_keys(self.randomness)
        memory = make_card(WHITE, self.randomness, Holder(), keys)
        stock.write_stock(stock.stock_path(path), memory, Suite.AES_128, training=False)
        FileStore(path).save(image.encode(memory))
        return hall.take_stock(stock.stock_path(path))

    def _shop(self, name: str) -> Shop:
        return Shop(self.directory / name, PASSPHRASE, self.clock, self.randomness)


def _programme(today: date) -> NewProgramme:
    end = today + timedelta(days=180)
    return NewProgramme(people.PROGRAMME, people.PROGRAMME_NAME, (0,), today.replace(day=1), end)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

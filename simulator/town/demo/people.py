"""Who lives in the demo's town. Nobody of this is real."""

from dataclasses import dataclass
from datetime import date

from cardlib.codec.purse import Suite
from cardlib.wire.money import Money
from simulator.card.masks import CRS_STINCARD, WHITE
from simulator.card.personal import Holder

TOWN, ISSUER = "Comune di Borgo Esempio", "018999"
OPERATOR = "Consorzio Buoni di Prova"
TOWN_IBAN = "IT83R9999901600000000000001"
FUNDING_SOURCE = "Fondo di solidarietà alimentare"
FUNDED = Money(1_000_000)
PROGRAMME, PROGRAMME_NAME = 12, "Buono spesa"
CATEGORIES = ((0, "alimentari", "food"), (1, "igiene", "hygiene"), (2, "farmaci", "medicines"))
FOOD, HYGIENE, MEDICINES = 0, 1, 2
LOADER, APPROVER, ACCOUNTANT = "anna.loader", "bruno.approver", "carla.accountant"


@dataclass(frozen=True, slots=True)
class Beneficiary:
    """A card of the story: image name, chip, holder and what is awarded."""

    key: str
    mask: str
    holder: Holder
    award: Money
    suite: Suite = Suite.AES_128


@dataclass(frozen=True, slots=True)
class Merchant:
    """A shop of the story."""

    key: str
    name: str
    iban: str


MARIA = Beneficiary("crs-maria", CRS_STINCARD, Holder(), Money(12_000))
PAOLO = Beneficiary(
    "white-paolo", WHITE, Holder("VERDI", "PAOLO", "M", date(1946, 6, 2)), Money(8_000)
)
GROCER = Merchant("grocer", "Alimentari Rossi", "IT60S9999901600000000000002")
CHEMIST = Merchant("chemist", "Farmacia Bianchi", "IT37T9999901600000000000003")

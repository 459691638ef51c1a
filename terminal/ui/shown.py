"""What the screen shows, as plain values that the worker prepares."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum, StrEnum, auto

from cardlib.codec.purse import Grant, day_date
from cardlib.dialogues.purse_state import Wallet
from cardlib.wire.ids import PurseId, Seq
from cardlib.wire.money import ZERO, Money
from terminal.sale.card_shown import CardShown
from terminal.sale.offer import Offer
from terminal.trust import BundleTrust


class Validity(StrEnum):
    """Whether a wallet can be used on a day."""

    VALID = "valid"
    EXPIRED = "expired"
    NOT_YET = "not_yet"


class PinPlace(Enum):
    """Where the customer types the PIN."""

    NOWHERE = auto()
    """This card wants none."""
    TILL = auto()
    READER = auto()
    """On the reader's own keypad: it never passes through the till."""


@dataclass(frozen=True, slots=True)
class TillStatus:
    """The status line: always in view, always in words.

    ``days_left`` is None when there is no limit; ``trouble`` is the code of what keeps
    the reader from working.
    """

    card_in: bool = False
    trouble: str = ""
    waiting_sales: int = 0
    days_left: int | None = None
    days_offline: int = 0
    warn: bool = False


@dataclass(frozen=True, slots=True)
class CategoryName:
    """A category of goods in the screen's language; ``bit`` is None for goods without voucher."""

    bit: int | None
    name: str


@dataclass(frozen=True, slots=True)
class WalletRow:
    """One voucher of the card: what it buys, until when, what is left."""

    programme: str
    balance: Money
    valid_from: date
    valid_to: date
    validity: Validity
    buys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CardView:
    """A card as the cashier sees it. ``purse`` is never shown: it says whether it is the same.

    ``other_purse``: the card holds, or may hold, another town's purse for this till.
    """

    purse: PurseId
    wallets: tuple[WalletRow, ...]
    categories: tuple[CategoryName, ...]
    other_purse: bool = False


@dataclass(frozen=True, slots=True)
class ShareRow:
    """What one voucher pays."""

    programme: str
    before: Money
    pays: Money
    after: Money


@dataclass(frozen=True, slots=True)
class ExcludedRow:
    """What the vouchers do not pay of a category, and the code that says why."""

    category: str
    amount: Money
    code: str


@dataclass(frozen=True, slots=True)
class OfferView:
    """What the customer is asked to agree to."""

    shares: tuple[ShareRow, ...]
    excluded: tuple[ExcludedRow, ...]
    total: Money
    other: Money
    pin: PinPlace

    @property
    def before(self) -> Money:
        """On all vouchers that pay, before."""
        return sum((share.before for share in self.shares), ZERO)

    @property
    def after(self) -> Money:
        """And after."""
        return sum((share.after for share in self.shares), ZERO)


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A debit whose outcome is not known: its number, amount and Unix time."""

    seq: Seq
    amount: Money
    unix: int


class Names:
    """Categories and programmes in words, from the newest bundle."""

    def __init__(self, trust: BundleTrust, lang: str) -> None:
        self._trust = trust
        self._lang = lang

    def categories(self) -> tuple[CategoryName, ...]:
        """In the operator's order."""
        return tuple(
            CategoryName(item.bit, item.name_it if self._lang == "it" else item.name_en)
            for item in self._trust.categories
        )

    def category(self, bit: int) -> str:
        """One category; its number when the bundle does not name it."""
        names = (item.name for item in self.categories() if item.bit == bit)
        return next(names, str(bit))

    def programme(self, issuer: bytes, number: int) -> str:
        """One programme."""
        return self._trust.programme_name(issuer, number)


def card_view(shown: CardShown, names: Names, today: int, *, other_purse: bool = False) -> CardView:
    """A card on the day number ``today``."""
    issuer = shown.info.issuer
    return CardView(
        PurseId(issuer, shown.info.purse),
        tuple(_wallet_row(wallet, issuer, names, today) for wallet in shown.wallets),
        names.categories(),
        other_purse,
    )


def _wallet_row(wallet: Wallet, issuer: bytes, names: Names, today: int) -> WalletRow:
    grant = wallet.grant
    return WalletRow(
        names.programme(issuer, grant.programme),
        wallet.balance,
        day_date(grant.valid_from),
        day_date(grant.valid_to),
        _validity(grant, today),
        tuple(_bought(grant, names.categories())),
    )


def _bought(grant: Grant, categories: Iterable[CategoryName]) -> Iterable[str]:
    return (item.name for item in categories if item.bit is not None and grant.allows(item.bit))


def _validity(grant: Grant, today: int) -> Validity:
    if grant.valid_on(today):
        return Validity.VALID
    return Validity.NOT_YET if grant.valid_from > today else Validity.EXPIRED


def pin_place(shown: CardShown | None) -> PinPlace:
    """Where the PIN of the card that was read is typed."""
    if shown is None or not shown.pin_needed:
        return PinPlace.NOWHERE
    return PinPlace.READER if shown.pin_pad else PinPlace.TILL


def offer_view(offer: Offer, names: Names, shown: CardShown) -> OfferView:
    """An offer in words."""
    return OfferView(
        tuple(
            ShareRow(
                names.programme(shown.info.issuer, share.programme),
                share.before,
                share.pays,
                share.after,
            )
            for share in offer.shares
        ),
        tuple(
            ExcludedRow(names.category(short.category), short.amount, short.code)
            for short in offer.shortfalls
        ),
        offer.total,
        offer.other,
        pin_place(shown),
    )

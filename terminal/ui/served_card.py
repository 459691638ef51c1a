"""The card in the reader while it is served: its driver, and which of its purses is meant."""

from cardlib.connection import CardConnection
from cardlib.drivers.purse_card import PurseCard
from cardlib.wire.ids import TRAINING_ISSUER, PurseId
from terminal.counter import Counter
from terminal.sale.card_shown import NOT_OF_OURS, CardShown
from terminal.sale.session import SaleSession
from terminal.ui.card_slot import CardSlot


class ServedCard:
    """One driver for one card, so that a re-read stays with the purse that was chosen."""

    def __init__(self, counter: Counter, slot: CardSlot) -> None:
        self._counter = counter
        self._slot = slot
        self._connection: CardConnection | None = None
        self._driver: PurseCard | None = None
        self._purse: PurseId | None = None
        self._only_purse = False

    def driver(self) -> PurseCard:
        """For the card that is in; CardMissingError, or the reader's trouble, without one."""
        connection = self._slot.connection
        if self._driver is None or connection is not self._connection:
            self._driver = self._counter.card(connection)
            self._connection, self._purse, self._only_purse = connection, None, False
        return self._driver

    def begin_anew(self) -> None:
        """For the next customer: the first purse that this till serves."""
        self._driver = None

    def read(self, sale: SaleSession) -> CardShown:
        """The chosen purse, at first the first one."""
        shown = sale.read()
        self._purse = _purse_of(shown)
        return shown

    def read_next(self, sale: SaleSession) -> CardShown:
        """The next purse; the same once more when it is the only one."""
        before, self._purse = self._purse, None
        shown = sale.next_purse()
        self._purse = _purse_of(shown)
        self._only_purse = self._purse == before
        return shown

    @property
    def only_purse(self) -> bool:
        """Whether it has been tried and there is no other."""
        return self._only_purse

    def other_purse(self, refused: str = "") -> bool:
        """Whether the card that is in holds, or may hold, another purse for this till.

        ``refused``: the code with which this one was refused, if it was.
        """
        training = self._counter.till.certificate.training
        issuers = self._counter.till.trust.issuers
        served = sum((issuer == TRAINING_ISSUER) == training for issuer in issuers)
        may_be = served > 1 and not self._only_purse and refused not in NOT_OF_OURS
        return may_be and self._slot.card_in


def _purse_of(shown: CardShown) -> PurseId:
    return PurseId(shown.info.issuer, shown.info.purse)

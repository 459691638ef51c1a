"""What a card shows at the till once it was read, and refusals that are not about our purses."""

from dataclasses import dataclass
from datetime import date

from cardlib.codec.purse import Info, day_date
from cardlib.dialogues.purse_state import Wallet

NOT_OF_OURS = ("CARD_NOT_CRS", "PURSE_MISSING", "PURSE_NOT_SERVED")
"""Refusals that say nothing about a purse of ours: no ``declined`` entry."""


@dataclass(frozen=True, slots=True)
class CardShown:
    """What a card shows at the till: wallets in slot order, and whether a PIN is needed.

    ``pin_pad``: it is typed on the reader, which has a keypad.
    """

    info: Info
    wallets: tuple[Wallet, ...]
    pin_needed: bool
    pin_pad: bool = False

    def last_day(self, wallet: Wallet) -> date:
        """The last day on which a wallet of this card can be used: its own, or the card's."""
        return min(day_date(wallet.grant.valid_to), self.info.expires_on)

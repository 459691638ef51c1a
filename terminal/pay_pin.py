"""How ``terminal pay`` gets a PIN to the card: on the reader's keypad, or typed here."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from cardlib.codec.pin import Pin
from cardlib.errors import PinPadError
from terminal.sale.session import SaleSession

T = TypeVar("T")


class PinTalk(Protocol):
    """Who can be asked about a PIN."""

    keypad: bool
    """Whether the PIN is typed on the reader where that has a keypad."""

    def pin(self) -> Pin:
        """Asks for the PIN here."""
        ...

    def pad_failed(self, error: PinPadError) -> bool:
        """The cashier decides: once more on the reader, or (False) typed here.

        Raises ``error`` when nobody can be asked.
        """
        ...


def give_pin(
    sale: SaleSession, talk: PinTalk, on_pad: Callable[[], T], typed: Callable[[Pin | None], T]
) -> T:
    """``on_pad`` where the reader has a keypad, else ``typed`` with the PIN, if one is needed.

    From the keypad to the keyboard it goes only when the cashier says so.
    """
    while talk.keypad and sale.pin_pad:
        try:
            return on_pad()
        except PinPadError as error:
            if not talk.pad_failed(error):
                break
    return typed(talk.pin() if sale.pin_needed else None)

"""``PurseCard``: what a till asks of a card, whatever chip it is (DESIGN 4)."""

from typing import Protocol

from cardlib.codec.pin import Pin
from cardlib.codec.purse import Info
from cardlib.dialogues.purse_state import PurseState
from cardlib.dialogues.sale import CommitOutcome
from cardlib.keys.module import SpendReading
from cardlib.wire.entry_body import AttestedRead


class PurseCard(Protocol):
    """One card in one reader. All errors are ``cardlib.errors``."""

    def read(self) -> PurseState:
        """A fresh read: new selection, new randoms on both sides."""
        ...

    def next_purse(self) -> None:
        """Reads are of the next served purse of the card from now on.

        After the last one they are of the first again; a card with one purse stays with it.
        """
        ...

    def read_all_wallets(self) -> PurseState:
        """The same state with all eight grant records read."""
        ...

    def verify_pin(self, pin: Pin) -> None:
        """WrongPinError with the tries left, PinBlockedError, CardGoneError."""
        ...

    @property
    def pin_pad(self) -> bool:
        """Whether the reader has a keypad on which every PIN can be typed."""
        ...

    def verify_pin_on_pad(self) -> None:
        """The customer types the PIN on the reader; it never passes through this computer.

        Waits for the customer. Errors as :meth:`verify_pin`, and PinPadError when no PIN
        was given to the card: the dialogue goes on, and the PIN can be asked again.
        """
        ...

    def debit(self, intent: bytes) -> CommitOutcome:
        """Writes what the signed intent says, after a :meth:`read`.

        Whatever it raises means that nothing was sent; once sent it only returns.
        """
        ...

    def attest(self, index: int = 1) -> AttestedRead:
        """The record ``index`` with the certificate that only the backend can check."""
        ...

    def read_back(self, below_ctr: int) -> tuple[Info, list[SpendReading]]:
        """Freshly, the records from #1 to the first with a lower counter (or #20).

        Wallets are not judged: recovery must also hear a card that no sale may use.
        """
        ...

    def end(self) -> None:
        """Ends the dialogue with a card reset, so that nobody inherits the PIN state."""
        ...

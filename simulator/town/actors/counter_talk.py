"""What cashier and customer say to each other at a till."""

from dataclasses import dataclass, field

from cardlib.codec.pin import Pin
from cardlib.errors import CardlibError, PinBlockedError, PinPadError, WrongPinError
from simulator.town.actors.citizen import Citizen
from simulator.town.actors.reader import Reader
from simulator.town.actors.register import Register
from terminal.recovery.flow import Settled
from terminal.recovery.table import Verdict
from terminal.sale.card_shown import CardShown
from terminal.sale.debit import SaleResult
from terminal.sale.offer import Offer
from terminal.sale.states import Step

PIN_TRIES = 3
"""So many wrong PINs in a row a card takes; then no PIN helps."""
_STEP_MS, _TYPING_MS = 700, 4_000


@dataclass(slots=True)
class CounterTalk:
    """Implements ``terminal.pay.Talk``: one customer at the counter."""

    register: Register
    citizen: Citizen
    reader: Reader
    slips: int
    keypad: bool = False
    interactive: bool = True
    paid: list[Settled] = field(default_factory=list)
    told: set[int] = field(default_factory=set)
    """Intents of which the screen said that they are paid, and which nobody has looked up yet."""
    died: bool = False
    """Whether the till has died meanwhile, so that nobody may have seen its last word."""
    letter: str | None = None
    """The PIN of the newest letter, which the card takes."""
    pins_wrong: int = 0
    """How often in a row the card was said to refuse a PIN, since a right one."""

    def pin(self) -> Pin:
        """What the customer types."""
        self.register.clock.sleep(_TYPING_MS / 1000)
        typed = self.citizen.pin or self.citizen.wrong_pin()
        if self.slips > 0:
            self.slips -= 1
            typed = self.citizen.wrong_pin()
        if typed == self.letter and self.pins_wrong < PIN_TRIES:
            self.pins_wrong = 0
        return Pin(typed)

    def pad_failed(self, error: PinPadError) -> bool:
        """There is no keypad here."""
        raise error

    def card(self, _shown: CardShown) -> None:
        """Balances on the screen."""

    def agree(self, _offer: Offer) -> bool:
        """Yes, unless this visit has been paid already."""
        return not self.paid

    def step(self, _step: Step) -> None:
        """Time passes."""
        self.register.clock.sleep(_STEP_MS / 1000)

    def settled(self, found: Settled) -> None:
        """An earlier outcome is known now."""
        if found.conclusion.verdict is Verdict.COMMITTED:
            self.paid.append(found)
            self.told.add(int(found.seq))

    def result(self, result: SaleResult) -> None:
        """What the screen says of the sale that was begun here."""
        if result.goods_are_due:
            self.told.add(int(result.intent.header.seq))

    def trouble(self, error: CardlibError) -> None:
        """The card is put back, the PIN asked again."""
        self.note_pin(error)
        self.reader.put_back()

    def note_pin(self, error: CardlibError) -> None:
        """The screen says that a PIN was refused, perhaps."""
        self.pins_wrong += isinstance(error, WrongPinError | PinBlockedError)

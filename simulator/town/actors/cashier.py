"""The cashier: serves one customer as the till's guide says, whatever the card does.

On an outcome that is not known the card is put back and read again; a debit that did not
arrive is tried again with the PIN; what cannot be decided is parked. Goods go over the
counter when the journal says that they are paid: the screen says nothing else.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardlib.codec.pin import Pin
from cardlib.codec.purse import SpendType
from cardlib.errors import CardlibError, PinBlockedError, PinPadError, PresenceError
from cardlib.wire.entry_body import Committed, Intent
from cardlib.wire.money import Money
from simulator.town.actors.citizen import Citizen
from simulator.town.actors.reader import Reader
from simulator.town.actors.register import Register
from simulator.town.killed import Killed
from simulator.town.mishaps import armed, die
from simulator.town.plan.model import Happening
from simulator.town.truth import Delivery
from terminal.errors import UnsettledError
from terminal.journal.derived import purse_of
from terminal.pay import Order, pay
from terminal.recovery.flow import Settled
from terminal.recovery.table import Verdict
from terminal.sale.card_shown import CardShown
from terminal.sale.offer import Item, Offer
from terminal.sale.states import Step

if TYPE_CHECKING:
    from simulator.town.world import World

TURNS_MAX = 3
"""How often the card is put back for one customer before the next one is served."""
BEING_RENEWED = "CARD_BEING_RENEWED"
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

    def pin(self) -> Pin:
        """What the customer types."""
        self.register.clock.sleep(_TYPING_MS / 1000)
        if self.slips > 0:
            self.slips -= 1
            return Pin(self.citizen.wrong_pin())
        return Pin(self.citizen.pin or self.citizen.wrong_pin())

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

    def trouble(self, _error: CardlibError) -> None:
        """The card is put back, the PIN asked again."""
        self.reader.put_back()


class Cashier:
    """Serves at every till of the town."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._seen: dict[int, int] = {}

    def sell(self, register: Register, citizen: Citizen, happening: Happening) -> None:
        """A purchase; the vouchers pay what they can."""
        items = tuple(Item(bit, Money(cents)) for bit, cents in happening.basket)
        slips = 99 if happening.forgets else happening.pin_slips
        talk = self._talk(register, citizen, happening, slips)
        self.serve(happening, Order(items, rest_otherwise=True), talk)

    def void(self, register: Register, citizen: Citizen, happening: Happening) -> None:
        """The last purchase comes back."""
        talk = self._talk(register, citizen, happening, happening.pin_slips)
        self.serve(happening, Order(()), talk)

    def serve(self, happening: Happening, order: Order, talk: CounterTalk) -> None:
        """Turn after turn until the customer has paid, was refused, or has to go."""
        register, before = talk.register, len(self._world.truth.deliveries)
        with armed(self._world, happening, register):
            for turn in range(TURNS_MAX):
                over = self._turn(happening, order, talk)
                self.hand_over(register, happening)
                if over or len(self._world.truth.deliveries) > before:
                    break
                talk.reader.put_back()
                if turn == TURNS_MAX - 1:
                    self._park(register)
        self._note(talk.reader)

    def settle(self, register: Register, citizen: Citizen, happening: Happening) -> None:
        """The card is shown because something is open; nothing is bought."""
        counter = register.counter
        assert counter is not None
        try:
            counter.recovery().settle(counter.card(citizen.line()))
        except CardlibError as error:
            self._world.truth.refused[error.code] += 1
        self.hand_over(register, happening)

    def hand_over(self, register: Register, happening: Happening) -> None:
        """Goods for every sale that the journal closed since the last look; a void's come back."""
        with register.journal() as journal:
            after = self._seen.get(register.terminal, 0)
            for stored in journal.views.entries(after):
                body = stored.decode().body
                after += 1
                if isinstance(body, Committed):
                    intent = journal.views.entry(body.intent_seq).decode().body
                    assert isinstance(intent, Intent)
                    self._deliver(register, happening, intent, int(body.intent_seq))
        self._seen[register.terminal] = after

    # ----------------------------------------------------------------------------------------

    @staticmethod
    def _talk(
        register: Register, citizen: Citizen, happening: Happening, slips: int
    ) -> CounterTalk:
        return CounterTalk(register, citizen, Reader(citizen, happening.accidents), slips)

    def _turn(self, happening: Happening, order: Order, talk: CounterTalk) -> bool:
        """One attempt; whether there is no use in another one."""
        counter, refused = talk.register.counter, self._world.truth.refused
        assert counter is not None
        try:
            pay(counter, counter.card(talk.reader.connection), order, talk)
        except Killed:
            die(self._world, happening, talk.register)
            return False
        except (PresenceError, UnsettledError) as error:
            refused[error.code] += 1
            return False
        except CardlibError as error:
            refused[error.code] += 1
            talk.citizen.needs_pin |= isinstance(error, PinBlockedError)
        return True

    def _park(self, register: Register) -> None:
        """The customer goes; the till must serve the next one."""
        assert register.counter is not None
        if register.counter.till.journal.views.open_intent() is not None:
            register.counter.recovery().park()

    def _note(self, reader: Reader) -> None:
        self._world.truth.struck.update(str(item.kind) for item in reader.struck)

    def _deliver(self, register: Register, happening: Happening, intent: Intent, seq: int) -> None:
        sign = -1 if intent.plan.type is SpendType.VOID else 1
        slots = _by_slot((line.slot, sign * line.cents) for line in intent.lines)
        purse = purse_of(intent)
        self._world.truth.deliver(
            Delivery(
                happening=happening.id, at_ms=self._world.time.now_ms, shop=register.shop,
                person=self._world.person_of(purse), purse=purse, terminal=register.terminal,
                seq=seq, cents=sum(cents for _, cents in slots), slots=slots,
            )
        )  # fmt: skip


def _by_slot(lines: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    sums: dict[int, int] = {}
    for slot, cents in lines:
        sums[slot] = sums.get(slot, 0) + cents
    return tuple(sorted(sums.items()))

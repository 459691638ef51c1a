"""The cashier: serves one customer as the till's guide says, whatever the card does.

On an outcome that is not known the card is put back and read again; a debit that did not
arrive is tried again with the PIN; what cannot be decided is parked. Goods go over the
counter when the screen says that they are paid, and the journal must say the same. Where nobody
saw the screen (the till died, or its agent learned the outcome) the journal alone speaks.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from cardlib.codec.purse import SpendType
from cardlib.errors import CardlibError, PinBlockedError, PresenceError
from cardlib.wire.batch_close import BatchClose
from cardlib.wire.entry import INTENT_HASH_SIZE
from cardlib.wire.entry_body import Committed, Intent
from cardlib.wire.money import Money
from simulator.errors import TownError
from simulator.town.actors.by_hand import ByHand
from simulator.town.actors.citizen import Citizen
from simulator.town.actors.counter_talk import CounterTalk
from simulator.town.actors.reader import Reader
from simulator.town.actors.register import Register
from simulator.town.killed import Killed
from simulator.town.mishaps import armed, die
from simulator.town.plan.model import Happening, Mood
from simulator.town.state import Town
from simulator.town.truth import Delivery
from terminal.day_close import close_day, render, totals
from terminal.errors import UnsettledError
from terminal.journal.derived import purse_of
from terminal.journal.views import StoredEntry
from terminal.pay import Order, pay
from terminal.sale.offer import Item

TURNS_MAX = 3
"""How often the card is put back for one customer before the next one is served."""
BEING_RENEWED = "CARD_BEING_RENEWED"


@dataclass(frozen=True, slots=True)
class Cashier:
    """Serves at any till of the town, during one happening."""

    town: Town
    happening: Happening

    def sell(self, register: Register, citizen: Citizen) -> None:
        """A purchase; the vouchers pay what they can."""
        items = tuple(Item(bit, Money(cents)) for bit, cents in self.happening.basket)
        slips = 99 if self.happening.forgets else self.happening.pin_slips
        talk = self._talk(register, citizen, slips)
        self.serve(Order(items, rest_otherwise=True), talk)

    def void(self, register: Register, citizen: Citizen) -> None:
        """The last purchase comes back."""
        talk = self._talk(register, citizen, self.happening.pin_slips)
        self.serve(Order(()), talk)

    def serve(self, order: Order, talk: CounterTalk) -> None:
        """Turn after turn until the customer has paid, was refused, or has to go."""
        register, before = talk.register, len(self.town.truth.deliveries)
        with armed(self.town, self.happening, register):
            for turn in range(TURNS_MAX):
                over = self._turn(order, talk)
                self.hand_over(register, talk)
                if over or len(self.town.truth.deliveries) > before:
                    break
                talk.reader.put_back()
                if turn == TURNS_MAX - 1:
                    self._park(register)
        self._note(talk)

    def settle(self, register: Register, citizen: Citizen) -> None:
        """The card is shown because something is open; nothing is bought."""
        counter, talk = register.counter, self._talk(register, citizen, 0)
        assert counter is not None
        try:
            for found in counter.recovery().settle(counter.card(citizen.line())):
                talk.settled(found)
        except CardlibError as error:
            self.town.truth.refused[error.code] += 1
        self.hand_over(register, talk)

    def close_batch(self, register: Register) -> None:
        """The day's end: what is open is set aside, X is read, Z closes; the drawer agrees."""
        with armed(self.town, self.happening, register):
            try:
                self._park(register)
                self._close(register)
            except Killed:
                die(self.town, self.happening, register)
            except CardlibError as error:
                self.town.truth.refused[error.code] += 1
        self.hand_over(register)

    @staticmethod
    def _close(register: Register) -> None:
        """X, then Z: two readings of one batch."""
        assert register.till is not None
        with register.journal() as journal:
            read = totals(register.till, journal)
        closed, found = close_day(register.till)
        assert read.close == found.close
        assert closed.hash.hex()[:32] in render(found, register.till, "it", closed)

    def hand_over(self, register: Register, talk: CounterTalk | None = None) -> None:
        """Goods for every sale that the journal closed since the last look; a void's come back.

        ``talk``: who saw the screen meanwhile; TownError where that said something else.
        """
        paid = set()
        with register.journal() as journal:
            after = register.looked_at
            for stored in journal.views.entries(after):
                body = stored.decode().body
                after += 1
                if isinstance(body, BatchClose):
                    self._count_drawer(register, body)
                elif isinstance(body, Committed):
                    paid.add(int(body.intent_seq))
                    self._deliver(register, journal.views.entry(body.intent_seq))
        register.looked_at = after
        if talk is not None:
            self._compare(register, talk, paid)

    # ----------------------------------------------------------------------------------------

    def _talk(self, register: Register, citizen: Citizen, slips: int) -> CounterTalk:
        talk = CounterTalk(register, citizen, Reader(citizen, self.happening.accidents), slips)
        if citizen.purse is not None:
            talk.letter = self.town.hall.letters.pins.get(citizen.purse)
            talk.pins_wrong = self.town.declared.pins_wrong[citizen.purse]
        return talk

    def _turn(self, order: Order, talk: CounterTalk) -> bool:
        """One attempt; whether there is no use in another one."""
        counter, refused = talk.register.counter, self.town.truth.refused
        assert counter is not None
        try:
            if self.happening.mood is Mood.PATIENT:
                talk.result(pay(counter, counter.card(talk.reader.connection), order, talk).result)
            else:
                behind = self.town.citizens.get(self.happening.other, talk.citizen)
                ByHand(counter, talk, order, self.happening.mood, behind).serve()
        except Killed:
            die(self.town, self.happening, talk.register)
            talk.died = True
            return False
        except (PresenceError, UnsettledError) as error:
            refused[error.code] += 1
            return False
        except CardlibError as error:
            refused[error.code] += 1
            talk.note_pin(error)
            talk.citizen.needs_pin |= isinstance(error, PinBlockedError)
        return True

    def _park(self, register: Register) -> None:
        """The customer goes; the till must serve the next one."""
        assert register.counter is not None
        if register.counter.till.journal.views.open_intent() is not None:
            register.counter.recovery().park()

    def _compare(self, register: Register, talk: CounterTalk, paid: set[int]) -> None:
        """TownError unless what the screen called paid is what the journal closed as paid."""
        told, talk.told = talk.told, set()
        died, talk.died = talk.died, False
        for seq in sorted(told - paid if died else told ^ paid):
            says, silent = ("screen", "journal") if seq in told else ("journal", "screen")
            raise TownError(
                "TOWN_GOODS_ASTRAY", law=2, seed=self.town.seed, cents=0,
                what=f"the {says} says that it is paid, the {silent} does not",
                subject=f"sale {register.terminal}:{seq}", happening=self.happening.id,
            )  # fmt: skip

    def _count_drawer(self, register: Register, close: BatchClose) -> None:
        """TownError unless Z says what went over the counter since the last one."""
        net = close.sales.cents - close.voids.cents
        given, register.drawer_cents = register.drawer_cents, 0
        if net != given:
            raise TownError(
                "TOWN_GOODS_ASTRAY", law=5, what=f"Z says {net}, goods were {given}",
                seed=self.town.seed, subject=f"terminal {register.terminal}",
                cents=net - given, happening=self.happening.id,
            )  # fmt: skip

    def _note(self, talk: CounterTalk) -> None:
        self.town.truth.struck.update(str(item.kind) for item in talk.reader.struck)
        if talk.citizen.purse is not None:
            self.town.declared.pins_wrong[talk.citizen.purse] = talk.pins_wrong

    def _deliver(self, register: Register, stored: StoredEntry) -> None:
        """Goods for an intent, unless they went already: a till put back may find it out again."""
        intent, truth = stored.decode().body, self.town.truth
        assert isinstance(intent, Intent)
        sale = register.terminal, int(stored.seq), stored.hash[:INTENT_HASH_SIZE]
        sign = -1 if intent.plan.type is SpendType.VOID else 1
        slots = _by_slot((line.slot, sign * line.cents) for line in intent.lines)
        purse = purse_of(intent)
        register.drawer_cents += sum(cents for _, cents in slots)
        if register.forgot and truth.was_delivered(*sale):
            return
        truth.deliver(
            Delivery(
                happening=self.happening.id, at_ms=self.town.time.now_ms, shop=register.shop,
                person=self.town.person_of(purse), purse=purse, terminal=sale[0],
                seq=sale[1], intent=sale[2], cents=sum(cents for _, cents in slots), slots=slots,
            )
        )  # fmt: skip


def _by_slot(lines: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    sums: dict[int, int] = {}
    for slot, cents in lines:
        sums[slot] = sums.get(slot, 0) + cents
    return tuple(sorted(sums.items()))

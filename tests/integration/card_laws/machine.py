"""Random days of two tills, two cards and a town, with tears, shims and restarts.

After every step, with the card's own memory as the judge:

- law 1: every record that a card ever took belongs to exactly one signed intent, which is
  closed as committed or still unsettled; the card's totals are the sum of its records;
- law 3: every grant on a card was signed by the town, and none raises what it ordered;
  totals fall only by a void of the sale before it, by no more than that sale took;
- law 4: an intent whose debit is unknown stays unsettled until something decides it, and
  while it is open the till serves nobody else;
- law 12: what is closed is closed as it was: *committed* is on the card, *not applied* is
  not, nor ever will be, whatever was replayed, forged or held back.
"""

import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cardlib.channel import Channel
from cardlib.codec.pin import Pin
from cardlib.codec.purse import SpendType
from cardlib.connection import CardConnection
from cardlib.dialogues import pin as pin_dialogues
from cardlib.dialogues.volley import Dialogue
from cardlib.errors import CardGoneError, CardlibError, CodedError
from cardlib.keys import records
from cardlib.wire.entry_body import Committed, Intent, NotApplied
from cardlib.wire.money import Money
from simulator.card.masks import GENERIC_T0, WHITE
from simulator.faults import TwoTills
from terminal.errors import UnsettledError
from terminal.journal.derived import IntentState
from terminal.sale.offer import Item
from terminal.sale.session import SaleSession
from terminal.sale.states import State
from terminal.till import Till
from tests.integration.card_laws.readers import FAULTS, HeldBack, StaleRead, Witness, opened
from tests.integration.card_laws.thief import try_everything
from tests.integration.card_laws.town import CATEGORY_OF_SLOT, PurseLedger, opening, run_load
from tests.integration.terminal.stage import PIN, PUK, Customer, Stage

PINS = (PIN, "54321", "24680")
WRONG = "99999"
TERMINALS = (501, 502)
SELECT = bytes.fromhex("00A4080C041200B001")


@dataclass
class Open:
    """A sale that waits at a till, with its reader."""

    sale: SaleSession
    reader: CardConnection
    card: int


@dataclass
class Holder:
    """A card with its page in the books, its PIN, and all records it ever took."""

    ledger: PurseLedger
    pin: str = PIN
    history: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.history.append(bytes(self.ledger.card.spend_file.records[0]))

    def reader(self, fault: str = "none", number: int = 1) -> CardConnection:
        """The card in a reader with that fault."""
        return FAULTS[fault](Witness(self.ledger.card, self.history), self.ledger.card, number)


tills = st.sampled_from(TERMINALS)
cards = st.integers(0, 1)
slots = st.integers(1, 2)
cents = st.sampled_from((1, 50, 9_99, 30_00))
at_the_update = st.sampled_from(
    ["tear before the update", "tear after the update", "half-written", "forged refusal",
     "forged success", "held back", "stale"]
)  # fmt: skip
faults = st.sampled_from(["none"] * 4 + sorted(FAULTS))
numbers = st.integers(1, 12)


class CardLaws(RuleBasedStateMachine):
    """See the module."""

    kinds: ClassVar[tuple[tuple[str, int], ...]] = ((WHITE, 1), (GENERIC_T0, 2))
    """Mask and suite of the two cards."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="laws")
        self.stage = Stage(Path(self._folder.name))
        self.holders = [
            Holder(opening(self.stage, number, mask, suite))
            for number, (mask, suite) in enumerate(self.kinds, 1)
        ]
        self.tills = {number: self.stage.till(number) for number in TERMINALS}
        self.waiting: dict[int, Open] = {}
        self.held: list[HeldBack] = []

    def teardown(self) -> None:
        self.stage.open_tills.close()
        self._folder.cleanup()

    # at a till --------------------------------------------------------------------------------

    @rule(till=tills, card=cards, slot=slots, amount=cents, fault=faults, number=numbers)
    def sale(self, till: int, card: int, slot: int, amount: int, fault: str, number: int) -> None:
        """A customer buys; whatever is unknown afterwards waits at that till."""
        items = [Item(CATEGORY_OF_SLOT[slot], Money(amount))]
        self._sell(till, card, fault, number, lambda sale: sale.basket(items))

    @rule(till=tills, card=cards, fault=at_the_update, number=numbers)
    def sale_of_unknown_outcome(self, till: int, card: int, fault: str, number: int) -> None:
        """A small sale that is hit in its UPDATE."""
        items = [Item(CATEGORY_OF_SLOT[1], Money(10))]
        self._sell(till, card, fault, number, lambda sale: sale.basket(items))

    @rule(till=tills, card=cards)
    def card_comes_back(self, till: int, card: int) -> None:
        """Recovery before a good reader, and a sale after it."""
        self._settle(till, card, "none", 1)
        items = [Item(CATEGORY_OF_SLOT[1], Money(20))]
        self._sell(till, card, "none", 1, lambda sale: sale.basket(items))

    @rule(till=tills, card=cards, fault=faults, number=numbers)
    def void(self, till: int, card: int, fault: str, number: int) -> None:
        """The last sale is taken back, if it may be."""
        self._sell(till, card, fault, number, lambda sale: sale.void())

    @rule(card=cards, amount=cents, own=st.booleans())
    def two_tills_at_once(self, card: int, amount: int, own: bool) -> None:
        """A man in the middle lets one card serve both tills."""
        middle = TwoTills(self.holders[card].reader(), own_challenges=own)
        readers = {till: middle.till() for till in TERMINALS}
        ready: dict[int, SaleSession] = {}
        for till, reader in readers.items():
            with suppress(CodedError):
                ready[till] = self._agreed(
                    till, card, reader, [Item(CATEGORY_OF_SLOT[1], Money(amount))]
                )
        for till, sale in ready.items():
            self._commit(till, card, readers[till], sale)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), put_back=st.booleans(), replay=st.booleans())
    def resolve(self, data: st.DataObject, put_back: bool, replay: bool) -> None:
        """The cashier reads the card again: in the same reader, or in a good one."""
        till = data.draw(st.sampled_from(sorted(self.waiting)))
        open_sale = self.waiting[till]
        if isinstance(open_sale.reader, StaleRead) and replay:
            open_sale.reader.replay()
        card = None
        if put_back:
            reader = self.holders[open_sale.card].reader()
            card = Customer(self.tills[till], reader).card
        with suppress(CardlibError):
            open_sale.sale.resolve(card)
        self._still_waits(till)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), right=st.booleans())
    def retry(self, data: st.DataObject, right: bool) -> None:
        """The same debit again, where that is offered."""
        till = data.draw(st.sampled_from(sorted(self.waiting)))
        open_sale = self.waiting[till]
        pin = self.holders[open_sale.card].pin if right else WRONG
        with suppress(CardlibError):
            open_sale.sale.retry(Pin(pin))
        self._still_waits(till)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), park=st.booleans())
    def leave(self, data: st.DataObject, park: bool) -> None:
        """The customer declines, or has gone."""
        till = data.draw(st.sampled_from(sorted(self.waiting)))
        sale = self.waiting[till].sale
        with suppress(CodedError):
            if park:
                sale.park()
            else:
                sale.give_up()
        self._still_waits(till)

    @rule(till=tills, card=cards, fault=faults, number=numbers)
    def settle(self, till: int, card: int, fault: str, number: int) -> None:
        """Recovery, at start or on the next presentation of a card."""
        self._settle(till, card, fault, number)

    def _settle(self, till: int, card: int, fault: str, number: int) -> None:
        shop = Customer(self.tills[till], self.holders[card].reader(fault, number))
        with suppress(CodedError):
            shop.counter.recovery().settle(shop.card)
        self.waiting.pop(till, None)

    @rule(till=tills)
    def restart(self, till: int) -> None:
        """The till is killed and started again: what was open is in its journal."""
        self.tills[till].close()
        self.tills[till] = self.stage.till(till)
        self.waiting.pop(till, None)

    @rule(till=tills, card=cards)
    def balance(self, till: int, card: int) -> None:
        """What an honest till shows is what the books say."""
        holder = self.holders[card]
        shop = Customer(self.tills[till], holder.reader())
        sale = shop.session()
        try:
            shown = sale.read().wallets
        except UnsettledError:
            return
        spent = holder.ledger.card.newest().spent
        every = shop.card.read_all_wallets().wallets  # whatever a torn load left in the map
        for wallet in (*shown, *every.values()):
            assert wallet.balance.cents == wallet.grant.granted_total - spent[wallet.slot - 1]
            assert wallet.grant.granted_total <= holder.ledger.may_be_granted(wallet.slot)
        for slot, granted in holder.ledger.granted.items():
            assert every[slot].grant.granted_total >= granted
        sale.stop()

    @rule(hours=st.sampled_from((0, 1, 14)))
    def time_passes(self, hours: int) -> None:
        """Two minutes at least."""
        self.stage.clock.sleep(121 + hours * 3600)

    # elsewhere --------------------------------------------------------------------------------

    @rule(card=cards, slot=slots, amount=cents, fault=faults, number=st.integers(1, 25))
    def load(self, card: int, slot: int, amount: int, fault: str, number: int) -> None:
        """A top-up, or the end of one that was torn."""
        holder = self.holders[card]
        with suppress(CodedError):
            reader = holder.reader(fault, number)
            run_load(self.stage, holder.ledger, reader, slot, amount)

    @rule(card=cards, new=st.sampled_from(PINS), wrong=st.booleans())
    def change_pin(self, card: int, new: str, wrong: bool) -> None:
        """The customer changes the PIN, with the old one or without."""
        holder = self.holders[card]
        old = WRONG if wrong else holder.pin
        if self._desk(holder, lambda: pin_dialogues.change(Pin(old), Pin(new))):
            assert not wrong, "a PIN was changed by who did not know it"
            holder.pin = new

    @rule(card=cards, new=st.sampled_from(PINS))
    def unblock(self, card: int, new: str) -> None:
        """The desk sets a new PIN with the PUK."""
        holder = self.holders[card]
        assert self._desk(holder, lambda: pin_dialogues.unblock(Pin(PUK), Pin(new)))
        holder.pin = new

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        """A shim lets through what it held back, late."""
        at = data.draw(st.integers(0, len(self.held) - 1))
        with suppress(CardGoneError):
            self.held[at].release()
        self.held = [shim for shim in self.held if shim.held]

    @rule(card=cards, number=numbers)
    def thief(self, card: int, number: int) -> None:
        """Somebody with the shops' keys and the PIN tries all that would raise value."""
        holder = self.holders[card]
        try_everything(holder.reader(), holder.ledger.card, holder.pin, number)

    # what must hold -----------------------------------------------------------------------------

    @invariant()
    def every_record_has_its_intent(self) -> None:
        """Laws 1, 4 and 12."""
        for holder in self.holders:
            taken, intents = holder.history[1:], self._intents(holder)
            assert len(set(taken)) == len(taken), "a record was taken twice"
            for record in taken:
                assert record in intents, "a debit that no journal knows"
            for record, state in intents.items():
                if state is IntentState.COMMITTED:
                    assert record in taken, "committed, but never on the card"
                elif state not in (IntentState.OPEN, IntentState.UNRESOLVED):
                    assert record not in taken, f"{state}, but it is on the card"

    @invariant()
    def the_card_is_the_sum_of_its_records(self) -> None:
        """Law 1, and the second half of law 3."""
        for holder in self.holders:
            card = holder.ledger.card
            spends = [opened(card, record) for record in holder.history]
            assert card.newest() == spends[-1]
            for before, after in pairwise(spends):
                assert before is not None
                assert after is not None
                assert after.ctr == before.ctr + 1
                falls = [old - new for old, new in zip(before.spent, after.spent, strict=True)]
                if after.type is SpendType.VOID:
                    assert before.terminal == after.terminal
                    assert before.type is SpendType.SALE
                else:
                    assert max(falls) <= 0, "value came back without a void"

    @invariant()
    def no_grant_is_higher_than_ordered(self) -> None:
        """Law 3."""
        for holder in self.holders:
            ledger, card = holder.ledger, holder.ledger.card
            directory = card.card.memory.find((0x1200, 0xB001))
            assert directory is not None
            file = directory.file_by_sfi(2)
            assert file is not None
            for record in file.records:
                signed = records.open_grant(card.keys.debit.record, bytes(record))
                if signed is not None:
                    assert ledger.signed.get(signed.grant.grant_seq) == signed
                    spent = card.newest().spent[signed.grant.slot - 1]
                    assert spent <= ledger.may_be_granted(signed.grant.slot)

    @invariant()
    def nothing_closes_what_is_unknown(self) -> None:
        """Law 4; and law 5: the chains are whole."""
        for number, open_sale in self.waiting.items():
            till = self.tills[number]
            if open_sale.sale.state in (State.UNKNOWN, State.NOT_APPLIED):
                assert till.journal.views.open_intent() is not None
        for till in self.tills.values():
            assert till.journal.check().good

    # --------------------------------------------------------------------------------------------

    def _sell(
        self, till: int, card: int, fault: str, number: int, offer: Callable[[SaleSession], object]
    ) -> None:
        reader = self.holders[card].reader(fault, number)
        open_before = self.tills[till].journal.views.open_intent()
        try:
            sale = self._begun(till, reader)
            assert open_before is None, "a till served somebody while a debit was open"
            offer(sale)
            sale.agree(Pin(self.holders[card].pin))
        except CodedError:
            return
        self._commit(till, card, reader, sale)
        if isinstance(reader, HeldBack) and reader.held:
            self.held.append(reader)

    def _begun(self, till: int, reader: CardConnection) -> SaleSession:
        sale = Customer(self.tills[till], reader).session()
        sale.read()
        return sale

    def _agreed(
        self, till: int, card: int, reader: CardConnection, items: list[Item]
    ) -> SaleSession:
        sale = self._begun(till, reader)
        sale.basket(items)
        sale.agree(Pin(self.holders[card].pin))
        return sale

    def _commit(self, till: int, card: int, reader: CardConnection, sale: SaleSession) -> None:
        try:
            result = sale.commit()
        except CodedError:
            return
        if result.state is State.UNKNOWN:
            self.waiting[till] = Open(sale, reader, card)
        else:
            sale.finish()

    def _still_waits(self, till: int) -> None:
        """A sale that is settled waits no longer."""
        if self.waiting[till].sale.state not in (State.UNKNOWN, State.NOT_APPLIED):
            del self.waiting[till]

    def _desk(self, holder: Holder, dialogue: Callable[[], Dialogue[None]]) -> bool:
        channel = Channel(holder.reader())
        channel.transmit(SELECT)
        try:
            channel.run(dialogue())
        except CardlibError:
            return False
        finally:
            channel.reset()
        return True

    def _intents(self, holder: Holder) -> dict[bytes, IntentState | None]:
        """Every intent about this card: the record it writes, and where it stands."""
        found: dict[bytes, IntentState | None] = {}
        for till in self.tills.values():
            for stored in till.journal.views.entries():
                entry = stored.decode()
                if not isinstance(entry.body, Intent):
                    continue
                if entry.body.info_core == holder.ledger.card.info.core:
                    record = till.module.record_of(entry.complete)
                    found[record] = _stands(till, entry.header.seq)
        return found


def _stands(till: Till, seq: int) -> IntentState | None:
    """By the entry that closed it, not by what the journal derives from it."""
    state = till.journal.views.intent_state(seq)
    closing = till.journal.views.closing(seq)
    if closing is not None:
        body = closing.decode().body
        if isinstance(body, Committed):
            assert state is IntentState.COMMITTED
        elif isinstance(body, NotApplied):
            assert state not in (IntentState.OPEN, IntentState.COMMITTED)
    return state

"""One sale (or void), from the card to the durable entry: the state table at work.

::

    with SaleSession(card, journal, module, clock, risk, terminal, tell) as sale:
        shown = sale.read()                                # CARD_READ
        offer = sale.basket([Item(0, Money(1250))])        # BASKET: show before and after
        sale.agree(pin)                                    # AGREED
        result = sale.commit()                             # CLOSED, or UNKNOWN: then
        result = sale.resolve()                            # ... put the card back, read again
        result = sale.retry(pin)                           # ... NOT_APPLIED: the same debit again
        sale.finish()                                      # after the receipt

Every call may raise what the card raises; ``state`` tells what that means for the
money. Until the intent is durable nothing is written but ``declined``; from then on
``debit`` decides. Leaving the block in UNKNOWN leaves the intent open for recovery.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Self

from cardlib.codec.pin import Pin
from cardlib.codec.purse import SpendType
from cardlib.dialogues.purse_state import PurseState
from cardlib.drivers.purse_card import PurseCard
from cardlib.errors import (
    AuthenticityError,
    CardAnswerError,
    CardlibError,
    MalformedError,
    PinError,
    PinPadError,
    PresenceError,
    PurseRefusedError,
)
from cardlib.keys.module import SecurityModule
from cardlib.ports import Clock
from cardlib.wire.entry import Entry
from cardlib.wire.entry_body import Declined
from cardlib.wire.ids import TerminalNumber
from cardlib.wire.money import ZERO, Money
from terminal.errors import SaleRefusedError, UnsettledError
from terminal.journal.journal import Journal
from terminal.risk import Moment, Risk
from terminal.sale.card_shown import NOT_OF_OURS, CardShown
from terminal.sale.debit import Debit, SaleResult
from terminal.sale.offer import Item, Offer, check_items, make_offer, require_something_paid
from terminal.sale.plan import new_grants, plan_intent
from terminal.sale.states import Event, State, Step, after
from terminal.sale.void import make_void


def _silent(_step: Step) -> None:
    pass


class SaleSession:
    """One customer at the till. ``tell`` hears each step before it begins."""

    def __init__(
        self,
        card: PurseCard,
        journal: Journal,
        module: SecurityModule,
        clock: Clock,
        risk: Risk,
        terminal: TerminalNumber,
        tell: Callable[[Step], None] = _silent,
    ) -> None:
        self._state = State.IDLE
        self._card = card
        self._journal = journal
        self._module = module
        self._clock = clock
        self._risk = risk
        self._terminal = terminal
        self._tell = tell
        self._view: PurseState | None = None
        self._demand: dict[int, int] = {}
        self._offer: Offer | None = None
        self._day = 0
        self._pin_asked = False
        self._debit: Debit | None = None

    @property
    def state(self) -> State:
        """What is true about the money."""
        return self._state if self._debit is None else self._debit.state

    @property
    def pin_needed(self) -> bool:
        """Whether the card that was read demands its PIN for a debit."""
        return self._view is not None and self._view.info.pin_enforced

    @property
    def pin_pad(self) -> bool:
        """Whether the PIN can be typed on the reader."""
        return self.pin_needed and self._card.pin_pad

    def reset_card(self) -> None:
        """Resets the card, or powers one up that was put back."""
        self._card.end()

    # until the intent ---------------------------------------------------------------------

    def read(self) -> CardShown:
        """A fresh read. A card refused by a rule or by a bad MAC leaves a ``declined`` entry.

        UnsettledError ``INTENT_OPEN`` or ``PURSE_UNSETTLED``: recovery comes first.
        """
        waiting = self._journal.views.open_intent()
        if waiting is not None:
            raise UnsettledError("INTENT_OPEN", seq=waiting.seq)
        self._risk.check_till()
        self._journal.reserve_space()
        flags = self._risk.moment().flags
        self._journal.circumstances = replace(self._journal.circumstances, clock_flags=flags)
        self._tell(Step.READING)
        view = self._guarded(self._read_purse)
        self._view = view
        self._move(Event.CARD_GOOD)
        pin_needed = view.info.pin_enforced
        wallets = tuple(view.wallets.values())
        return CardShown(view.info, wallets, pin_needed, pin_needed and self._card.pin_pad)

    def next_purse(self) -> CardShown:
        """The cashier's *next purse*: another town's on the same card, if this till serves one.

        Nothing is written and the amounts begin anew. After the last purse it is the first
        again. A purse that was refused can be passed by so. Errors as :meth:`read`.
        """
        self._require(State.IDLE, State.CARD_READ, State.BASKET)
        if self._debit is not None:  # over, and idle again: another sale is another session
            raise SaleRefusedError("SALE_STEP_WRONG", state=self.state.value)
        self.stop()
        self._card.next_purse()
        return self.read()

    def basket(self, items: Iterable[Item], other: Money = ZERO) -> Offer:
        """What the vouchers pay of ``items``; ``other`` is paid in another way in any case.

        SaleRefusedError when an amount or category cannot be, or nothing can be paid;
        the amounts may then be changed. Nothing is written.
        """
        self._require_view()
        self._demand = check_items(items, (item.bit for item in self._risk.trust.categories))
        if other.cents < 0:
            raise SaleRefusedError("AMOUNT_NOT_POSITIVE", amount=str(other))
        offer = self._make_offer(other)
        if offer.shortfalls and self._completed_view():
            offer = self._make_offer(other)
        require_something_paid(offer)
        return self._show(offer)

    def void(self) -> Offer:
        """Offers to take this till's last sale on the card back, whole."""
        self._require_view()
        self._completed_view()
        return self._show(make_void(self._require_view(), self._terminal, self._journal.views))

    def agree(self, pin: Pin | None = None) -> None:
        """The customer agrees; the PIN goes to the card, which alone judges it.

        A wrong PIN or a card that has gone ends the sale with nothing written. After a
        reset that shows the same records the agreement stands: SaleRefusedError
        ``CARD_RESET`` asks for the PIN again.
        """
        if pin is None:
            self._agree(Step.PIN, None)
        else:
            self._agree(Step.PIN, lambda: self._card.verify_pin(pin))

    def agree_on_pad(self) -> None:
        """The customer agrees and types the PIN on the reader, which may take a minute.

        As :meth:`agree`; after PinPadError what was agreed stands and the PIN is asked again.
        """
        self._agree(Step.PIN_PAD, self._card.verify_pin_on_pad)

    def start_again(self) -> None:
        """After a reset of the card: the agreement stands when it shows the same records.

        Then the PIN is asked again. SaleRefusedError ``CARD_CHANGED`` when it shows others.
        """
        self._require(State.BASKET, State.AGREED)
        before = self._require_view()
        try:
            self._card.end()  # the line may be dead: it is made anew, and a living card reset
            again = self._card.read()
            if before.complete and not again.complete:
                again = self._card.read_all_wallets()
        except CardlibError:
            self.stop()
            raise
        if not again.same_records(before):
            self.stop()
            raise SaleRefusedError("CARD_CHANGED")
        self._view = again
        self._move(Event.RESET_SAME)

    def stop(self) -> None:
        """The customer says no, or goes: nothing is written."""
        if self._debit is None and self._state is not State.IDLE:
            self._move(Event.STOPPED)
        self._card.end()

    # from the intent on: see ``debit`` --------------------------------------------------------

    def commit(self) -> SaleResult:
        """Writes the intent, debits the card, writes the sale.

        Before the intent is durable it raises and nothing has happened. If the debit
        could not even be sent it writes ``not_applied`` and raises. Otherwise it returns.
        """
        self._require(State.AGREED)
        view, offer, now = self._require_view(), self._offer, self._risk.moment()
        assert offer is not None
        self._require_same_day(offer, now)
        intent = plan_intent(view, offer, now.unix, now.day, pin_asked=self._pin_asked)
        self._tell(Step.INTENT)
        entry = self._journal.append(
            *new_grants(view, offer, self._journal.views), intent, purse=view.purse
        )
        self._move(Event.INTENT_DURABLE)
        self._debit = Debit(self._card, self._journal, self._module, self._clock, entry, self._tell)
        return self._debit.send()

    def resolve(self, card: PurseCard | None = None) -> SaleResult:
        """Reads the card afresh and concludes; ``card`` where it had to be opened anew.

        Errors of a card that is not there pass and leave the state as it is.
        """
        self._card = card or self._card
        return self._require_debit().resolve(card)

    def retry(self, pin: Pin | None = None) -> SaleResult:
        """In NOT_APPLIED: the same record bytes again, after a fresh read and the PIN."""
        return self._require_debit().retry(pin)

    def retry_on_pad(self) -> SaleResult:
        """As :meth:`retry`, with the PIN typed on the reader."""
        return self._require_debit().retry_on_pad()

    def give_up(self) -> Entry:
        """In NOT_APPLIED: the customer declines; closed as ``not_applied``."""
        return self._require_debit().give_up()

    def park(self) -> Entry:
        """In UNKNOWN: the customer has gone; set aside, other customers are served."""
        return self._require_debit().park()

    def finish(self) -> None:
        """After the receipt: attested reads that the backend asked for, then the card's reset."""
        if self._debit is not None and self.state is State.CLOSED:
            requests = self._risk.trust.proof_requests(self._require_view().purse)
            self._debit.prove([request.ctr for request in requests])
        self._card.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._card.end()

    # ------------------------------------------------------------------------------------------

    def _read_purse(self) -> PurseState:
        view = self._card.read()
        if not view.wallets and not view.complete:
            view = self._card.read_all_wallets()
        self._risk.check_purse(view)
        return view

    def _guarded(self, read: Callable[[], PurseState]) -> PurseState:
        """``read``; a refusal is noted, and any error ends the dialogue."""
        try:
            return read()
        except CardlibError as error:
            refused = isinstance(error, PurseRefusedError | AuthenticityError)
            if refused and error.code not in NOT_OF_OURS:
                self._journal.append(Declined(code=error.code))
            self._move(Event.CARD_REFUSED if refused else Event.CARD_GONE)
            self._card.end()
            raise

    def _completed_view(self) -> bool:
        """Reads what is missing of the eight grant records; whether anything was."""
        if self._require_view().complete:
            return False
        self._view = self._guarded(self._card.read_all_wallets)
        return True

    def _make_offer(self, other: Money) -> Offer:
        self._day = self._risk.moment().day
        view = self._require_view()
        limit = self._risk.sale_limit_on(view.info)
        return make_offer(view, self._demand, other, self._day, limit)

    def _show(self, offer: Offer) -> Offer:
        self._offer = offer
        self._move(Event.OFFERED)
        return offer

    def _agree(self, step: Step, verify: Callable[[], None] | None) -> None:
        view = self._require_view()
        self._require(State.BASKET)
        if view.info.pin_enforced and verify is None:
            raise SaleRefusedError("PIN_NEEDED")
        self._pin_asked = verify is not None
        if verify is not None:
            self._tell(step)
            self._verify(verify)
        self._move(Event.AGREED)

    def _verify(self, verify: Callable[[], None]) -> None:
        try:
            verify()
        except PinPadError:
            raise
        except PinError:
            self.stop()
            raise
        except (PresenceError, CardAnswerError, MalformedError) as lost:
            self.start_again()
            raise SaleRefusedError("CARD_RESET") from lost

    def _require_same_day(self, offer: Offer, now: Moment) -> None:
        """What was agreed before midnight must still be so after it."""
        if offer.kind is SpendType.VOID or now.day == self._day:
            return
        short = sum(item.amount.cents for item in offer.shortfalls)
        if self._make_offer(offer.other - Money(short)) != offer:
            self.stop()
            raise SaleRefusedError("OFFER_STALE")

    def _require(self, *states: State) -> None:
        if self.state not in states:
            raise SaleRefusedError("SALE_STEP_WRONG", state=self.state.value)

    def _require_view(self) -> PurseState:
        if self._view is None or self._state is State.IDLE:
            raise SaleRefusedError("SALE_STEP_WRONG", state=self.state.value)
        return self._view

    def _require_debit(self) -> Debit:
        if self._debit is None:
            raise SaleRefusedError("SALE_STEP_WRONG", state=self.state.value)
        return self._debit

    def _move(self, event: Event) -> None:
        self._state = after(self._state, event)

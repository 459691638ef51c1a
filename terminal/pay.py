"""One sale without a screen: ``borsellino terminal pay`` (and the demo).

The order of things is the till's: settle what is open, read, show, agree, PIN,
debit, receipt. What a person says or sees goes through :class:`Talk`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from cardlib.drivers.purse_card import PurseCard
from cardlib.errors import CardlibError, PinError, PresenceError, WrongPinError
from cardlib.wire.money import Money
from terminal.counter import Counter
from terminal.errors import SaleRefusedError, UnsettledError
from terminal.pay_pin import PinTalk, give_pin
from terminal.pay_purse import read_purse
from terminal.receipts import Receipt
from terminal.recovery.flow import Settled
from terminal.recovery.table import Verdict
from terminal.sale.card_shown import CardShown
from terminal.sale.debit import SaleResult
from terminal.sale.offer import Item, Offer
from terminal.sale.session import SaleSession
from terminal.sale.states import State, Step
from terminal.trust import BundleTrust

READS_MAX = 3
"""Fresh reads before a sale is left open for the next start."""
PIN_PROMPTS_MAX = 3
PAUSE_S = 1.0


class Talk(PinTalk, Protocol):
    """The cashier and the customer."""

    interactive: bool
    """Whether a PIN can be asked for again."""

    def card(self, shown: CardShown) -> None:
        """What is on the card."""
        ...

    def agree(self, offer: Offer) -> bool:
        """Shows before and after; whether the customer agrees."""
        ...

    def step(self, step: Step) -> None:
        """What is being done."""
        ...

    def settled(self, found: Settled) -> None:
        """What became of an earlier, open sale."""
        ...

    def trouble(self, error: CardlibError) -> None:
        """Something that can be mended: wrong PIN, card to be put back."""
        ...


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be paid. ``items`` empty means: void the last sale on the card.

    ``rest_otherwise``: what the vouchers do not pay is paid in another way. ``park``: an
    open sale of another card is set aside. ``issuer``: the town whose purse pays; None for
    the first one on the card that this till serves.
    """

    items: tuple[Item, ...]
    rest_otherwise: bool = False
    park: bool = False
    issuer: bytes | None = None


@dataclass(frozen=True, slots=True)
class Paid:
    """A finished sale."""

    result: SaleResult
    offer: Offer
    receipt: Receipt


def find_category(trust: BundleTrust, asked: str) -> int:
    """The category of a bit number or of a name in either language, as far as it is unambiguous.

    SaleRefusedError ``CATEGORY_UNKNOWN``.
    """
    if asked.isascii() and asked.isdigit():
        return int(asked)
    word = asked.casefold()
    found = {
        item.bit
        for item in trust.categories
        for name in (item.name_it, item.name_en)
        if name.casefold().startswith(word)
    }
    if len(found) != 1:
        raise SaleRefusedError("CATEGORY_UNKNOWN", category=asked)
    return found.pop()


def pay(counter: Counter, card: PurseCard, order: Order, talk: Talk) -> Paid:
    """Carries one order to its end; raises with the code that says why it did not come to it.

    SaleRefusedError ``SALE_UNKNOWN``: nobody knows yet whether the card was debited; the
    next ``pay`` with that card settles it first.
    """
    counter.risk().check_till()
    _settle_open(counter, card, order, talk)
    with counter.sale(card, talk.step) as sale:
        shown = _read(counter, sale, card, order, talk)
        offer = _agreed(sale, shown, order, talk)
        result = _debited(counter, sale, talk)
        if result.closing is None or not result.goods_are_due:
            raise _failure(result)
        paid = Paid(result, offer, counter.receipt(result.closing))
        sale.finish()
        return paid


def _settle_open(counter: Counter, card: PurseCard, order: Order, talk: Talk) -> None:
    if counter.till.journal.views.open_intent() is None:
        return
    try:
        _settle(counter, card, talk)
    except UnsettledError:
        if not order.park:
            raise
        counter.recovery().park()


def _settle(counter: Counter, card: PurseCard, talk: Talk) -> None:
    for found in counter.recovery().settle(card):
        talk.settled(found)
        if found.conclusion.verdict is Verdict.NOTHING:
            raise UnsettledError("RECOVERY_NO_ANSWER", seq=found.seq)


def _read(
    counter: Counter, sale: SaleSession, card: PurseCard, order: Order, talk: Talk
) -> CardShown:
    read = partial(read_purse, sale, counter.till.trust, order.issuer)
    try:
        shown = read()
    except UnsettledError:
        _settle(counter, card, talk)
        shown = read()
    talk.card(shown)
    return shown


def _read_again(sale: SaleSession, shown: CardShown) -> None:
    """The card that was shown; SaleRefusedError ``CARD_CHANGED`` when it is another one."""
    if sale.read().info.core != shown.info.core:
        sale.stop()
        raise SaleRefusedError("CARD_CHANGED")


def _agreed(sale: SaleSession, shown: CardShown, order: Order, talk: Talk) -> Offer:
    agreed: Offer | None = None
    for _ in range(PIN_PROMPTS_MAX):
        if sale.state is State.IDLE:  # a wrong PIN ended the dialogue: the same order again
            _read_again(sale, shown)
        offer = _offer(sale, order)
        if offer != agreed and not talk.agree(offer):
            break
        agreed = offer
        if _pin_accepted(sale, talk):
            return offer
    sale.stop()
    raise SaleRefusedError("SALE_DECLINED")


def _offer(sale: SaleSession, order: Order) -> Offer:
    if not order.items:
        return sale.void()
    offer = sale.basket(order.items)
    if not order.rest_otherwise:
        offer.require_everything_paid()
    return offer


def _pin_accepted(sale: SaleSession, talk: Talk) -> bool:
    try:
        give_pin(sale, talk, sale.agree_on_pad, sale.agree)
    except WrongPinError as error:
        if not talk.interactive:
            raise
        talk.trouble(error)
        return False
    except SaleRefusedError as error:
        if error.code != "CARD_RESET":
            raise
        talk.trouble(error)
        return False
    return True


def _debited(counter: Counter, sale: SaleSession, talk: Talk) -> SaleResult:
    result = sale.commit()
    for _ in range(READS_MAX):
        if sale.state is State.UNKNOWN:
            result = _tried(sale.resolve, talk) or result
        elif sale.state is State.NOT_APPLIED:
            again = partial(give_pin, sale, talk, sale.retry_on_pad, sale.retry)
            result = _tried(again, talk) or result
        else:
            return result
        if sale.state is State.UNKNOWN:
            counter.till.clock.sleep(PAUSE_S)
            sale.reset_card()
    if sale.state is State.NOT_APPLIED:
        sale.give_up()
        raise SaleRefusedError("RECOVERY_NOT_APPLIED")
    return result


def _tried(read: Callable[[], SaleResult], talk: Talk) -> SaleResult | None:
    try:
        return read()
    except (PresenceError, PinError) as error:
        talk.trouble(error)
        return None


def _failure(result: SaleResult) -> CardlibError:
    if result.state is State.UNKNOWN:
        return UnsettledError("SALE_UNKNOWN", seq=result.intent.header.seq)
    code = result.conclusion.code if result.conclusion else "SALE_REFUSED"
    return SaleRefusedError(code, seq=result.intent.header.seq)


def items_of(amounts: list[Money], categories: list[int]) -> tuple[Item, ...]:
    """One item a pair."""
    pairs = zip(categories, amounts, strict=True)
    return tuple(Item(category, amount) for category, amount in pairs)

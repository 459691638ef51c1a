"""A till is down while its customer buys elsewhere, so often that the card's ring forgets.

The card can no longer tell that till what became of its debit. The backend can, from what the
other till read and wrote over (PROTOCOL 5), and the till learns it from the signed bundle.
"""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from backend.domain.ledger import AccountKind
from backend.services.export.export import write_export
from backend.services.terminals.marks import mark_of_merchant
from backend.verifier.audit import audit
from cardlib.codec.pin import Pin
from cardlib.connection import CardConnection
from cardlib.wire.card_session import SessionOpening
from cardlib.wire.entry_body import Committed, NotApplied
from cardlib.wire.money import Money
from simulator.faults import TearAfter, TearBefore, nth
from terminal.counter import Counter as TillCounter
from terminal.errors import UnsettledError
from terminal.sale.offer import Item
from terminal.sale.states import State
from terminal.till import Till
from tests.town.place import Card, Place, Shop

PRICE, LOADED, RING, UPDATE = 700, 50_00, 20, 0xDC
Tear = Callable[[CardConnection, Callable[[bytes], bool]], CardConnection]


@pytest.fixture
def shop(place: Place) -> Shop:
    return place.shop()


@pytest.fixture
def card(place: Place, shop: Shop) -> Card:
    card = place.card(shop)
    place.order(card, LOADED)
    shop.clock.sleep(130)
    assert shop.session(card, SessionOpening("load", "")).outcome == "LOAD_DONE"
    return card


@pytest.fixture
def elsewhere(place: Place) -> Shop:
    """A till of another merchant."""
    merchants = place.hall.backend.merchants
    place.merchant = merchants.register("Alimentari", "IT60X0542811101000000123456")
    merchants.enable(place.merchant, place.programme)
    return place.shop("elsewhere")


def opened(stack: ExitStack, shop: Shop) -> Till:
    till = shop.load()
    till.take_journal(till.open_journal())
    return stack.enter_context(till)


def killed_while_selling(shop: Shop, card: Card, tear: Tear) -> None:
    with ExitStack() as stack:
        counter = TillCounter(opened(stack, shop))
        sale = stack.enter_context(counter.sale(counter.card(tear(card.line, nth(1, UPDATE)))))
        sale.read()
        sale.basket([Item(0, Money(PRICE))])
        sale.agree(Pin(card.pin))
        assert sale.commit().state is State.UNKNOWN


def meets_again(shop: Shop, card: Card) -> str:
    """The till starts, and the card is put in; what the cashier is told."""
    with ExitStack() as stack:
        counter = TillCounter(opened(stack, shop))
        (settled,) = counter.recovery().settle(counter.card(card.line))
        return settled.conclusion.code


def told(shop: Shop) -> list[str]:
    """The till starts; what it tells the cashier of earlier sales."""
    with ExitStack() as stack:
        return [item.code for item in opened(stack, shop).told]


def last_closing(shop: Shop) -> object:
    with shop.load().read_journal() as journal:
        bodies = [stored.decode().body for stored in journal.views.entries()]
    return next(body for body in reversed(bodies) if isinstance(body, Committed | NotApplied))


@pytest.mark.parametrize("first", ["shop", "elsewhere"])
@pytest.mark.parametrize("tear", [TearAfter, TearBefore])
def test_a_till_learns_what_the_card_could_no_longer_tell(
    place: Place, shop: Shop, card: Card, elsewhere: Shop, tear: Tear, first: str, tmp_path: Path
) -> None:
    applied = tear is TearAfter
    killed_while_selling(shop, card, tear)
    for _ in range(RING + 1):
        elsewhere.sell(card, 10)
    assert meets_again(shop, card) == "RECOVERY_ROLLED_OUT"
    with pytest.raises(UnsettledError, match="PURSE_UNSETTLED"):
        shop.sell(card, 10)
    for one in (shop, elsewhere) if first == "shop" else (elsewhere, shop):
        one.sync_until_done()
    spent = 10 * (RING + 1) + (PRICE if applied else 0)
    assert place.cents(AccountKind.ON_CARD) == LOADED - spent
    shop.sync()
    assert told(shop) == ["TOLD_COMMITTED" if applied else "TOLD_NOT_APPLIED"]
    assert told(shop) == []
    assert isinstance(last_closing(shop), Committed if applied else NotApplied)
    assert shop.sell(card, 10).goods_are_due
    shop.sync_until_done()
    with place.hall.work.read() as unit:
        assert mark_of_merchant(unit, 1).unresolved == ()
        assert unit.verdicts.decided_intents() == []
    assert place.cents(AccountKind.PAYABLE) == spent + 10
    assert place.alarms() == set()
    write_export(place.hall.work, tmp_path, place.time.now_ms // 1000)
    verdict = audit(tmp_path)
    assert verdict.holds, list(verdict.findings)

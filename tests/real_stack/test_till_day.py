"""A till's day over PC/SC: daemon, readers and cards fail in between, and nothing is restarted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cardlib.codec.pin import Pin
from cardlib.monitor import CardIn, CardWatch, Monitor
from cardlib.pcsc import PcscConnection, Search
from cardlib.wire.money import ZERO, Money
from simulator.faults import IdleReset
from simulator.faults.accidents import IDLE_S
from simulator.private_pcscd import DEVICE, PrivatePcscd
from terminal.counter import Counter
from terminal.pay import Order, pay
from terminal.pay_talk import QuietTalk
from terminal.sale.offer import Item
from terminal.ui.messages import (
    CardOut,
    CardRead,
    Ended,
    NotDebited,
    Offered,
    OutcomeUnknown,
    SaleClosed,
)
from tests.integration.terminal.stage import (
    FOOD,
    PIN,
    Stage,
    assert_books,
)
from tests.real_stack.shop import (
    AWAY,
    LIMITS,
    UPDATE,
    VERIFY,
    Customer,
    PatientClock,
    Shop,
    books_hold,
    comes_back,
)
from tests.real_stack.test_reader_service import SilentPeer
from tests.unit.cardlib.readers.heard import Heard

pytestmark = pytest.mark.pcsc


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    with made.open_tills:
        yield made


@pytest.fixture
def shop(stage: Stage, breakable: PrivatePcscd) -> Iterator[Shop]:
    with Monitor() as monitor:
        made = Shop(stage.till(), CardWatch(monitor))
        made.worker.start()
        yield made
        made.worker.close()


@pytest.fixture
def customer(stage: Stage, breakable: PrivatePcscd) -> Iterator[Customer]:
    made = Customer(stage.card(), breakable)
    yield made
    made.snatch()


def test_a_tills_day(shop: Shop, customer: Customer, breakable: PrivatePcscd) -> None:
    customer.insert()
    assert not shop.sell(1_00).recovered
    customer.pull()
    shop.until(CardOut)

    breakable.kill()  # between two customers
    shop.until_trouble("PCSC_MISSING")
    breakable.start()
    shop.until_trouble("")
    customer.insert()
    shop.sell(2_00)

    breakable.kill()  # with the card in, paid
    shop.until(CardOut)
    breakable.start()
    shop.until(CardRead)
    breakable.kill()  # with the card in, read
    assert shop.until(Ended).reason.code == "CARD_GONE"
    breakable.start()
    shop.sell(4_00)
    customer.pull()
    shop.until(CardOut)

    customer.fate.at(VERIFY, breakable.kill)  # in the middle of the dialogue
    customer.insert()
    shop.agree(8_00)
    shop.until(Ended)
    breakable.start()
    shop.sell(8_00)
    customer.pull()
    shop.until(CardOut)

    customer.fate.at(UPDATE, breakable.kill, after=True)  # the debit left, no answer came
    customer.insert()
    shop.agree(16_00)
    shop.until(OutcomeUnknown)
    comes_back(breakable, AWAY)  # and the reader has another name
    assert shop.until(SaleClosed).recovered
    customer.pull()
    shop.until(CardOut)

    customer.fate.at(UPDATE, breakable.kill)  # the debit never reached the card
    customer.insert()
    shop.agree(32_00)
    shop.until(OutcomeUnknown)
    comes_back(breakable)  # and the last reader has gone
    shop.until_trouble("READER_MISSING")
    comes_back(breakable, AWAY, "Secondo lettore")
    shop.until(NotDebited)
    shop.worker.submit(lambda: shop.worker.serving.settling.retry(Pin(PIN)))
    assert not shop.until(SaleClosed).recovered
    books_hold(shop, customer, 1_00, 2_00, 4_00, 8_00, 16_00, 32_00)


def test_a_card_that_falls_silent_and_the_next_customer(
    shop: Shop, customer: Customer, breakable: PrivatePcscd
) -> None:
    peer = SilentPeer(breakable.port, customer.card.card.atr)
    assert shop.until(Ended).reason.code == "READER_SILENT"
    peer.let_go()
    customer.insert()
    shop.sell(1_00)
    books_hold(shop, customer, 1_00)


def test_a_card_that_the_reader_reset_while_people_thought(
    shop: Shop, stage: Stage, customer: Customer
) -> None:
    customer.connection = IdleReset(customer.fate, stage.clock)
    customer.insert()
    shop.until(CardRead)
    items = [Item(FOOD, Money(5_00))]
    shop.worker.submit(lambda: shop.worker.serving.propose(items, ZERO))
    shop.until(Offered)
    stage.clock.sleep(IDLE_S + 1)
    shop.worker.submit(lambda: shop.worker.serving.agree(Pin(PIN)))
    shop.until(Ended)
    shop.sell(5_00)
    books_hold(shop, customer, 5_00)


def test_one_sale_without_a_screen_outlives_the_daemon(
    tmp_path: Path, breakable: PrivatePcscd
) -> None:
    """``borsellino terminal pay``: no answer to the debit, and no service for a moment."""
    stage = Stage(tmp_path, clock=PatientClock())
    with stage.open_tills, Monitor() as monitor:
        customer, counter = Customer(stage.card(), breakable), Counter(stage.till())
        heard = Heard()
        monitor.subscribe(heard.hear)
        customer.insert()
        reader = breakable.reader_name(0)
        heard.until(CardIn(reader, customer.card.card.atr))
        connection = PcscConnection(Search(), LIMITS)
        customer.fate.at(UPDATE, lambda: comes_back(breakable, DEVICE), after=True)
        order = Order((Item(FOOD, Money(7_00)),))
        talk = QuietTalk(
            print, lambda _question: True, lambda: Pin(PIN), counter.till.trust, "it",
            interactive=True,
        )  # fmt: skip
        paid = pay(counter, counter.card(connection), order, talk)
        connection.close()
        customer.snatch()
        assert paid.result.goods_are_due
        assert sum(customer.card.newest().spent) == 7_00
        assert_books(customer.card, counter.till)


def test_a_swap_of_cards_quicker_than_anybody_looks_moves_nobodys_money(
    shop: Shop, stage: Stage, customer: Customer, breakable: PrivatePcscd
) -> None:
    other = Customer(stage.card(number=2), breakable)
    customer.insert()
    shop.until(CardRead)
    shop.propose(5_00)
    shop.until(Offered)
    customer.snatch()
    other.insert()
    shop.type_pin()
    shop.until(Ended)
    assert sum(customer.card.newest().spent) == sum(other.card.newest().spent) == 0
    shop.sell_patiently(3_00)
    other.snatch()
    books_hold(shop, other, 3_00)
    assert_books(customer.card, shop.till)

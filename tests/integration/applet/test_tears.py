"""An applet card torn before, in and after every command; lost answers recovered."""

import pytest

from cardlib.codec.pin import Pin
from cardlib.errors import CardGoneError
from cardlib.wire.entry_body import How
from cardlib.wire.entry_header import EntryType
from cardlib.wire.money import Money
from simulator.card.chip import Tear
from simulator.card.masks import WHITE_APPLET
from simulator.faults import (
    AlteredAnswer,
    MemoryFailure,
    Mute,
    ResetBefore,
    TearAfter,
    TearBefore,
    TearDuring,
    nth,
)
from terminal.recovery.table import Verdict
from terminal.sale.offer import Item
from terminal.sale.session import SaleSession
from terminal.sale.states import State
from tests.integration.applet.test_sale import is_certified
from tests.integration.terminal.stage import (
    FOOD,
    PIN,
    Customer,
    Stage,
    StageCard,
    assert_books,
    codes,
    committed,
)
from tests.integration.terminal.test_sale import refused

DEBIT, VERIFY = 0x54, 0x20
COMMANDS_OF_A_FIRST_SALE = 5


def to_the_commit(shop: Customer) -> SaleSession:
    sale = shop.session()
    sale.read()
    sale.basket([Item(FOOD, Money(12_50))])
    sale.agree(Pin(PIN))
    return sale


@pytest.mark.parametrize("number", range(1, COMMANDS_OF_A_FIRST_SALE + 1))
@pytest.mark.parametrize("kind", [TearBefore, TearAfter])
def test_a_card_pulled_at_any_command_is_settled_when_it_returns(
    stage: Stage, kind: type[TearBefore] | type[TearAfter], number: int
) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    reader = kind(card.plug(), nth(number))
    shop = Customer(till, reader)
    try:
        state = shop.buy(12_50).state
    except CardGoneError:
        state = State.IDLE
    assert state in (State.IDLE, State.UNKNOWN)
    reader.reinsert()
    shop.counter.recovery().settle(shop.card)
    paid = kind is TearAfter and number == COMMANDS_OF_A_FIRST_SALE
    assert card.newest().spent[0] == (12_50 if paid else 0)
    assert_books(card, till)
    assert shop.buy(1_00).goods_are_due
    assert_books(card, till)


@pytest.mark.parametrize("tear", list(Tear))
def test_a_debit_torn_inside_the_chip_leaves_the_old_state_whole(stage: Stage, tear: Tear) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    Customer(till, card.plug()).buy(1_00)
    before = list(card.spend_file.records)
    reader = TearDuring(card.plug(), card.card, nth(1, DEBIT), tear)
    shop = Customer(till, reader)

    assert shop.buy(12_50).state is State.UNKNOWN

    assert card.spend_file.records == before
    reader.reinsert()
    (settled,) = shop.counter.recovery().settle(shop.card)
    assert settled.conclusion.verdict is Verdict.NOT_APPLIED
    assert shop.buy(12_50).goods_are_due
    assert_books(card, till)


def test_a_lost_answer_is_recovered_with_a_certificate_read_afresh(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    reader = TearAfter(card.plug(), nth(1, DEBIT))
    shop = Customer(till, reader)
    sale = to_the_commit(shop)
    assert sale.commit().state is State.UNKNOWN
    with pytest.raises(CardGoneError):
        sale.resolve()
    reader.reinsert()

    assert sale.resolve().goods_are_due

    (entry,) = committed(till)
    assert (entry.how, entry.type) == (How.RECOVERED, EntryType.RECOVERED)
    assert is_certified(card, entry)
    assert_books(card, till)


def test_a_retry_writes_the_same_record_bytes(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    reader = TearBefore(card.plug(), nth(1, DEBIT))
    shop = Customer(till, reader)
    sale = to_the_commit(shop)
    assert sale.commit().state is State.UNKNOWN
    reader.reinsert()
    result = sale.resolve()
    assert result.may_retry
    first = till.module.record_of(result.intent.complete)

    assert sale.retry(Pin(PIN)).goods_are_due

    assert card.spend_file.records[0] == first
    (entry,) = committed(till)
    assert entry.how is How.RETRY
    assert is_certified(card, entry)
    assert_books(card, till)


def test_a_debit_found_under_later_sales_is_recovered_with_its_proof(stage: Stage) -> None:
    card, till, other = stage.card(mask=WHITE_APPLET), stage.till(501), stage.till(502)
    reader = TearAfter(card.plug(), nth(1, DEBIT))
    assert Customer(till, reader).buy(5_00).state is State.UNKNOWN
    for _ in range(3):
        Customer(other, card.plug()).buy(1_00)
    shop = Customer(till, card.plug())

    shop.counter.recovery().settle(shop.card)

    (entry,) = committed(till)
    assert (entry.index, entry.how) == (4, How.RECOVERED)
    assert is_certified(card, entry)
    assert_books(card, till, other)


def test_a_till_killed_after_the_debit_finds_it_when_it_starts_again(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    sale = to_the_commit(Customer(till, TearAfter(card.plug(), nth(1, DEBIT))))
    sale.commit()
    till.close()
    again = stage.till()
    shop = Customer(again, card.plug())

    (settled,) = shop.counter.recovery().settle(shop.card)

    assert settled.conclusion.verdict is Verdict.COMMITTED
    assert_books(card, again)


def test_a_void_torn_after_the_card_acted_is_recovered_as_a_void(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    Customer(till, card.plug()).buy(5_00)
    sale = Customer(till, TearAfter(card.plug(), nth(1, DEBIT))).session()
    sale.read()
    sale.void()
    sale.agree(Pin(PIN))
    assert sale.commit().state is State.UNKNOWN
    shop = Customer(till, card.plug())
    shop.counter.recovery().settle(shop.card)
    assert codes(till)[-1] == "recovered"
    assert card.newest().spent[0] == 0
    assert_books(card, till)


def test_after_a_reset_the_agreement_stands_and_the_pin_is_asked_again(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    shop = Customer(till, ResetBefore(card.plug(), nth(1, VERIFY)))
    sale = shop.session()
    sale.read()
    sale.basket([Item(FOOD, Money(12_50))])
    assert refused(lambda: sale.agree(Pin(PIN))).code == "CARD_RESET"
    sale.agree(Pin(PIN))
    assert sale.commit().goods_are_due
    assert_books(card, till)


def test_a_card_that_falls_silent_or_fails_is_recovered(stage: Stage) -> None:
    for number, fault in enumerate((Mute, MemoryFailure), start=1):
        card, till = stage.card(number=number, mask=WHITE_APPLET), stage.till(500 + number)
        reader = fault(card.plug(), nth(1, DEBIT))
        shop = Customer(till, reader)
        assert shop.buy(12_50).state is State.UNKNOWN
        reader.reset()
        shop.counter.recovery().settle(shop.card)
        assert_books(card, till)


@pytest.mark.parametrize("length", range(0, 18, 3))
def test_a_debits_answer_cut_short_is_no_proof(stage: Stage, length: int) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    reader = AlteredAnswer(card.plug(), nth(1, DEBIT), lambda answer: answer[:length])
    shop = Customer(till, reader)

    assert shop.buy(12_50).state is State.UNKNOWN
    assert settled_as(shop, card) is Verdict.COMMITTED


def test_a_certificate_changed_on_its_way_is_no_proof(stage: Stage) -> None:
    """The answer's MAC covers it: a till that cannot check K_TC still hears that it was changed."""
    card, till = stage.card(mask=WHITE_APPLET), stage.till()

    def changed(answer: bytes) -> bytes:
        return answer[:10] + bytes((answer[10] ^ 1,)) + answer[11:]

    shop = Customer(till, AlteredAnswer(card.plug(), nth(1, DEBIT), changed))

    assert shop.buy(12_50).state is State.UNKNOWN
    assert settled_as(shop, card) is Verdict.COMMITTED
    assert is_certified(card, committed(till)[0])


def settled_as(shop: Customer, card: StageCard) -> Verdict:
    (settled,) = shop.counter.recovery().settle(shop.card)
    assert_books(card, shop.till)
    return settled.conclusion.verdict

"""The card torn before and after every command of a sale; attackers; recovery at the counter."""

import pytest

from cardlib.codec.pin import Pin
from cardlib.errors import CardGoneError, CardlibError
from cardlib.wire.entry_body import How, NotApplied
from cardlib.wire.entry_header import EntryType
from cardlib.wire.money import Money
from simulator.card.chip import Tear
from simulator.faults import (
    AlteredAnswer,
    ForgedMap,
    ForgedStatus,
    HeldBack,
    Mute,
    PinWedge,
    ResetBefore,
    StaleRead,
    TearAfter,
    TearBefore,
    TearDuring,
    TwoTills,
    every,
    nth,
)
from terminal.errors import SaleRefusedError, UnsettledError
from terminal.recovery.table import Verdict
from terminal.sale.offer import Item
from terminal.sale.session import SaleSession
from terminal.sale.states import State
from tests.integration.terminal.stage import (
    FOOD,
    PIN,
    Customer,
    Stage,
    WalletSpec,
    assert_books,
    codes,
    committed,
)
from tests.integration.terminal.test_sale import refused

UPDATE, VERIFY = 0xDC, 0x20
LAST_HARMLESS = 7
"""Commands 1 to 7 come before the UPDATE."""


@pytest.mark.parametrize("number", range(1, 11))
@pytest.mark.parametrize("kind", [TearBefore, TearAfter])
def test_a_card_pulled_at_any_command_is_settled_when_it_returns(
    stage: Stage, kind: type[TearBefore] | type[TearAfter], number: int
) -> None:
    card, till = stage.card(), stage.till()
    reader = kind(card.plug(), nth(number))
    shop = Customer(till, reader)
    try:
        state = shop.buy(12_50).state
    except CardGoneError:
        state = State.IDLE
    debited = card.newest().ctr == 1
    assert debited == (number > 8 or (number == 8 and kind is TearAfter))
    if number <= LAST_HARMLESS:
        assert (state, codes(till)) == (State.IDLE, [])
    elif number == 8:
        assert state is State.UNKNOWN
        assert codes(till) == ["grant_seen", "intent"]
    else:
        assert state is State.CLOSED
        assert committed(till)[0].tc is None
    assert_books(card, till)

    reader.reinsert()
    shop.counter.recovery().settle(shop.card)
    assert not till.journal.views.unsettled()
    last = {True: "recovered" if number == 8 else "sale", False: "not_applied read"}
    if number >= 8:
        assert codes(till)[-1] == last[debited]
    assert shop.buy(1_00).goods_are_due
    assert_books(card, till)


@pytest.mark.parametrize("tear", list(Tear))
def test_a_write_torn_in_the_chip_is_not_applied(stage: Stage, tear: Tear) -> None:
    card, till = stage.card(), stage.till()
    shop = Customer(till, card.plug())
    shop.buy(1_00)
    reader = TearDuring(card.plug(), card.card, nth(1, UPDATE), tear)
    shop = Customer(till, reader)
    assert shop.buy(5_00).state is State.UNKNOWN
    reader.reinsert()
    shop.counter.recovery().settle(shop.card)
    assert codes(till)[-1] in ("not_applied read", "recovered")
    assert shop.buy(2_00).goods_are_due
    assert_books(card, till)


def test_the_same_debit_is_sent_again_with_the_same_bytes(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    reader = TearBefore(card.plug(), nth(1, UPDATE))
    shop = Customer(till, reader)
    sale = shop.session()
    sale.read()
    sale.basket([Item(FOOD, Money(12_50))])
    sale.agree(Pin(PIN))
    result = sale.commit()
    assert result.state is State.UNKNOWN
    with pytest.raises(CardGoneError):
        sale.resolve()
    reader.reinsert()
    result = sale.resolve()
    assert (result.state, result.may_retry) == (State.NOT_APPLIED, True)
    first = till.module.record_of(result.intent.complete)
    assert refused(lambda: sale.retry(None)).code == "PIN_NEEDED"
    assert refused(lambda: sale.retry(Pin("99999"))).code == "PIN_WRONG"
    result = sale.retry(Pin(PIN))
    assert result.state is State.CLOSED
    assert bytes(card.spend_file.records[0]) == first
    (entry,) = committed(till)
    assert (entry.how, entry.type) == (How.RETRY, EntryType.SALE)
    assert codes(till) == ["grant_seen", "intent", "sale"]
    assert_books(card, till)


def unknown_sale(stage: Stage) -> tuple[Customer, TearBefore, SaleSession]:
    card, till = stage.card(), stage.till()
    reader = TearBefore(card.plug(), nth(1, UPDATE))
    shop = Customer(till, reader)
    sale = shop.session()
    sale.read()
    sale.basket([Item(FOOD, Money(12_50))])
    sale.agree(Pin(PIN))
    assert sale.commit().state is State.UNKNOWN
    reader.reinsert()
    return shop, reader, sale


def last_not_applied(shop: Customer) -> NotApplied:
    body = shop.till.journal.views.newest(1)[0].decode().body
    assert isinstance(body, NotApplied)
    return body


def test_a_customer_may_decline_the_retry(stage: Stage) -> None:
    shop, _, sale = unknown_sale(stage)
    assert sale.resolve().may_retry
    sale.give_up()
    assert last_not_applied(shop).code == "declined"


def test_after_two_minutes_there_is_no_retry(stage: Stage) -> None:
    shop, _, sale = unknown_sale(stage)
    stage.clock.sleep(120)
    result = sale.resolve()
    assert (result.state, result.may_retry) == (State.IDLE, False)
    assert last_not_applied(shop).code == "too_late"


def test_after_a_reboot_there_is_no_retry(stage: Stage) -> None:
    shop, _, sale = unknown_sale(stage)
    stage.clock.reboot()
    stage.clock.sleep(10)  # later on the new boot's clock than the intent was on the old one's
    assert sale.resolve().state is State.IDLE
    assert last_not_applied(shop).code == "too_late"


def test_a_debit_that_could_not_even_be_sent_is_closed_at_once(stage: Stage) -> None:
    """The newest record is no longer the one that the module verified in this session."""
    card, till = stage.card(), stage.till()
    shop = Customer(till, card.plug())
    sale = shop.session()
    sale.read()
    sale.basket([Item(FOOD, Money(12_50))])
    sale.agree(Pin(PIN))
    shop.card.end()  # the session is gone: the driver refuses before anything leaves
    with pytest.raises(CardGoneError):
        sale.commit()
    assert sale.state is State.IDLE
    assert last_not_applied(shop).code == "not_sent"
    assert_books(card, till)


# resets ----------------------------------------------------------------------------------------


def test_after_a_reset_the_agreement_stands_and_the_pin_is_asked_again(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    shop = Customer(till, ResetBefore(card.plug(), nth(1, VERIFY)))
    sale = shop.session()
    sale.read()
    sale.basket([Item(FOOD, Money(12_50))])
    assert refused(lambda: sale.agree(Pin(PIN))).code == "CARD_RESET"
    assert sale.state is State.BASKET
    sale.agree(Pin(PIN))
    assert sale.commit().goods_are_due
    assert_books(card, till)


def test_a_reset_noticed_after_the_agreement_asks_for_the_pin_again(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    sale = Customer(till, card.plug()).session()
    sale.read()
    sale.basket([Item(FOOD, Money(12_50))])
    sale.agree(Pin(PIN))
    card.card.reset()
    sale.start_again()
    assert sale.state is State.BASKET
    sale.agree(Pin(PIN))
    assert sale.commit().goods_are_due


def test_after_a_reset_with_other_records_the_sale_ends(stage: Stage) -> None:
    card, till, other = stage.card(), stage.till(501), stage.till(502)
    sale = Customer(till, card.plug()).session()
    sale.read()
    sale.basket([Item(FOOD, Money(12_50))])
    Customer(other, card.plug()).buy(1_00)
    assert refused(lambda: sale.agree(Pin(PIN))).code == "CARD_CHANGED"
    assert (sale.state, codes(till)) == (State.IDLE, [])
    assert_books(card, till, other)


def test_a_card_that_falls_silent_after_the_debit_is_recovered(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    reader = Mute(card.plug(), nth(1, UPDATE))
    shop = Customer(till, reader)
    assert shop.buy(12_50).state is State.UNKNOWN
    reader.reset()
    (found,) = shop.counter.recovery().settle(shop.card)
    assert found.conclusion.verdict is Verdict.COMMITTED
    assert_books(card, till)


# attackers -------------------------------------------------------------------------------------


def test_a_forged_refusal_of_the_debit_deceives_nobody(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    shop = Customer(till, ForgedStatus(card.plug(), nth(1, UPDATE)))
    sale = shop.session()
    sale.read()
    sale.basket([Item(FOOD, Money(12_50))])
    sale.agree(Pin(PIN))
    assert sale.commit().state is State.UNKNOWN
    result = sale.resolve()
    assert result.goods_are_due
    assert codes(till)[-1] == "recovered"
    assert committed(till)[0].tc is not None
    assert_books(card, till)


def test_a_debit_held_back_and_released_later_changes_nothing(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    shim = HeldBack(card.plug(), nth(1, UPDATE))
    shop = Customer(till, shim)
    sale = shop.session()
    sale.read()
    sale.basket([Item(FOOD, Money(12_50))])
    sale.agree(Pin(PIN))
    sale.commit()
    assert sale.resolve().may_retry
    shim.release()
    assert card.newest().ctr == 0
    assert sale.retry(Pin(PIN)).goods_are_due
    assert_books(card, till)


def test_a_debit_released_between_the_read_and_the_retry_is_found(stage: Stage) -> None:
    """Nobody can hold it over a GET CHALLENGE; were it applied, the retry would see it."""
    card, till = stage.card(), stage.till()
    reader = TearAfter(card.plug(), nth(1, UPDATE))
    shop = Customer(till, reader)
    sale = shop.session()
    sale.read()
    sale.basket([Item(FOOD, Money(12_50))])
    sale.agree(Pin(PIN))
    assert sale.commit().state is State.UNKNOWN
    reader.reinsert()
    assert sale.resolve().goods_are_due
    assert len(card.spend_file.records) == 20
    assert card.newest().ctr == 1


def test_stale_answers_are_refused_before_anything_is_decided(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    shim = StaleRead(card.plug())
    shop = Customer(till, shim)
    shop.buy(30_00)
    shim.replay()
    assert refused(lambda: shop.buy(30_00)).code == "CARD_MAC_BAD"
    assert codes(till)[-1] == "declined CARD_MAC_BAD"
    assert_books(card, till)


def test_stale_answers_settle_no_open_debit(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    shim = StaleRead(ForgedStatus(card.plug(), nth(1, UPDATE)))
    shop = Customer(till, shim)
    sale = shop.session()
    sale.read()
    sale.basket([Item(FOOD, Money(12_50))])
    sale.agree(Pin(PIN))
    sale.commit()
    shim.replay()
    result = sale.resolve()
    assert (result.state, result.closing) == (State.UNKNOWN, None)
    assert_books(card, till)
    (settled,) = (
        Customer(till, card.plug()).counter.recovery().settle(Customer(till, card.plug()).card)
    )
    assert settled.conclusion.verdict is Verdict.COMMITTED
    assert_books(card, till)


def test_an_attested_read_of_another_record_proves_nothing(stage: Stage) -> None:
    def other_record(answer: bytes) -> bytes:
        return answer[:20] + bytes((answer[20] ^ 1,)) + answer[21:]

    card, till = stage.card(), stage.till()
    shop = Customer(till, AlteredAnswer(card.plug(), nth(10), other_record))
    assert shop.buy(2_00).goods_are_due
    (entry,) = committed(till)
    assert (entry.tc, entry.how) == (None, How.DIRECT)
    assert entry.record == bytes(card.spend_file.records[0])
    assert_books(card, till)


def test_a_pin_wedge_cannot_make_the_chip_pay(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    shop = Customer(till, PinWedge(card.plug()))
    assert shop.buy(12_50, pin="99999").state is State.UNKNOWN
    assert card.newest().ctr == 0
    shop.counter.recovery().settle(Customer(till, card.plug()).card)
    assert codes(till)[-1] == "not_applied read"
    assert_books(card, till)


def test_one_card_at_two_tills_at_once_pays_one_of_them(stage: Stage) -> None:
    card, first, second = stage.card(), stage.till(501), stage.till(502)
    middle = TwoTills(card.plug())
    sales = [Customer(till, middle.till()).session() for till in (first, second)]
    for sale in sales:
        sale.read()
        sale.basket([Item(FOOD, Money(60_00))])
        sale.agree(Pin(PIN))
    results = [sale.commit().state for sale in sales]
    assert results == [State.CLOSED, State.UNKNOWN]
    shop = Customer(second, card.plug())
    (settled,) = shop.counter.recovery().settle(shop.card)
    assert (settled.conclusion.verdict, settled.conclusion.retry) == (Verdict.NOT_APPLIED, False)
    assert card.newest().spent[0] == 60_00
    assert_books(card, first, second)


def test_two_tills_with_a_challenge_each_take_no_money_twice(stage: Stage) -> None:
    """The second till's challenge replaces the first one's, before either has read."""
    card, first, second = stage.card(), stage.till(501), stage.till(502)
    middle = TwoTills(card.plug(), own_challenges=True)
    sales = [Customer(till, middle.till()).session() for till in (first, second)]
    for sale in sales:
        sale.read()
        sale.basket([Item(FOOD, Money(60_00))])
        sale.agree(Pin(PIN))
    results = [sale.commit().state for sale in sales]
    assert results.count(State.CLOSED) * 60_00 == card.newest().spent[0] <= 60_00
    assert_books(card, first, second)


def test_an_old_grant_shown_by_a_map_bit_revives_nothing(stage: Stage) -> None:
    """The old record was overwritten when it was replaced: the bit points at zeros."""
    card = stage.card(WalletSpec(granted=50_00, grant_seq=2, record=2))
    shop = Customer(stage.till(), ForgedMap(card.plug(), 0b1))
    (wallet,) = shop.session().read().wallets
    assert (wallet.grant.grant_seq, wallet.balance) == (2, Money(50_00))


@pytest.mark.parametrize("record_map", [0b10, 0])
def test_a_map_that_names_no_grant_makes_the_till_read_all_eight(
    stage: Stage, record_map: int
) -> None:
    card = stage.card(WalletSpec(granted=50_00, record=5), record_map=record_map)
    (wallet,) = Customer(stage.till(), card.plug()).session().read().wallets
    assert wallet.balance == Money(50_00)


def test_two_grants_of_one_number_refuse_the_slot(stage: Stage) -> None:
    card = stage.card(WalletSpec(granted=50_00), WalletSpec(granted=90_00))
    sale = Customer(stage.till(), card.plug()).session()
    assert sale.read().wallets == ()
    assert refused(lambda: sale.basket([Item(FOOD, Money(1))])).code == "GRANT_TWICE"


# recovery at the counter -----------------------------------------------------------------------


def test_the_wrong_card_in_recovery_leaves_the_case_open(stage: Stage) -> None:
    shop, _, _ = unknown_sale(stage)
    other = Customer(shop.till, stage.card(number=2).plug())
    assert (
        refused(lambda: other.counter.recovery().settle(other.card)).code == "RECOVERY_WRONG_CARD"
    )
    assert refused(other.session().read).code == "INTENT_OPEN"
    assert shop.till.journal.views.open_intent() is not None


def test_a_parked_case_blocks_its_purse_and_nobody_else(stage: Stage) -> None:
    shop, _, sale = unknown_sale(stage)
    sale.park()
    other_card = stage.card(number=2)
    assert Customer(shop.till, other_card.plug()).buy(3_00).goods_are_due
    assert refused(shop.session().read).code == "PURSE_UNSETTLED"
    (settled,) = shop.counter.recovery().settle(shop.card)
    assert settled.conclusion.verdict is Verdict.NOT_APPLIED
    assert shop.buy(3_00).goods_are_due
    assert "unresolved PARKED" in codes(shop.till)


def test_there_is_nothing_to_park_when_nothing_is_open(stage: Stage) -> None:
    shop = Customer(stage.till(), stage.card().plug())
    assert refused(lambda: shop.counter.recovery().park()).code == "INTENT_NONE"
    assert shop.counter.recovery().settle(shop.card) == []


def test_a_rolled_back_card_in_recovery_is_set_aside_and_stays_so(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    blank = [bytes(record) for record in card.spend_file.records]
    Customer(till, card.plug()).buy(10_00)
    reader = TearAfter(card.plug(), nth(1, UPDATE))
    assert Customer(till, reader).buy(5_00).state is State.UNKNOWN
    card.spend_file.records[:] = blank
    shop = Customer(till, card.plug())
    shop.counter.recovery().settle(shop.card)
    assert codes(till)[-1] == "unresolved RECOVERY_ROLLED_BACK"
    shop.counter.recovery().settle(shop.card)
    assert codes(till).count("unresolved RECOVERY_ROLLED_BACK") == 1
    assert refused(shop.session().read).code == "PURSE_UNSETTLED"


def test_a_debit_found_under_later_sales_is_recovered_with_its_proof(stage: Stage) -> None:
    card, till, other = stage.card(), stage.till(501), stage.till(502)
    reader = TearAfter(card.plug(), nth(1, UPDATE))
    assert Customer(till, reader).buy(5_00).state is State.UNKNOWN
    for _ in range(3):
        Customer(other, card.plug()).buy(1_00)
    shop = Customer(till, card.plug())
    shop.counter.recovery().settle(shop.card)
    (entry,) = committed(till)
    assert (entry.index, entry.how, entry.type) == (4, How.RECOVERED, EntryType.RECOVERED)
    assert entry.tc is not None
    assert shop.buy(1_00).goods_are_due
    assert_books(card, till, other)


def test_a_void_torn_after_the_card_acted_is_recovered_as_a_void(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    Customer(till, card.plug()).buy(5_00)
    shop = Customer(till, TearAfter(card.plug(), nth(1, UPDATE)))
    sale = shop.session()
    sale.read()
    sale.void()
    sale.agree(Pin(PIN))
    assert sale.commit().state is State.UNKNOWN
    shop = Customer(till, card.plug())
    shop.counter.recovery().settle(shop.card)
    assert codes(till)[-1] == "recovered"
    assert card.newest().spent[0] == 0
    assert_books(card, till)


def test_an_answer_that_lies_about_the_update_settles_by_reading(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    shop = Customer(till, ForgedStatus(card.plug(), every(UPDATE), 0x9000))
    assert shop.buy(2_00).state is State.UNKNOWN
    with pytest.raises(UnsettledError):
        shop.session().read()
    with pytest.raises((CardlibError, SaleRefusedError)):
        shop.buy(1_00)
    shop.counter.recovery().settle(shop.card)
    assert_books(card, till)

"""Several towns on one card, six wallets in one purse, and purses at their end."""

from dataclasses import replace
from datetime import date

import pytest

from cardlib.channel import Channel
from cardlib.codec.pin import Pin
from cardlib.codec.purse import SpendType
from cardlib.errors import AuthenticityError, CardGoneError, PurseRefusedError, WrongPinError
from cardlib.wire.money import Money
from simulator.faults import TearAfter, nth
from terminal.errors import SaleRefusedError
from terminal.sale.offer import Item
from terminal.sale.session import SaleSession
from terminal.sale.states import State
from tests.integration.terminal.another_town import (
    OTHER_ISSUER,
    OTHER_PIN,
    second_spent,
    till_of,
    with_another_town,
)
from tests.integration.terminal.stage import (
    FOOD,
    HYGIENE,
    ISSUER,
    MEDICINE,
    PIN,
    TODAY,
    Customer,
    Stage,
    StageCard,
    WalletSpec,
    assert_books,
    blank_spend,
    codes,
)

CTR_LAST = 0xFFFFFF


def balances(sale: SaleSession) -> list[int]:
    return [wallet.balance.cents for wallet in sale.read().wallets]


@pytest.fixture
def first(stage: Stage) -> StageCard:
    return stage.card()


@pytest.fixture
def second(stage: Stage, first: StageCard) -> StageCard:
    return with_another_town(stage, first)


def pay(sale: SaleSession, cents: int, pin: str) -> State:
    sale.basket([Item(FOOD, Money(cents))])
    sale.agree(Pin(pin))
    result = sale.commit()
    sale.finish()
    return result.state


def test_a_till_of_two_towns_takes_the_first_purse_then_the_next(
    stage: Stage, first: StageCard, second: StageCard
) -> None:
    till = till_of(stage, ISSUER, OTHER_ISSUER)
    sale = Customer(till, first.plug()).session()

    assert balances(sale) == [100_00]
    assert [item.balance.cents for item in sale.next_purse().wallets] == [25_00]
    assert pay(sale, 5_00, OTHER_PIN) is State.CLOSED

    assert (first.newest().spent[0], second_spent(second)) == (0, 5_00)
    assert codes(till)[-2:] == ["intent", "sale"]
    assert_books(first, till)


def test_after_the_last_purse_comes_the_first_again(
    stage: Stage, first: StageCard, second: StageCard
) -> None:
    sale = Customer(till_of(stage, ISSUER, OTHER_ISSUER), first.plug()).session()
    issuers = [sale.read().info.issuer, *(sale.next_purse().info.issuer for _ in range(3))]

    assert issuers == [ISSUER, OTHER_ISSUER, ISSUER, OTHER_ISSUER]


def test_a_card_with_one_purse_of_ours_stays_with_it(
    stage: Stage, first: StageCard, second: StageCard
) -> None:
    till = till_of(stage, ISSUER)
    sale = Customer(till, first.plug()).session()
    sale.read()

    assert sale.next_purse().info.issuer == ISSUER
    assert codes(till) == []


def test_a_till_of_the_second_town_alone_passes_the_first_by(
    stage: Stage, first: StageCard, second: StageCard
) -> None:
    sale = Customer(till_of(stage, OTHER_ISSUER), first.plug()).session()

    assert balances(sale) == [25_00]
    assert pay(sale, 25_00, OTHER_PIN) is State.CLOSED
    assert (first.newest().spent[0], second_spent(second)) == (0, 25_00)


def test_a_refused_purse_does_not_keep_the_card_from_the_other_town(
    stage: Stage, first: StageCard, second: StageCard
) -> None:
    stage.install(hotlist=(first.purse,))
    till = till_of(stage, ISSUER, OTHER_ISSUER)
    sale = Customer(till, first.plug()).session()
    with pytest.raises(PurseRefusedError, match="PURSE_HOTLISTED"):
        sale.read()

    assert sale.next_purse().info.issuer == OTHER_ISSUER
    assert pay(sale, 2_00, OTHER_PIN) is State.CLOSED


def test_a_purse_that_answers_with_bad_macs_is_passed_by_too(
    stage: Stage, first: StageCard, second: StageCard
) -> None:
    purse = first.card.memory.find((0x1200, 0xB001))
    assert purse is not None
    purse.keys[3] = bytes(range(16))
    sale = Customer(till_of(stage, ISSUER, OTHER_ISSUER), first.plug()).session()
    with pytest.raises(AuthenticityError, match="CARD_MAC_BAD"):
        sale.read()

    assert sale.next_purse().info.issuer == OTHER_ISSUER


def test_each_purse_has_its_own_pin(stage: Stage, first: StageCard, second: StageCard) -> None:
    sale = Customer(till_of(stage, ISSUER, OTHER_ISSUER), first.plug()).session()
    sale.read()
    sale.next_purse()
    sale.basket([Item(FOOD, Money(100))])

    with pytest.raises(WrongPinError):
        sale.agree(Pin(PIN))
    assert second_spent(second) == 0


def test_a_pin_shown_to_one_purse_opens_no_other(
    stage: Stage, first: StageCard, second: StageCard
) -> None:
    channel = Channel(first.plug())
    for command in ("00A4080C041200B001", "0020009C083132333435FFFFFF", "00A4080C041200B002"):
        assert channel.transmit(bytes.fromhex(command)) == b"\x90\x00"

    assert channel.transmit(bytes.fromhex("0020009C")) == b"\x63\xc3"


def test_after_a_reset_the_chosen_purse_stands(
    stage: Stage, first: StageCard, second: StageCard
) -> None:
    customer = Customer(till_of(stage, ISSUER, OTHER_ISSUER), first.plug())
    sale = customer.session()
    sale.read()
    sale.next_purse()
    sale.basket([Item(FOOD, Money(300))])
    sale.reset_card()
    sale.start_again()
    sale.agree(Pin(OTHER_PIN))

    assert sale.commit().goods_are_due
    assert second_spent(second) == 300


def test_a_card_put_back_within_the_sale_is_asked_about_the_purse_that_was_debited(
    stage: Stage, first: StageCard, second: StageCard
) -> None:
    till = till_of(stage, ISSUER, OTHER_ISSUER)
    torn = Customer(till, TearAfter(first.plug(), nth(1, ins=0xDC)))
    sale = torn.session()
    sale.read()
    sale.next_purse()
    sale.basket([Item(FOOD, Money(700))])
    sale.agree(Pin(OTHER_PIN))
    assert sale.commit().state is State.UNKNOWN

    result = sale.resolve(Customer(till, first.plug()).card)

    assert result.goods_are_due
    assert (first.newest().spent[0], second_spent(second)) == (0, 700)


def test_a_sale_that_was_never_sent_is_not_gone_on_with_in_another_purse(
    stage: Stage, first: StageCard, second: StageCard
) -> None:
    till = till_of(stage, ISSUER, OTHER_ISSUER)
    customer = Customer(till, first.plug())
    sale = customer.session()
    sale.read()
    sale.basket([Item(FOOD, Money(700))])
    sale.agree(Pin(PIN))
    customer.card.end()
    with pytest.raises(CardGoneError):
        sale.commit()

    with pytest.raises(SaleRefusedError, match="SALE_STEP_WRONG"):
        sale.next_purse()
    assert codes(till)[-1].startswith("not_applied")


def test_another_card_with_two_purses_is_still_another_card(
    stage: Stage, first: StageCard, second: StageCard
) -> None:
    till, card = till_of(stage, ISSUER, OTHER_ISSUER), stage.card(number=3)
    sale = Customer(till, TearAfter(card.plug(), nth(1, ins=0xDC))).session()
    sale.read()
    sale.basket([Item(FOOD, Money(700))])
    sale.agree(Pin(PIN))
    assert sale.commit().state is State.UNKNOWN

    result = sale.resolve(Customer(till, first.plug()).card)

    assert result.conclusion is not None
    assert result.conclusion.code == "RECOVERY_WRONG_CARD"
    assert result.state is State.UNKNOWN


def test_a_debit_torn_in_the_second_purse_is_found_out_there(
    stage: Stage, first: StageCard, second: StageCard
) -> None:
    till = till_of(stage, ISSUER, OTHER_ISSUER)
    torn = Customer(till, TearAfter(first.plug(), nth(1, ins=0xDC)))
    sale = torn.session()
    sale.read()
    sale.next_purse()
    sale.basket([Item(FOOD, Money(700))])
    sale.agree(Pin(OTHER_PIN))
    assert sale.commit().state is State.UNKNOWN

    back = Customer(till, first.plug())
    (settled,) = back.counter.recovery().settle(back.card)

    assert str(settled.conclusion.verdict) == "committed"
    assert (first.newest().spent[0], second_spent(second)) == (0, 700)
    assert codes(till)[-1] == "recovered"


def test_a_purse_of_a_newer_kind_does_not_hide_ours(
    stage: Stage, first: StageCard, second: StageCard
) -> None:
    purse = first.card.memory.find((0x1200, 0xB001))
    assert purse is not None
    file = purse.file_by_sfi(1)
    assert file is not None
    file.records[0] = b"\x02" + file.content[1:]

    assert balances(Customer(till_of(stage, OTHER_ISSUER), first.plug()).session()) == [25_00]
    with pytest.raises(PurseRefusedError, match="PURSE_UNKNOWN_VERSION"):
        Customer(till_of(stage, ISSUER, number=503), first.plug()).session().read()


# Six wallets ------------------------------------------------------------------------------


def test_one_sale_takes_from_six_wallets_in_one_write(stage: Stage) -> None:
    kinds = (FOOD, FOOD, HYGIENE, HYGIENE, MEDICINE, MEDICINE)
    card = stage.card(
        *(
            WalletSpec(slot=slot, granted=1000 + slot, categories=(kind,), grant_seq=slot)
            for slot, kind in enumerate(kinds, 1)
        )
    )
    till = stage.till()
    customer = Customer(till, card.plug())
    sale = customer.session()
    assert balances(sale) == [1001, 1002, 1003, 1004, 1005, 1006]
    sale.basket([Item(kind, Money(1500)) for kind in (FOOD, HYGIENE, MEDICINE)])
    sale.agree(Pin(PIN))
    assert sale.commit().goods_are_due
    sale.finish()

    spent = card.newest().spent
    assert sum(spent) == 4500
    assert all(spent)
    assert (card.newest().ctr, card.newest().type) == (1, SpendType.SALE)
    sent = [exchange.command for exchange in customer.trace]
    assert sum(command[1] == 0xDC for command in sent) == 1
    assert sum(command[1] == 0xB2 and command[3] == 0x14 for command in sent) == 6
    assert_books(card, till)


# The end of a purse -----------------------------------------------------------------------


def near_the_end(stage: Stage, ctr: int, spent: int = 0, granted: int = 100_00) -> StageCard:
    newest = replace(
        blank_spend(), type=SpendType.SALE, ctr=ctr, spent=(spent, 0, 0, 0, 0, 0), terminal=502,
        seq=1,
    )  # fmt: skip
    return stage.card(WalletSpec(granted=granted), newest=newest)


def test_the_last_counter_is_used_and_then_nothing_is_written(stage: Stage) -> None:
    card, till = near_the_end(stage, CTR_LAST - 1), stage.till()
    assert Customer(till, card.plug()).buy(500).goods_are_due
    assert card.newest().ctr == CTR_LAST
    before = list(card.spend_file.records)

    with pytest.raises(PurseRefusedError, match="PURSE_FULL"):
        Customer(till, card.plug()).session().read()

    assert card.spend_file.records == before
    assert codes(till)[-1] == "declined PURSE_FULL"


def test_a_wallet_is_spent_up_to_the_largest_total(stage: Stage) -> None:
    card, till = near_the_end(stage, 7, spent=0xFFFFFF - 250, granted=0xFFFFFF), stage.till()
    customer = Customer(till, card.plug())
    assert balances(customer.session()) == [250]
    assert customer.buy(250).goods_are_due
    assert card.newest().spent[0] == 0xFFFFFF

    assert balances(Customer(till, card.plug()).session()) == [0]


@pytest.mark.parametrize(("expiry", "sells"), [(TODAY, True), (date(2026, 9, 20), False)])
def test_a_card_sells_on_its_last_day_and_not_after(
    stage: Stage, expiry: date, sells: bool
) -> None:
    customer = Customer(stage.till(), stage.card(expiry=expiry).plug())
    if sells:
        assert customer.buy(100).goods_are_due
    else:
        with pytest.raises(PurseRefusedError, match="CARD_EXPIRED"):
            customer.session().read()

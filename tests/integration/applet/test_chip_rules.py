"""What the applet's chip refuses to a stolen shop key, and the file card cannot.

Each attack is played twice: the file card takes it (only the backend finds out), the applet
does not.
"""

from collections.abc import Callable

import pytest

from cardlib.codec.applet import DebitOrder, initialise
from cardlib.codec.commands import select_purse
from cardlib.codec.purse import U24_MAX, Spend, SpendType
from cardlib.codec.status import Status
from simulator.card.masks import WHITE, WHITE_APPLET
from tests.integration.applet.thief import Thief
from tests.integration.terminal.stage import Customer, Stage, StageCard, WalletSpec

GRANTED, SPENT = 100_00, 60_00
Forgery = Callable[[Thief], tuple[Spend, dict[int, int]]]
"""The record that the thief wants, and the cents that he would tell an applet."""


def after_a_sale(stage: Stage, mask: str, *, terminal: int = 502) -> StageCard:
    """A card with 100 EUR, of which an honest till has taken 60."""
    card = stage.card(WalletSpec(granted=GRANTED), mask=mask)
    assert Customer(stage.till(terminal, name=mask), card.plug()).buy(SPENT).goods_are_due
    return card


def re_opened(thief: Thief) -> tuple[Spend, dict[int, int]]:
    """Attack 11: spent_total falls back to nothing, disguised as a sale."""
    return thief.with_totals(0), {1: SPENT}


def lowered_a_little(thief: Thief) -> tuple[Spend, dict[int, int]]:
    return thief.with_totals(SPENT - 1), {1: 1}


def overdrawn(thief: Thief) -> tuple[Spend, dict[int, int]]:
    return thief.with_totals(GRANTED + 1), {1: GRANTED + 1 - SPENT}


def from_a_slot_without_grant(thief: Thief) -> tuple[Spend, dict[int, int]]:
    return thief.following(spent=(SPENT, 5, 0, 0, 0, 0)), {2: 5}


def void_of_another_shops_sale(thief: Thief) -> tuple[Spend, dict[int, int]]:
    return thief.with_totals(0, type=SpendType.VOID), {1: SPENT}


def void_above_the_sale(thief: Thief) -> tuple[Spend, dict[int, int]]:
    return thief.with_totals(0, type=SpendType.VOID, terminal=502), {1: SPENT + 1}


def counter_left_out(thief: Thief) -> tuple[Spend, dict[int, int]]:
    spend = thief.with_totals(SPENT + 1)
    return thief.with_totals(SPENT + 1, ctr=spend.ctr + 7), {1: 1}


def inflated_predecessor(thief: Thief) -> tuple[Spend, dict[int, int]]:
    """Attack 10: the record names another one as what it follows."""
    return thief.with_totals(SPENT + 1, prev=b"fake"), {1: 1}


def in_the_backends_name(thief: Thief) -> tuple[Spend, dict[int, int]]:
    """Terminal 0 is the backend's own; nobody's journal is asked about it."""
    return thief.with_totals(SPENT + 1, terminal=0), {1: 1}


def a_sale_of_nothing(thief: Thief) -> tuple[Spend, dict[int, int]]:
    return thief.with_totals(SPENT), {1: 0}


FORGERIES = (
    re_opened, lowered_a_little, overdrawn, from_a_slot_without_grant,
    void_of_another_shops_sale, void_above_the_sale, counter_left_out, inflated_predecessor,
    in_the_backends_name, a_sale_of_nothing,
)  # fmt: skip


@pytest.mark.parametrize("forgery", FORGERIES)
def test_the_file_card_takes_what_a_shop_key_writes(stage: Stage, forgery: Forgery) -> None:
    card = after_a_sale(stage, WHITE)
    thief = Thief(card)
    wanted, _ = forgery(thief)

    assert thief.update_record(wanted) == Status.OK
    assert card.newest() == wanted


@pytest.mark.parametrize("forgery", FORGERIES)
def test_the_applet_does_not(stage: Stage, forgery: Forgery) -> None:
    card = after_a_sale(stage, WHITE_APPLET)
    thief = Thief(card)
    before = list(card.spend_file.records)
    wanted, cents = forgery(thief)

    assert thief.update_record(wanted) == Status.SECURITY_STATUS
    assert thief.debit(wanted, cents).status in (Status.WRONG_DATA, Status.SM_OBJECT_WRONG)
    assert card.spend_file.records == before


def test_what_the_thief_asks_honestly_the_applet_does(stage: Stage) -> None:
    """The refusals above are for what is asked, not for who asks: the key is good."""
    card = after_a_sale(stage, WHITE_APPLET)
    thief = Thief(card)
    wanted = thief.with_totals(SPENT + 5)

    assert thief.debit(wanted, {1: 5}).ok
    assert card.newest() == wanted


def test_without_the_pin_even_a_good_debit_is_refused(stage: Stage) -> None:
    card = after_a_sale(stage, WHITE_APPLET)
    thief = Thief(card)

    answer = thief.debit(thief.with_totals(SPENT + 5), {1: 5}, pin=False)

    assert (answer.status, answer.data) == (Status.SECURITY_STATUS, b"")
    assert card.newest().ctr == 1


@pytest.mark.parametrize("kind", [SpendType.SALE, SpendType.VOID])
def test_who_has_no_keys_learns_no_total_by_asking(stage: Stage, kind: SpendType) -> None:
    """Less or more than was ever spent, or could ever be: the answer is the same."""
    line = after_a_sale(stage, WHITE_APPLET).plug()
    said = set()
    for cents in (1, SPENT, SPENT + 1, U24_MAX - SPENT, U24_MAX):
        line.transmit(bytes(select_purse(0xB001)))
        line.transmit(bytes(initialise(bytes(8))))
        order = DebitOrder(kind, {1: cents}, bytes(8), 502, 1, 0, 0)
        said.add(line.transmit(bytes(order.command(bytes(8)))))

    assert said == {Status.SM_OBJECT_WRONG.to_bytes(2, "big")}


def test_a_stolen_key_takes_back_the_newest_sale_at_most_and_once(stage: Stage) -> None:
    """What remains: the chip knows terminals by the number that the record says."""
    card = after_a_sale(stage, WHITE_APPLET)
    thief = Thief(card)
    Customer(stage.till(503), card.plug()).buy(5_00)
    too_much = thief.with_totals(SPENT - 1, type=SpendType.VOID, terminal=503)
    assert thief.debit(too_much, {1: 5_01}).status == Status.WRONG_DATA
    void = thief.with_totals(SPENT, type=SpendType.VOID, terminal=503)
    assert thief.debit(void, {1: 5_00}).ok
    again = thief.with_totals(0, type=SpendType.VOID, terminal=502)

    assert thief.debit(again, {1: SPENT}).status == Status.WRONG_DATA
    assert card.newest().spent[0] == SPENT


def test_a_sale_from_before_a_load_cannot_be_taken_back(stage: Stage) -> None:
    card = after_a_sale(stage, WHITE_APPLET)
    card.load(stage, WalletSpec(granted=200_00, grant_seq=2, base_spent=SPENT, base_ctr=1))
    thief = Thief(card)
    void = thief.with_totals(0, type=SpendType.VOID, terminal=502)

    assert thief.debit(void, {1: SPENT}).status == Status.WRONG_DATA

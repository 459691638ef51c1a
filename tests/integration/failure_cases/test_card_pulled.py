"""Cases 1 to 8: the card is pulled out, before, in and after the debit."""

import pytest

from cardlib.codec.pin import Pin
from cardlib.errors import CardGoneError
from simulator.card.chip import Tear
from simulator.faults import TearAfter, TearBefore, TearDuring, nth
from terminal.sale.states import State
from tests.integration.failure_cases.scene import (
    MSE,
    PRICE,
    READ_RECORD,
    UPDATE,
    VERIFY,
    Scene,
    shown_code,
)
from tests.integration.terminal.stage import PIN, committed

LOST = [TearBefore, TearAfter]
Pull = type[TearBefore] | type[TearAfter]


@pytest.mark.parametrize("pull", LOST)
@pytest.mark.parametrize("number", range(1, 7))
def test_case_01_pulled_before_the_pin(scene: Scene, pull: Pull, number: int) -> None:
    reader = pull(scene.card.plug(), nth(number))
    assert shown_code(lambda: scene.shown(reader)) == "CARD_GONE"
    assert scene.journal == []
    scene.goes_on(0)


@pytest.mark.parametrize("pull", LOST)
def test_case_02_pulled_after_verify(scene: Scene, pull: Pull) -> None:
    sale = scene.shown(pull(scene.card.plug(), nth(1, VERIFY)))
    assert shown_code(lambda: sale.agree(Pin(PIN))) == "CARD_GONE"
    assert (sale.state, scene.journal) == (State.IDLE, [])
    scene.goes_on(0)


def test_case_02_pulled_when_the_pin_was_right_and_put_back(scene: Scene) -> None:
    """The chip forgot the PIN with its power: it pays nobody until it is asked for again."""
    sale = scene.agreed()
    scene.card.card.reset()
    assert sale.commit().state is State.UNKNOWN
    assert sale.resolve().may_retry
    assert sale.retry(Pin(PIN)).goods_are_due
    scene.goes_on(PRICE)


def test_case_03_pulled_during_the_update_nothing_written(scene: Scene) -> None:
    reader = TearDuring(scene.card.plug(), scene.card.card, nth(1, UPDATE), Tear.NOTHING)
    assert scene.agreed(reader).commit().state is State.UNKNOWN
    scene.holds(0)
    (settled,) = scene.settle()
    assert settled.conclusion.code == "RECOVERY_NOT_APPLIED"
    scene.goes_on(0)


def test_case_03_and_the_customer_stays_so_the_same_debit_is_made(scene: Scene) -> None:
    reader = TearDuring(scene.card.plug(), scene.card.card, nth(1, UPDATE), Tear.NOTHING)
    sale = scene.agreed(reader)
    assert sale.commit().state is State.UNKNOWN
    assert shown_code(sale.resolve) == "CARD_GONE"
    reader.reinsert()
    assert sale.resolve().may_retry
    assert sale.retry(Pin(PIN)).goods_are_due
    assert len(committed(scene.till)) == 1
    scene.goes_on(PRICE)


def test_case_04_pulled_during_the_update_fully_written_no_answer(scene: Scene) -> None:
    sale = scene.agreed(TearAfter(scene.card.plug(), nth(1, UPDATE)))
    assert sale.commit().state is State.UNKNOWN
    scene.holds(PRICE)
    (settled,) = scene.settle()
    assert settled.conclusion.code == "RECOVERY_COMMITTED"
    assert committed(scene.till)[0].tc is not None
    scene.goes_on(PRICE)


@pytest.mark.parametrize("sold_before", [0, 25])
def test_case_05_half_written_record(scene: Scene, sold_before: int) -> None:
    for _ in range(sold_before):
        scene.customer().buy(10)
    reader = TearDuring(scene.card.plug(), scene.card.card, nth(1, UPDATE), Tear.DAMAGED_NEW)
    assert scene.agreed(reader).commit().state is State.UNKNOWN
    scene.holds(sold_before * 10)
    (settled,) = scene.settle()
    assert settled.conclusion.code == "RECOVERY_NOT_APPLIED"
    scene.goes_on(sold_before * 10)


@pytest.mark.parametrize("sold_before", [0, 25])
def test_case_06_pointer_not_moved_but_the_oldest_record_damaged(
    scene: Scene, sold_before: int
) -> None:
    for _ in range(sold_before):
        scene.customer().buy(10)
    reader = TearDuring(scene.card.plug(), scene.card.card, nth(1, UPDATE), Tear.DAMAGED_OLDEST)
    assert scene.agreed(reader).commit().state is State.UNKNOWN
    (settled,) = scene.settle()
    assert settled.conclusion.code == "RECOVERY_NOT_APPLIED"
    scene.goes_on(sold_before * 10)


def test_case_06_pointer_moved_but_the_data_old_in_a_full_ring_is_never_guessed(
    scene: Scene,
) -> None:
    """No chip of ours may do this: #1 shows a record of twenty sales ago. A roll-back, then."""
    for _ in range(25):
        scene.customer().buy(10)
    before = [bytes(record) for record in scene.card.spend_file.records]
    sale = scene.agreed(TearAfter(scene.card.plug(), nth(1, UPDATE)))
    assert sale.commit().state is State.UNKNOWN
    turned = [before[-1], *before[:-1]]
    scene.card.spend_file.records[:] = turned
    (settled,) = scene.settle()
    assert settled.conclusion.code == "RECOVERY_ROLLED_BACK"
    assert shown_code(scene.customer().session().read) == "PURSE_UNSETTLED"
    other = scene.stage.card(number=2)
    Scene(scene.stage, other, scene.till).customer().buy(1_00)
    assert other.newest().spent[0] == 1_00


def test_case_07_pulled_between_the_update_and_the_read_back(scene: Scene) -> None:
    result = scene.agreed(TearBefore(scene.card.plug(), nth(1, MSE))).commit()
    assert result.goods_are_due
    assert committed(scene.till)[0].tc is None
    scene.goes_on(PRICE)


@pytest.mark.parametrize("pull", LOST)
def test_case_08_pulled_during_the_certificate(scene: Scene, pull: Pull) -> None:
    attested_read = 3  # of READ RECORD: EF.SPEND, EF.GRANT, and the attested one
    result = scene.agreed(pull(scene.card.plug(), nth(attested_read, READ_RECORD))).commit()
    assert result.goods_are_due
    assert committed(scene.till)[0].tc is None
    scene.goes_on(PRICE)


def test_case_08_a_card_that_is_gone_ends_the_sale_without_an_error(scene: Scene) -> None:
    reader = TearBefore(scene.card.plug(), nth(1, MSE))
    with scene.agreed(reader) as sale:
        assert sale.commit().goods_are_due
        sale.finish()
    with pytest.raises(CardGoneError):
        reader.reset()
    scene.goes_on(PRICE)

"""The same debit again, on a card that the municipality has changed in between."""

from cardlib.codec.files import EF_INFO
from cardlib.codec.pin import Pin
from cardlib.wire.entry_body import NotApplied, NotAppliedCode
from cardlib.wire.money import Money
from simulator.faults import TearBefore, nth
from terminal.sale.offer import Item
from terminal.sale.states import State
from tests.integration.terminal.stage import FOOD, PIN, Customer, Stage, StageCard, assert_books

UPDATE = 0xDC
EXPIRY = slice(14, 16)


def extend(card: StageCard) -> None:
    """A longer life for the card, as a backend session writes it into EF.INFO."""
    directory = card.card.memory.find((0x1200, 0xB001))
    assert directory is not None
    info = directory.file(EF_INFO.fid)
    assert info is not None
    later = int.from_bytes(info.content[EXPIRY], "big") + 365
    info.records[0] = info.content[:14] + later.to_bytes(2, "big") + info.content[16:]


def test_a_debit_that_was_not_applied_is_over_when_the_card_has_another_info_core(
    stage: Stage,
) -> None:
    till, card = stage.till(), stage.card()
    sale = Customer(till, TearBefore(card.plug(), nth(1, UPDATE))).session()
    sale.read()
    sale.basket([Item(FOOD, Money(5_00))])
    sale.agree(Pin(PIN))
    assert sale.commit().state is State.UNKNOWN
    extend(card)

    result = sale.resolve(Customer(till, card.plug()).card)

    assert (result.state, result.may_retry) == (State.IDLE, False)
    assert result.closing is not None
    assert isinstance(result.closing.body, NotApplied)
    assert result.closing.body.code is NotAppliedCode.READ
    assert_books(card, till)

"""An applet card in one slot, a module card in the other: the chip and the module both refuse."""

from contextlib import suppress

import pytest

from cardlib.codec.apdu import Response
from cardlib.codec.pin import Pin
from cardlib.errors import (
    AuthenticityError,
    CardlibError,
    ModuleRefusedError,
    PurseRefusedError,
)
from cardlib.keys.module import AppletModule
from cardlib.wire.entry_body import How
from cardlib.wire.money import Money
from simulator.card.masks import WHITE_APPLET
from simulator.faults import AlteredAnswer, Replayed, TearAfter, TearBefore, nth, since
from simulator.module_card.memory import Allowance
from terminal.sale.offer import Item
from terminal.sale.states import State
from tests.integration.applet.test_sale import BYTES, COMMANDS, is_certified, size
from tests.integration.terminal.stage import (
    FOOD,
    PIN,
    Customer,
    Stage,
    assert_books,
    committed,
)
from tests.integration.terminal.test_card_module import module_in, plugged, till_with
from tests.integration.terminal.test_sale import refused

INITIALISE, DEBIT = 0x50, 0x54
COMMANDS_OF_THE_MODULE = 11


def test_a_sale_is_the_same_four_commands_with_either_module(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), till_with(stage, plugged(stage))
    assert isinstance(till.module, AppletModule)
    shop = Customer(till, card.plug())
    shop.buy(1_00)
    shop.trace.clear()

    assert shop.buy(12_50).goods_are_due

    assert (len(shop.trace), size(shop.trace)) == (COMMANDS, BYTES)
    assert all(is_certified(card, entry) for entry in committed(till))
    assert card.spend_file.records[0] == committed(till)[-1].record
    assert_books(card, till)


def test_a_void_takes_the_last_sale_back(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), till_with(stage, plugged(stage))
    shop = Customer(till, card.plug())
    shop.buy(12_50)
    sale = shop.session()
    sale.read()
    sale.void()
    sale.agree(Pin(PIN))

    assert sale.commit().goods_are_due
    assert card.newest().spent[0] == 0


def test_the_modules_quota_counts_debits_of_applet_cards(stage: Stage) -> None:
    allowance = Allowance(1, bytes(32), debits_max=1, cents_max=100_00, ceiling=0)
    card, till = stage.card(mask=WHITE_APPLET), till_with(stage, plugged(stage, allowance))
    shop = Customer(till, card.plug())
    assert shop.buy(12_50).goods_are_due

    with pytest.raises(ModuleRefusedError, match="QUOTA_USED_UP"):
        shop.buy(1_00)

    assert card.newest().ctr == 1
    assert_books(card, till)


def test_an_old_state_is_refused_by_the_module(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), till_with(stage, plugged(stage))
    shop = Customer(till, Replayed(card.plug(), since(nth(2, INITIALISE))))
    shop.buy(12_50)

    assert refused(lambda: shop.buy(1_00)).code == "CARD_MAC_BAD"


def test_a_changed_certificate_is_no_proof(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), till_with(stage, plugged(stage))

    def changed(answer: bytes) -> bytes:
        return answer[:10] + bytes((answer[10] ^ 1,)) + answer[11:]

    shop = Customer(till, AlteredAnswer(card.plug(), nth(1, DEBIT), changed))

    assert shop.buy(12_50).state is State.UNKNOWN


@pytest.mark.parametrize("kind", [TearBefore, TearAfter])
def test_a_torn_debit_is_settled(stage: Stage, kind: type[TearBefore] | type[TearAfter]) -> None:
    card, till = stage.card(mask=WHITE_APPLET), till_with(stage, plugged(stage))
    reader = kind(card.plug(), nth(1, DEBIT))
    shop = Customer(till, reader)
    sale = shop.session()
    sale.read()
    sale.basket([Item(FOOD, Money(12_50))])
    sale.agree(Pin(PIN))
    assert sale.commit().state is State.UNKNOWN
    reader.reinsert()
    result = sale.resolve()
    if kind is TearBefore:
        result = sale.retry(Pin(PIN))

    assert result.goods_are_due
    assert committed(till)[0].how is (How.RETRY if kind is TearBefore else How.RECOVERED)
    assert_books(card, till)


@pytest.mark.parametrize("acts", [False, True])
@pytest.mark.parametrize("number", range(1, COMMANDS_OF_THE_MODULE + 1))
def test_a_module_pulled_at_any_command_leaves_money_that_recovery_settles(
    stage: Stage, number: int, *, acts: bool
) -> None:
    card, slot = stage.card(mask=WHITE_APPLET), plugged(stage)
    till = till_with(stage, slot)
    shop = Customer(till, card.plug())
    shop.buy(1_00)
    slot.pull_at, slot.acts = number, acts
    with suppress(CardlibError):
        shop.buy(12_50)
    assert slot.away
    slot.put_back()

    shop = Customer(till, card.plug())
    shop.counter.recovery().settle(shop.card)

    assert_books(card, till)
    assert shop.buy(1_00).goods_are_due


# the rule, on the module -------------------------------------------------------------------------


def test_a_random_serves_one_answer(stage: Stage) -> None:
    card, module = stage.card(mask=WHITE_APPLET), module_in(plugged(stage))
    line = card.plug()
    line.transmit(bytes.fromhex("00A4080C041200B001"))
    session = module.initialise()
    answer = Response.decode(line.transmit(b"\x80\x50\x00\x00\x08" + session.random + b"\x00"))
    session.open_state(answer)

    with pytest.raises(ModuleRefusedError):
        session.open_state(answer)


def test_a_purse_that_is_not_served_is_said_to_be_so(stage: Stage) -> None:
    card, module = stage.card(mask=WHITE_APPLET), module_in(plugged(stage))
    session = module.initialise()
    foreign = bytearray(63)
    foreign[:16] = bytes(card.info)[1:]
    foreign[8:11] = bytes.fromhex("099999")

    with pytest.raises(PurseRefusedError, match="PURSE_NOT_SERVED"):
        session.open_state(Response(bytes(foreign), 0x9000))


def test_what_carries_no_good_mac_opens_nothing(stage: Stage) -> None:
    card, module = stage.card(mask=WHITE_APPLET), module_in(plugged(stage))
    session = module.initialise()

    with pytest.raises(AuthenticityError, match="CARD_MAC_BAD"):
        session.open_state(Response(bytes(card.info)[1:] + bytes(47), 0x9000))

"""Sales whose PIN is typed on the reader: nothing in this computer ever holds it."""

import json
from collections.abc import Iterable
from datetime import date

import pytest

from cardlib.codec.pin import Pin
from cardlib.connection import CardConnection
from cardlib.errors import CardGoneError, PinPadError, WrongPinError
from cardlib.wire.entry_body import Intent
from cardlib.wire.money import Money
from simulator.faults import ResetBefore, nth
from simulator.pin_pad import CANCELS, WAITS, Act, KeypadReader, types
from terminal.pay import Order, Paid, pay
from terminal.sale.offer import Item
from terminal.sale.states import State, Step
from tests.integration.terminal.stage import (
    FOOD,
    PIN,
    Customer,
    Stage,
    WalletSpec,
    assert_books,
    codes,
)
from tests.integration.terminal.test_pay import Enrolled, Script, enrolled, run
from tests.integration.terminal.test_sale import refused

UPDATE = 0xDC
__all__ = ["enrolled"]
NO_PIN = bytes.fromhex("FFFFFFFFFFFFFFFF")


class Wire(KeypadReader):
    """Keeps every byte that leaves the computer, for the card or for the reader."""

    def __init__(self, inner: CardConnection, finger: Iterable[Act]) -> None:
        super().__init__(inner, finger)
        self.sent: list[bytes] = []

    def transmit(self, apdu: bytes) -> bytes:
        self.sent.append(apdu)
        return super().transmit(apdu)

    def control(self, code: int, data: bytes) -> bytes:
        self.sent.append(data)
        return super().control(code, data)


class AtTheKeypad(Script):
    """The cashier decides ``again`` each time the keypad fails."""

    def __init__(self, *again: bool) -> None:
        super().__init__()
        self.again = list(again)
        self.typed_here = 0

    def pin(self) -> Pin:
        self.typed_here += 1
        return super().pin()

    def pad_failed(self, error: PinPadError) -> bool:
        self.told.append(error.code)
        if not self.again:
            raise error
        return self.again.pop(0)


def bought(shop: Customer, script: Script) -> Paid:
    return pay(shop.counter, shop.card, Order((Item(FOOD, Money(5_00)),)), script)


def test_a_whole_sale_without_a_pin_in_the_computer(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, till = stage.card(), stage.till()
    reader = Wire(card.plug(), [types(PIN)])
    monkeypatch.setattr(Pin, "__init__", lambda *_: pytest.fail("a PIN was made here"))
    shop = Customer(till, reader)
    assert bought(shop, AtTheKeypad()).result.goods_are_due
    assert not any(PIN.encode() in sent for sent in reader.sent)
    assert sum(NO_PIN in sent for sent in reader.sent) == 1, "one blank for the reader to fill in"
    intent = next(
        body for stored in till.journal.views.entries()
        if isinstance(body := stored.decode().body, Intent)
    )  # fmt: skip
    assert intent.pin_asked
    assert_books(card, till)


def test_a_sale_on_the_keypad_takes_ten_commands_too(stage: Stage) -> None:
    typed = Customer(stage.till(), stage.card().plug())
    typed.buy(5_00)
    keyed = Customer(stage.till(503), KeypadReader(stage.card(number=2).plug(), [types(PIN)]))
    sale = keyed.session()
    assert sale.read().pin_pad
    sale.basket([Item(FOOD, Money(5_00))])
    sale.agree_on_pad()
    sale.commit()
    sale.finish()
    assert [item.name for item in keyed.trace] == [item.name for item in typed.trace]
    assert sum(item.size for item in keyed.trace) == sum(item.size for item in typed.trace)
    assert Step.PIN_PAD in keyed.steps
    assert Step.PIN not in keyed.steps


@pytest.mark.parametrize(
    ("act", "code"), [(CANCELS, "PIN_PAD_CANCELLED"), (WAITS, "PIN_PAD_TIMEOUT")]
)
def test_a_keypad_that_gave_no_pin_leaves_the_agreement(stage: Stage, act: Act, code: str) -> None:
    card, till = stage.card(), stage.till()
    reader = KeypadReader(card.plug(), [act, types(PIN)])
    script = AtTheKeypad(True)
    assert bought(Customer(till, reader), script).result.goods_are_due
    assert script.told.count("agree 5.00 EUR") == 1
    assert code in script.told
    assert script.typed_here == 0
    assert_books(card, till)


def test_only_the_cashier_decides_that_the_pin_is_typed_here(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    script = AtTheKeypad(False)
    reader = KeypadReader(card.plug(), [WAITS])
    assert bought(Customer(till, reader), script).result.goods_are_due
    assert (reader.asked, script.typed_here) == (1, 1)


def test_where_nobody_can_be_asked_the_sale_ends_with_nothing_written(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    reader = KeypadReader(card.plug(), [CANCELS])
    assert refused(lambda: bought(Customer(till, reader), AtTheKeypad())).code == (
        "PIN_PAD_CANCELLED"
    )
    assert codes(till) == []


def test_a_wrong_pin_on_the_keypad_ends_the_dialogue_like_any_other(stage: Stage) -> None:
    shop = Customer(stage.till(), KeypadReader(stage.card().plug(), [types("99999")]))
    sale = shop.session()
    sale.read()
    sale.basket([Item(FOOD, Money(5_00))])
    assert isinstance(refused(sale.agree_on_pad), WrongPinError)
    assert sale.state is State.IDLE


def test_a_reader_that_dies_while_the_pin_is_typed_is_no_wrong_pin(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, till = stage.card(), stage.till()
    shop = Customer(till, KeypadReader(card.plug(), [types(PIN)]))
    sale = shop.session()
    sale.read()
    sale.basket([Item(FOOD, Money(5_00))])
    with monkeypatch.context() as gone:
        gone.setattr(KeypadReader, "_collect", _dead)
        assert refused(sale.agree_on_pad).code == "CARD_RESET"
    sale.agree_on_pad()  # the same records: the agreement stands
    assert sale.commit().goods_are_due
    assert_books(card, till)


def test_the_same_debit_again_asks_the_keypad_again(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    reader = KeypadReader(ResetBefore(card.plug(), nth(1, UPDATE)), [types(PIN), types(PIN)])
    script = AtTheKeypad()
    assert bought(Customer(till, reader), script).result.goods_are_due
    assert (reader.asked, script.typed_here) == (2, 0)
    assert_books(card, till)


def _dead(*_: object) -> bytes:
    raise CardGoneError


def test_pay_on_the_command_line_asks_for_no_pin_where_the_reader_has_a_keypad(
    stage: Stage, enrolled: Enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = stage.card(WalletSpec(valid_to=date(2099, 12, 31)), expiry=date(2099, 12, 31))
    reader = KeypadReader(card.plug(), [types(PIN)])
    monkeypatch.setattr("terminal.commands.paying.open_connection", lambda **_: reader)
    monkeypatch.setattr(
        "terminal.commands.paying.read_pin", lambda *_: pytest.fail("a PIN was asked for")
    )
    status, out, error = run(
        enrolled, "pay", "--amount", "5,00", "--category", "food", "--yes", "--json"
    )
    assert status == 0, error
    told = json.loads(out)
    assert (told["total_cents"], told["commands"], told["bytes"]) == (5_00, 10, 438)


def test_the_cashier_may_keep_to_the_keyboard(
    stage: Stage, enrolled: Enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = stage.card(WalletSpec(valid_to=date(2099, 12, 31)), number=2, expiry=date(2099, 12, 31))
    reader = KeypadReader(card.plug(), [types(PIN)])
    monkeypatch.setattr("terminal.commands.paying.open_connection", lambda **_: reader)
    monkeypatch.setattr("terminal.commands.paying.read_pin", lambda *_: Pin(PIN))
    status, _, error = run(
        enrolled, "pay", "--amount", "5,00", "--category", "food", "--yes", "--no-keypad"
    )
    assert status == 0, error
    assert reader.asked == 0

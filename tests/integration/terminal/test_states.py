"""Every way in the table of a sale's states is walked, and no other exists."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from cardlib.codec.pin import Pin
from cardlib.connection import CardConnection
from cardlib.drivers.file_card import FileCard
from cardlib.errors import CardlibError
from cardlib.keys.records import seal_spend
from cardlib.wire.money import Money
from simulator.faults import (
    AlteredAnswer,
    ForgedStatus,
    Shim,
    TearAfter,
    TearBefore,
    every,
    nth,
)
from terminal.sale import states
from terminal.sale.offer import Item
from terminal.sale.session import SaleSession
from terminal.sale.states import Event, State
from tests.integration.terminal.stage import (
    FOOD,
    HYGIENE,
    MEDICINE,
    PIN,
    Customer,
    Stage,
    StageCard,
    WalletSpec,
    assert_books,
    blank_spend,
)

UPDATE, VERIFY, READ = 0xDC, 0x20, 0xB2


class Walked(dict[tuple[State, Event], State]):
    """The table, and which of its ways were walked."""

    def __init__(self) -> None:
        super().__init__(states.TRANSITIONS)
        self.ways: set[tuple[State, Event]] = set()

    def __getitem__(self, way: tuple[State, Event]) -> State:
        self.ways.add(way)
        return super().__getitem__(way)


class Sight:
    """Stage, one card and one till a scenario."""

    def __init__(self, stage: Stage, number: int) -> None:
        self.stage = stage
        self.card: StageCard = stage.card(
            WalletSpec(1, categories=(FOOD,)),
            WalletSpec(2, categories=(HYGIENE,), grant_seq=2, record=5),
            record_map=0b1,
            number=number,
        )
        self.till = stage.till(600 + number)

    def sale(self, connection: CardConnection | None = None) -> SaleSession:
        self.shop = Customer(self.till, connection or self.card.plug())
        return self.shop.session()

    def basket(self, connection: CardConnection | None = None) -> SaleSession:
        sale = self.sale(connection)
        sale.read()
        sale.basket([Item(FOOD, Money(2_00))])
        return sale

    def unknown(self, connection: CardConnection) -> SaleSession:
        sale = self.basket(connection)
        sale.agree(Pin(PIN))
        assert sale.commit().state is State.UNKNOWN
        return sale

    def not_applied(self) -> SaleSession:
        reader = TearBefore(self.card.plug(), nth(1, UPDATE))
        sale = self.unknown(reader)
        reader.reinsert()
        sale.resolve()
        assert sale.state is State.NOT_APPLIED
        return sale

    def blank(self) -> None:
        """Somebody puts back an older, or another, state of the card."""
        other = replace(blank_spend(), intent_hash=bytes(8))
        self.card.spend_file.records[0] = seal_spend(self.card.keys.debit.record, other)


def quietly(call: Callable[[], object]) -> None:
    with pytest.raises(CardlibError):
        call()


def spoiled(answer: bytes) -> bytes:
    """The last byte of the MAC changed."""
    return answer[:-3] + bytes((answer[-3] ^ 1,)) + answer[-2:]


def before_the_intent(sight: Sight) -> None:
    quietly(sight.sale(TearBefore(sight.card.plug(), nth(1))).read)
    quietly(sight.sale(AlteredAnswer(sight.card.plug(), nth(5), spoiled)).read)
    sale = sight.sale()
    sale.read()
    sale.stop()
    asks_for_more = [Item(MEDICINE, Money(1))]
    for spoil in (
        TearBefore(sight.card.plug(), nth(7)),
        AlteredAnswer(sight.card.plug(), nth(7), spoiled),
    ):
        sale = sight.sale(spoil)
        sale.read()
        quietly(partial(sale.basket, asks_for_more))
        if isinstance(spoil, TearBefore):
            spoil.reinsert()
    for spoil in (
        TearBefore(sight.card.plug(), nth(7)),
        AlteredAnswer(sight.card.plug(), nth(7), spoiled),
    ):
        sale = sight.basket(spoil)
        sale.basket([Item(FOOD, Money(3_00))])
        quietly(partial(sale.basket, asks_for_more))
        if isinstance(spoil, TearBefore):
            spoil.reinsert()
    quietly(lambda: sight.basket().agree(Pin("99999")))
    sale = sight.basket()
    sale.agree(Pin(PIN))
    sight.card.card.reset()
    sale.start_again()
    quietly(lambda: _reset_then_agree(sight, sale))
    sale.agree(Pin(PIN))
    sale.stop()


def _reset_then_agree(sight: Sight, sale: SaleSession) -> None:
    sight.card.card.reset()
    sale.agree(Pin(PIN))


def straight_through(sight: Sight) -> None:
    sale = sight.basket()
    sale.agree(Pin(PIN))
    assert sale.commit().goods_are_due


def never_sent(sight: Sight) -> None:
    sale = sight.basket()
    sale.agree(Pin(PIN))
    sight.shop.card.end()
    quietly(sale.commit)


def recovered_at_once(sight: Sight) -> None:
    sale = sight.unknown(ForgedStatus(sight.card.plug(), nth(1, UPDATE)))
    assert sale.resolve().goods_are_due


def nothing_heard_then_parked(sight: Sight) -> None:
    class Deaf(Shim):
        deaf = False

        def transmit(self, apdu: bytes) -> bytes:
            return b"\x6f\x00" if self.deaf and apdu[1] == READ else super().transmit(apdu)

    shim = Deaf(TearAfter(sight.card.plug(), nth(99)))
    sale = sight.unknown(ForgedStatus(shim, every(UPDATE)))
    shim.deaf = True
    assert sale.resolve().state is State.UNKNOWN
    sale.park()


def unresolved(sight: Sight) -> None:
    sale = sight.unknown(ForgedStatus(sight.card.plug(), nth(1, UPDATE)))
    sight.blank()
    assert sale.resolve().state is State.UNRESOLVED


def retried(sight: Sight) -> None:
    assert sight.not_applied().retry(Pin(PIN)).goods_are_due


def given_up(sight: Sight) -> None:
    sight.not_applied().give_up()


def changed_before_the_retry(sight: Sight) -> None:
    sale = sight.not_applied()
    record = sight.till.module.record_of(sight.till.journal.views.newest(1)[0].complete)
    sight.card.spend_file.records.insert(0, record)
    sight.card.spend_file.records.pop()
    assert sale.retry(Pin(PIN)).goods_are_due


def rolled_back_before_the_retry(sight: Sight) -> None:
    sale = sight.not_applied()
    sight.blank()
    assert sale.retry(Pin(PIN)).state is State.UNRESOLVED


def gone_before_the_retry(sight: Sight) -> None:
    sale = sight.not_applied()
    other = sight.stage.card(number=90)
    card = sight.shop.card
    assert isinstance(card, FileCard)
    card._channel._connection = other.plug()
    assert sale.retry(Pin(PIN)).state is State.UNKNOWN


SCENARIOS = (
    before_the_intent, straight_through, never_sent, recovered_at_once,
    nothing_heard_then_parked, unresolved, retried, given_up, changed_before_the_retry,
    rolled_back_before_the_retry, gone_before_the_retry,
)  # fmt: skip


def test_every_way_of_the_table_is_walked(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    walked = Walked()
    monkeypatch.setattr(states, "TRANSITIONS", walked)
    for number, scenario in enumerate(SCENARIOS, 1):
        sight = Sight(stage, number)
        scenario(sight)
        if not scenario.__name__.startswith(("unresolved", "rolled_back")):
            assert_books(sight.card, sight.till)
    assert set(states.TRANSITIONS) - walked.ways == set()


@pytest.mark.parametrize("state", list(State))
def test_closed_states_are_the_end(state: State) -> None:
    ways = [way for way in states.TRANSITIONS if way[0] is state]
    assert bool(ways) == (state not in (State.CLOSED, State.UNRESOLVED))

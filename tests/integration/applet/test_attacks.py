"""Attacks 1 to 11 of PROTOCOL 1 against the applet card; those of stolen keys: test_chip_rules.

Attacks 6 and 7 happen at the backend, whose code is the same for every card: for 6 the chip
adds a check of its own, which is here.
"""

import pytest

from cardlib.codec.apdu import Response
from cardlib.codec.pin import Pin
from cardlib.codec.purse import EMPTY_GRANT
from cardlib.codec.status import Status
from cardlib.keys import records, secure_messaging
from cardlib.keys.grants import sign_grant
from cardlib.keys.suites import suite_of
from cardlib.wire.money import Money
from simulator.card.masks import WHITE_APPLET
from simulator.faults import (
    AlteredAnswer,
    ForgedStatus,
    HeldBack,
    PinWedge,
    Replayed,
    TwoTills,
    every,
    nth,
    since,
)
from terminal.recovery.table import Verdict
from terminal.sale.offer import Item
from terminal.sale.session import SaleSession
from terminal.sale.states import State
from tests.integration.applet.thief import Thief
from tests.integration.terminal.stage import (
    FOOD,
    PIN,
    Customer,
    Stage,
    StageCard,
    WalletSpec,
    assert_books,
    codes,
)
from tests.integration.terminal.test_sale import refused

INITIALISE, DEBIT = 0x50, 0x54


def agreed(shop: Customer, cents: int) -> SaleSession:
    sale = shop.session()
    sale.read()
    sale.basket([Item(FOOD, Money(cents))])
    sale.agree(Pin(PIN))
    return sale


# 1 -----------------------------------------------------------------------------------------


def test_1_an_old_state_is_refused_before_anything_is_decided(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    shop = Customer(till, Replayed(card.plug(), since(nth(2, INITIALISE))))
    shop.buy(30_00)

    assert refused(lambda: shop.buy(30_00)).code == "CARD_MAC_BAD"
    assert codes(till)[-1] == "declined CARD_MAC_BAD"
    assert_books(card, till)


def test_1_an_old_state_settles_no_open_debit(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    lying = ForgedStatus(card.plug(), nth(1, DEBIT))
    shop = Customer(till, Replayed(lying, since(nth(2, INITIALISE))))
    sale = agreed(shop, 12_50)
    sale.commit()

    result = sale.resolve()

    assert (result.state, result.closing) == (State.UNKNOWN, None)
    honest = Customer(till, card.plug())
    (settled,) = honest.counter.recovery().settle(honest.card)
    assert settled.conclusion.verdict is Verdict.COMMITTED


@pytest.mark.parametrize("place", range(0, 63, 4))
def test_1_no_byte_of_the_state_can_be_changed(stage: Stage, place: int) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()

    def changed(answer: bytes) -> bytes:
        return answer[:place] + bytes((answer[place] ^ 1,)) + answer[place + 1 :]

    shop = Customer(till, AlteredAnswer(card.plug(), every(INITIALISE), changed))

    assert refused(shop.session().read).code in {"CARD_MAC_BAD", "PURSE_NOT_SERVED"}


def test_1_nobody_without_the_record_key_reads_the_state(stage: Stage) -> None:
    """Counter, totals, terminal and time are enciphered anew in every answer."""
    card = stage.card(mask=WHITE_APPLET)
    line = card.plug()
    line.transmit(bytes.fromhex("00A4080C041200B001"))
    command = bytes.fromhex("8050000008") + bytes(8) + b"\x00"

    first, second = line.transmit(command), line.transmit(command)

    assert first[:16] == second[:16]  # EF.INFO, which anybody may read
    assert all(one != other for one, other in zip(_words(first), _words(second), strict=True))


def _words(answer: bytes) -> list[bytes]:
    state = answer[21:-10]
    return [state[at : at + 8] for at in range(0, len(state), 8)]


# 2 and 3 -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ins", [0x82, 0x88])
def test_2_there_is_no_command_that_macs_a_strangers_bytes(stage: Stage, ins: int) -> None:
    line = stage.card(mask=WHITE_APPLET).plug()
    line.transmit(bytes.fromhex("00A4080C041200B001"))

    answer = Response.decode(line.transmit(bytes((0x00, ins, 0, 0, 8)) + bytes(8) + b"\x08"))

    assert answer.status == Status.INS_NOT_SUPPORTED


def test_3_a_refused_debit_brings_no_certificate(stage: Stage) -> None:
    card = stage.card(mask=WHITE_APPLET)
    thief = Thief(card)

    answer = thief.debit(thief.with_totals(200_00), {1: 200_00})

    assert (answer.status, answer.data) == (Status.WRONG_DATA, b"")
    assert card.newest().ctr == 0


# 4 and 5 -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [0x6985, 0x6A80, 0x9000])
def test_4_a_forged_status_word_decides_nothing(stage: Stage, status: int) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    shop = Customer(till, ForgedStatus(card.plug(), nth(1, DEBIT), status))
    sale = agreed(shop, 12_50)
    assert sale.commit().state is State.UNKNOWN

    assert sale.resolve().goods_are_due
    assert codes(till)[-1] == "recovered"
    assert_books(card, till)


def test_4_a_debit_held_back_and_released_later_changes_nothing(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    shim = HeldBack(card.plug(), nth(1, DEBIT))
    sale = agreed(Customer(till, shim), 12_50)
    sale.commit()
    assert sale.resolve().may_retry

    shim.release()

    assert card.newest().ctr == 0
    assert sale.retry(Pin(PIN)).goods_are_due
    assert_books(card, till)


def test_5_a_pin_wedge_cannot_make_the_chip_pay(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    shop = Customer(till, PinWedge(card.plug()))

    assert shop.buy(12_50, pin="99999").state is State.UNKNOWN

    assert card.newest().ctr == 0
    honest = Customer(till, card.plug())
    honest.counter.recovery().settle(honest.card)
    assert codes(till)[-1] == "not_applied read"


# 6 -----------------------------------------------------------------------------------------


def update_grant(card: StageCard, record: bytes) -> int:
    """UPDATE RECORD of EF.GRANT 2 under the municipality's load key; the card's status."""
    line = card.plug()
    line.transmit(bytes.fromhex("00A4080C041200B001"))
    challenge = line.transmit(bytes.fromhex("0084000008"))[:8]
    line.transmit(bytes.fromhex("8086000008") + bytes(8))
    head = bytes.fromhex("0CDC0214")
    objects = bytes((0x81, len(record))) + record
    suite = suite_of(card.info.suite)
    code = secure_messaging.mac(suite, card.keys.load_command, challenge, head, objects)
    body = objects + b"\x8e\x08" + code
    return Response.decode(line.transmit(head + bytes((len(body),)) + body + b"\x00")).status


def test_6_a_grant_below_what_is_spent_is_refused_by_the_chip(stage: Stage) -> None:
    """A backend that signed from late figures is told so before the wallet is broken."""
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    Customer(till, card.plug()).buy(60_00)

    def sealed(granted: int) -> bytes:
        grant = WalletSpec(granted=granted, grant_seq=2).grant()
        signed = sign_grant(stage.issuer_key, card.info.core, grant)
        return records.seal_grant(card.keys.debit.record, signed)

    assert update_grant(card, sealed(59_99)) == Status.WRONG_DATA
    assert update_grant(card, bytes(94) + b"\x01") == Status.WRONG_DATA
    assert update_grant(card, sealed(60_00)) == Status.OK
    assert update_grant(card, EMPTY_GRANT) == Status.OK


# 8 and 9 -----------------------------------------------------------------------------------


@pytest.mark.parametrize("own_challenges", [False, True])
def test_8_one_card_at_two_tills_at_once_pays_one_of_them_at_most(
    stage: Stage, own_challenges: bool
) -> None:
    card, first, second = stage.card(mask=WHITE_APPLET), stage.till(501), stage.till(502)
    middle = TwoTills(card.plug(), own_challenges=own_challenges)
    sales = [agreed(Customer(till, middle.till()), 60_00) for till in (first, second)]

    results = [sale.commit().state for sale in sales]

    assert results.count(State.CLOSED) * 60_00 == card.newest().spent[0] <= 60_00
    assert_books(card, first, second)


def test_9_the_live_grant_is_named_under_the_cards_mac(stage: Stage) -> None:
    """An old grant that somebody put back beside the new one is not what the chip names."""
    card = stage.card(
        WalletSpec(granted=500_00, grant_seq=1, record=2),
        WalletSpec(granted=50_00, grant_seq=2, record=1),
        record_map=0b10,
        mask=WHITE_APPLET,
    )

    (wallet,) = Customer(stage.till(), card.plug()).session().read().wallets

    assert (wallet.grant.grant_seq, wallet.balance) == (2, Money(50_00))

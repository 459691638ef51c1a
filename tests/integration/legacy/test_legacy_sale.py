"""Sales on a legacy chip, as far as the town allows them."""

from contextlib import suppress
from dataclasses import replace
from hashlib import sha256

import pytest

from cardlib.codec.apdu import Command, Response
from cardlib.codec.pin import Pin
from cardlib.codec.purse import FLAG_PIN_ENFORCED
from cardlib.codec.status import Status
from cardlib.errors import AuthenticityError, CardGoneError
from cardlib.keys import attestation, records, secure_messaging
from cardlib.keys.module import LegacyModule
from cardlib.keys.suites import suite_of
from cardlib.wire.bundle import Limits
from cardlib.wire.entry_body import How
from cardlib.wire.entry_header import EntryType
from cardlib.wire.money import Money
from simulator.card.masks import WHITE_LEGACY
from simulator.faults import (
    ForgedStatus,
    HeldBack,
    PinWedge,
    Replayed,
    TearAfter,
    TearBefore,
    TwoTills,
    every,
    nth,
)
from terminal.recovery.table import Verdict
from terminal.sale.offer import Item
from terminal.sale.session import SaleSession
from terminal.sale.states import State
from terminal.till import Till
from tests.integration.terminal.stage import (
    FOOD,
    ORACLE_KEY,
    PIN,
    Customer,
    Stage,
    StageCard,
    assert_books,
    codes,
    committed,
)
from tests.integration.terminal.test_sale import refused

UPDATE = 0xDC
LIMIT = 20_00
COMMANDS, BYTES = 10, 452


def legacy_card(stage: Stage, number: int = 1) -> StageCard:
    return stage.card(number=number, mask=WHITE_LEGACY, flags=FLAG_PIN_ENFORCED)


@pytest.fixture
def lenient(stage: Stage) -> Stage:
    """A town that allows legacy chips 20 EUR a sale."""
    stage.install(limits=Limits(legacy_sale_cents=LIMIT))
    return stage


def module_of(till: Till) -> LegacyModule:
    assert isinstance(till.module, LegacyModule)
    return till.module


def agreed(shop: Customer, cents: int) -> SaleSession:
    sale = shop.session()
    sale.read()
    sale.basket([Item(FOOD, Money(cents))])
    sale.agree(Pin(PIN))
    return sale


def test_without_the_towns_leave_a_legacy_chip_is_refused(stage: Stage) -> None:
    card, till = legacy_card(stage), stage.till()
    shop = Customer(till, card.plug())

    assert refused(shop.session().read).code == "PURSE_LEGACY"
    assert codes(till) == ["declined PURSE_LEGACY"]
    assert card.newest().ctr == 0


def test_a_sale_fetches_its_challenge_last(lenient: Stage) -> None:
    card, till = legacy_card(lenient), lenient.till()
    shop = Customer(till, card.plug())

    assert shop.buy(12_50).goods_are_due

    assert [item.command[1] for item in shop.trace] == [
        0xA4, 0xB0, 0x86, 0xB2, 0xB2, 0x20, 0x84, 0xDC, 0xB2, 0x88,
    ]  # fmt: skip
    assert (len(shop.trace), sum(item.size for item in shop.trace)) == (COMMANDS, BYTES)
    assert_books(card, till)


def test_the_certificate_is_the_oracles_and_no_attested_read(lenient: Stage) -> None:
    card, till = legacy_card(lenient), lenient.till()
    Customer(till, card.plug()).buy(12_50)

    (entry,) = committed(till)
    assert entry.tc is not None
    head = bytes.fromhex("0088000D80000000")
    covered = sha256(entry.random + entry.record).digest()[:8] + head
    assert entry.tc == suite_of(1).mac(ORACLE_KEY, covered)
    assert attestation.is_of_oracle(ORACLE_KEY, card.info, entry.record, entry.random, entry.tc)
    assert not attestation.is_genuine(
        card.keys.attest, card.info, entry.index, entry.record, entry.random, entry.tc
    )


def test_no_sale_takes_more_than_the_town_allows(lenient: Stage) -> None:
    card, till = legacy_card(lenient), lenient.till()
    shop = Customer(till, card.plug())
    sale = shop.session()
    sale.read()

    offer = sale.basket([Item(FOOD, Money(LIMIT + 1))])

    assert offer.total == Money(LIMIT)
    assert [short.code for short in offer.shortfalls] == ["SALE_LIMIT"]
    sale.stop()
    assert shop.buy(LIMIT).goods_are_due
    assert_books(card, till)


def test_the_limit_of_legacy_chips_binds_no_other_card(lenient: Stage) -> None:
    card, till = lenient.card(), lenient.till()

    assert Customer(till, card.plug()).buy(LIMIT + 1).goods_are_due


def test_the_module_keeps_the_limit_even_if_the_till_does_not(lenient: Stage) -> None:
    card, till = legacy_card(lenient), lenient.till()
    intent = agreed(Customer(till, card.plug()), LIMIT).commit().intent.complete
    for limit in (LIMIT - 1, 0):
        session = module_of(till).open_legacy(card.info, limit)
        with pytest.raises(AuthenticityError, match="MODULE_LEGACY_LIMIT"):
            session.update_spend(intent)


def test_the_module_takes_no_challenge_before_a_read_and_no_second_one(lenient: Stage) -> None:
    card, till = legacy_card(lenient), lenient.till()
    session = module_of(till).open_legacy(card.info, LIMIT)

    with pytest.raises(AuthenticityError, match="MODULE_NO_FRESH_READ"):
        session.challenged(bytes(8))


def test_a_void_takes_the_sale_back(lenient: Stage) -> None:
    card, till = legacy_card(lenient), lenient.till()
    shop = Customer(till, card.plug())
    shop.buy(LIMIT)
    sale = shop.session()
    sale.read()
    sale.void()
    sale.agree(Pin(PIN))

    assert sale.commit().goods_are_due
    assert (card.newest().spent[0], committed(till)[-1].type) == (0, EntryType.VOID)


# the chip --------------------------------------------------------------------------------------


def status(card: StageCard, apdu: str) -> str:
    line = card.plug()
    line.transmit(bytes.fromhex("00A4080C041200B001"))
    return f"{Response.decode(line.transmit(bytes.fromhex(apdu))).status:04X}"


def test_the_chip_lets_nobody_choose_its_answer_key(stage: Stage) -> None:
    assert status(legacy_card(stage), "002221B403830104") == "6A88"
    assert status(legacy_card(stage), "002221B403830103") == "6A88"


@pytest.mark.parametrize(
    ("apdu", "expected"),
    [
        ("0088000D08010203040506070808", "9000"),
        ("0088000408010203040506070808", "6A86"),
        ("0088000D070102030405060708", "6700"),
        ("0088000D080102030405060708", "6700"),
    ],
)
def test_the_oracle_answers_eight_bytes(stage: Stage, apdu: str, expected: str) -> None:
    assert status(legacy_card(stage), apdu) == expected


def test_other_cards_have_no_oracle(stage: Stage) -> None:
    assert status(stage.card(), "0088000D08010203040506070808") == "6D00"


# torn and attacked -----------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(1, COMMANDS + 1))
@pytest.mark.parametrize("kind", [TearBefore, TearAfter])
def test_a_card_pulled_at_any_command_is_settled_when_it_returns(
    lenient: Stage, kind: type[TearBefore] | type[TearAfter], number: int
) -> None:
    card, till = legacy_card(lenient), lenient.till()
    reader = kind(card.plug(), nth(number))
    shop = Customer(till, reader)
    with suppress(CardGoneError):
        shop.buy(12_50)
    reader.reinsert()
    shop.counter.recovery().settle(shop.card)
    paid = number > 8 or (number == 8 and kind is TearAfter)
    assert card.newest().spent[0] == (12_50 if paid else 0)
    assert_books(card, till)
    assert shop.buy(1_00).goods_are_due


def test_an_open_debit_is_settled_even_after_the_leave_was_withdrawn(lenient: Stage) -> None:
    card, till = legacy_card(lenient), lenient.till()
    agreed(Customer(till, TearAfter(card.plug(), nth(1, UPDATE))), 5_00).commit()
    till.close()
    lenient.install(limits=Limits())
    again = lenient.till()
    shop = Customer(again, card.plug())

    (settled,) = shop.counter.recovery().settle(shop.card)

    assert settled.conclusion.verdict is Verdict.COMMITTED
    assert committed(again)[0].how is How.RECOVERED
    assert_books(card, again)


def test_a_forged_status_and_a_replayed_read_deceive_nobody(lenient: Stage) -> None:
    card, till = legacy_card(lenient), lenient.till()
    sale = agreed(Customer(till, ForgedStatus(card.plug(), nth(1, UPDATE))), 12_50)
    assert sale.commit().state is State.UNKNOWN
    assert sale.resolve().goods_are_due
    shop = Customer(till, Replayed(card.plug(), every(0xB2)))
    shop.session().read()
    assert refused(shop.session().read).code == "CARD_MAC_BAD"
    assert_books(card, till)


def test_a_pin_wedge_cannot_make_the_chip_pay(lenient: Stage) -> None:
    card, till = legacy_card(lenient), lenient.till()

    assert Customer(till, PinWedge(card.plug())).buy(5_00, pin="99999").state is State.UNKNOWN
    assert card.newest().ctr == 0


def test_a_stolen_key_re_opens_value_on_it_as_on_a_file_card(lenient: Stage) -> None:
    card, till = legacy_card(lenient), lenient.till()
    Customer(till, card.plug()).buy(LIMIT)
    line, keys = card.plug(), card.keys.debit
    spend = replace(card.newest(), ctr=2, spent=(0, 0, 0, 0, 0, 0), seq=99)
    line.transmit(bytes.fromhex("00A4080C041200B001"))
    line.transmit(bytes.fromhex("8086000008") + bytes(8))
    line.transmit(bytes.fromhex("0020009C08") + Pin(PIN).block)
    challenge = line.transmit(bytes.fromhex("0084000008"))[:8]
    plain = Command(0x00, 0xDC, 0x00, 0x1B, records.seal_spend(keys.record, spend))
    command = secure_messaging.protect(suite_of(1), keys.command, challenge, plain)

    assert Response.decode(line.transmit(bytes(command))).ok
    assert card.newest() == spend


def test_a_debit_held_back_dies_with_the_next_read(lenient: Stage) -> None:
    card, till = legacy_card(lenient), lenient.till()
    shim = HeldBack(card.plug(), nth(1, UPDATE))
    sale = agreed(Customer(till, shim), 12_50)
    sale.commit()
    assert sale.resolve().may_retry

    assert Response.decode(shim.release()).status == Status.CONDITIONS
    assert card.newest().ctr == 0


def test_what_the_limit_is_for_two_tills_at_once_both_see_a_perfect_sale(lenient: Stage) -> None:
    """Attack 8 is not stopped here: the second UPDATE undoes the first, within the limit.

    It shows as a fork when both tills have synchronised, and neither sale proves itself.
    """
    card, first, second = legacy_card(lenient), lenient.till(501), lenient.till(502)
    middle = TwoTills(card.plug(), own_challenges=True)
    sales = [agreed(Customer(till, middle.till()), LIMIT) for till in (first, second)]

    results = [sale.commit().state for sale in sales]

    assert results == [State.CLOSED, State.CLOSED]
    assert card.newest().spent[0] == LIMIT
    records = [committed(till)[0].record for till in (first, second)]
    assert int.from_bytes(records[0][1:4], "big") == int.from_bytes(records[1][1:4], "big") == 1
    assert records[0] != records[1]


def test_a_legacy_chip_with_two_key_tdea_sells_in_as_many_bytes(lenient: Stage) -> None:
    card = lenient.card(mask=WHITE_LEGACY, flags=FLAG_PIN_ENFORCED, suite=2)
    shop = Customer(lenient.till(), card.plug())

    assert shop.buy(12_50).goods_are_due

    assert (len(shop.trace), sum(item.size for item in shop.trace)) == (COMMANDS, BYTES)
    assert_books(card, shop.till)

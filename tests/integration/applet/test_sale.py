"""Sales on an applet card: what they cost, what they write, and that nothing else changes."""

from pathlib import Path

import pytest

from cardlib.codec.pin import Pin
from cardlib.dialogues.purse_state import PurseState
from cardlib.drivers.applet_card import AppletCard
from cardlib.drivers.legacy_card import LegacyCard
from cardlib.keys import attestation
from cardlib.trace import Exchange
from cardlib.wire.entry_body import Committed
from cardlib.wire.entry_header import EntryType
from cardlib.wire.money import Money
from simulator.card.masks import WHITE, WHITE_APPLET
from terminal.sale.offer import Item
from tests.integration.failure_cases.shims import ByteWise
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
    codes,
    committed,
)
from tests.integration.terminal.test_sale import refused

COMMANDS, BYTES = 4, 160
CARD_PROFILE = Path(__file__).parents[3] / "docs" / "card-profile.md"


def size(trace: list[Exchange]) -> int:
    return sum(item.size for item in trace)


def headers(trace: list[Exchange]) -> list[str]:
    return [item.command[:2].hex() for item in trace]


def is_certified(card: StageCard, entry: Committed) -> bool:
    """Whether the backend would believe the entry's certificate."""
    return entry.tc is not None and attestation.is_genuine(
        card.keys.attest, card.info, entry.index, entry.record, entry.random, entry.tc
    )


def test_a_card_says_by_its_answer_to_reset_which_driver_it_gets(stage: Stage) -> None:
    till = stage.till()
    applet = Customer(till, stage.card(mask=WHITE_APPLET).plug()).card
    file = Customer(till, stage.card(number=2, mask=WHITE).plug()).card

    assert isinstance(applet, AppletCard)
    assert type(file) is LegacyCard


def test_a_sale_of_a_known_wallet_is_four_commands_and_160_bytes(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    shop = Customer(till, card.plug())
    shop.buy(12_50)
    assert headers(shop.trace) == ["00a4", "8050", "0cb2", "0020", "8054"]  # the grant, once
    shop.trace.clear()

    shop.buy(12_50)

    assert headers(shop.trace) == ["00a4", "8050", "0020", "8054"]
    assert (len(shop.trace), size(shop.trace)) == (COMMANDS, BYTES)
    assert_books(card, till)


def test_every_sale_brings_the_certificate_of_an_attested_read(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    shop = Customer(till, card.plug())
    shop.buy(12_50)
    shop.buy(3_00)

    assert [is_certified(card, entry) for entry in committed(till)] == [True, True]
    assert codes(till) == ["grant_seen", "intent", "sale", "intent", "sale"]


def test_the_chip_seals_the_very_record_that_the_module_rebuilds(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    shop = Customer(till, card.plug())
    result = shop.buy(12_50)

    assert card.spend_file.records[0] == till.module.record_of(result.intent.complete)


def test_both_kinds_of_card_hold_the_same_record_after_the_same_sale(stage: Stage) -> None:
    entries = []
    for mask in (WHITE, WHITE_APPLET):
        till = stage.till(name=mask)
        card = stage.card(mask=mask)
        result = Customer(till, card.plug()).buy(12_50)
        entries.append((result.intent.complete, card.spend_file.records[0]))

    assert entries[0] == entries[1]


@pytest.mark.parametrize("cents", [1, 100_00])
def test_a_cent_and_the_whole_balance_can_be_paid(stage: Stage, cents: int) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()

    assert Customer(till, card.plug()).buy(cents).goods_are_due
    assert card.newest().spent[0] == cents
    assert_books(card, till)


def test_three_wallets_are_shown_and_one_sale_draws_on_two(stage: Stage) -> None:
    wallets = (
        WalletSpec(slot=1, granted=20_00, grant_seq=1),
        WalletSpec(slot=3, granted=30_00, grant_seq=2, categories=(HYGIENE,)),
        WalletSpec(slot=6, granted=40_00, grant_seq=3, categories=(MEDICINE,)),
    )
    card, till = stage.card(*wallets, mask=WHITE_APPLET), stage.till()
    shop = Customer(till, card.plug())
    shop.buy(1_00)
    shop.trace.clear()

    sale = shop.session()
    shown = sale.read()
    sale.basket([Item(FOOD, Money(5_00)), Item(MEDICINE, Money(7_00))])
    sale.agree(Pin(PIN))
    assert sale.commit().goods_are_due

    assert [wallet.slot for wallet in shown.wallets] == [1, 3, 6]
    assert card.newest().spent == (6_00, 0, 0, 0, 0, 7_00)
    assert size(shop.trace) == BYTES + 2 * 6 + 3
    assert_books(card, till)


def test_a_new_grant_is_read_once_and_an_old_one_forgotten(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    shop = Customer(till, card.plug())
    shop.buy(60_00)
    card.load(stage, WalletSpec(granted=150_00, grant_seq=2, base_spent=60_00, base_ctr=1))
    shop.trace.clear()

    shop.buy(60_00)
    assert headers(shop.trace).count("0cb2") == 1
    shop.trace.clear()
    shop.buy(30_00)

    assert headers(shop.trace).count("0cb2") == 0
    assert refused(lambda: shop.buy(1)).code == "BALANCE_TOO_LOW"
    assert_books(card, till)


def test_a_grant_in_an_unmapped_record_is_found(stage: Stage) -> None:
    """The map is a hint on an applet card too, although its answer is under a MAC."""
    card = stage.card(WalletSpec(granted=50_00, record=5), record_map=0b10, mask=WHITE_APPLET)

    (wallet,) = Customer(stage.till(), card.plug()).session().read().wallets

    assert wallet.balance == Money(50_00)


def test_a_void_takes_the_last_sale_back_by_the_same_command(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    shop = Customer(till, card.plug())
    shop.buy(12_50)
    sale = shop.session()
    sale.read()
    sale.void()
    sale.agree(Pin(PIN))

    assert sale.commit().goods_are_due
    assert card.newest().spent[0] == 0
    assert committed(till)[-1].type is EntryType.VOID
    assert is_certified(card, committed(till)[-1])
    assert_books(card, till)


def test_a_wrong_pin_ends_the_sale_with_nothing_written(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()

    assert refused(lambda: Customer(till, card.plug()).buy(1_00, pin="99999")).code == "PIN_WRONG"
    assert (card.newest().ctr, codes(till)) == (0, [])


def test_twenty_five_sales_turn_the_ring(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    shop = Customer(till, card.plug())
    for _ in range(25):
        shop.buy(1_00)

    assert (card.newest().ctr, len(card.spend_file.records)) == (25, 20)
    assert_books(card, till)


def test_older_records_are_attested_when_the_backend_asks(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    shop = Customer(till, card.plug())
    shop.buy(1_00)
    shop.buy(2_00)
    shop.card.read()

    read = shop.card.attest(2)

    assert read.tc is not None
    assert attestation.is_genuine(card.keys.attest, card.info, 2, read.record, read.random, read.tc)


def test_what_the_till_knows_of_a_purse_does_not_depend_on_the_driver(stage: Stage) -> None:
    states: list[PurseState] = []
    for mask in (WHITE, WHITE_APPLET):
        till = stage.till(name=mask)
        card = stage.card(WalletSpec(granted=70_00), mask=mask)
        Customer(till, card.plug()).buy(12_50)
        states.append(Customer(till, card.plug()).card.read())

    file, applet = states
    assert file.same_records(applet)
    assert (file.newest, file.wallets, file.info) == (applet.newest, applet.wallets, applet.info)


def test_the_card_profile_tells_what_the_trace_shows(stage: Stage) -> None:
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    shop = Customer(till, card.plug())
    shop.buy(1_00)
    shop.trace.clear()
    shop.buy(12_50)

    lines = CARD_PROFILE.read_text("utf-8").splitlines()
    rows = [line.split("|") for line in lines if line.startswith("| A")]
    told = [(int(row[4]), int(row[5])) for row in rows]

    assert told == [(len(item.command), len(item.answer or b"")) for item in shop.trace]
    assert sum(map(sum, told)) == BYTES


def test_a_reader_that_leaves_61xx_to_the_host_changes_nothing(stage: Stage) -> None:
    """T=0 underneath: answers are fetched in pieces, and no DEBIT is sent twice."""
    card, till = stage.card(mask=WHITE_APPLET), stage.till()
    shop = Customer(till, ByteWise(card.plug(), chunk=10))

    assert shop.buy(12_50).goods_are_due

    assert card.newest().ctr == 1
    assert is_certified(card, committed(till)[0])
    assert_books(card, till)

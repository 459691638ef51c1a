"""A sale on a real simulated card: what it writes, what it says, what it costs."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from cardlib.codec.pin import Pin
from cardlib.codec.purse import ZERO_TOTALS
from cardlib.errors import CardlibError
from cardlib.keys import records
from cardlib.keys.attestation import is_genuine
from cardlib.keys.grants import sign_grant
from cardlib.keys.intent_rule import record_hash
from cardlib.text.catalogue import explain, load
from cardlib.wire.bundle import Limits, ProofRequest, Watermark
from cardlib.wire.entry_body import How, Intent, Proof
from cardlib.wire.entry_header import EntryType
from cardlib.wire.money import Money
from terminal.errors import SaleRefusedError
from terminal.receipts import render
from terminal.sale.offer import Item
from terminal.sale.states import State
from terminal.sale.void import make_void
from tests.integration.terminal.stage import (
    FOOD,
    HYGIENE,
    MEDICINE,
    PIN,
    Customer,
    Stage,
    WalletSpec,
    assert_books,
    blank_spend,
    codes,
    committed,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "protocol-vectors.json"
SALE = [
    ("SELECT", 11), ("READ BINARY EF.INFO", 24), ("GET CHALLENGE", 15), ("GIVE RANDOM", 15),
    ("READ RECORD EF.SPEND 1", 73), ("READ RECORD EF.GRANT 1", 114), ("VERIFY", 15),
    ("UPDATE RECORD EF.SPEND", 88), ("MANAGE SECURITY ENVIRONMENT", 10),
    ("READ RECORD EF.SPEND 1", 73),
]  # fmt: skip


def refused(call: Callable[[], object]) -> CardlibError:
    """The error, worded in both languages."""
    with pytest.raises(CardlibError) as caught:
        call()
    assert all(caught.value.code in load(lang)["codes"] for lang in ("it", "en"))
    assert "{" not in explain(caught.value, "it")
    return caught.value


def test_a_sale_is_ten_commands_and_438_bytes(stage: Stage) -> None:
    shop = Customer(stage.till(), stage.card().plug())
    assert shop.buy(12_50).state is State.CLOSED
    assert [(item.name, item.size) for item in shop.trace] == SALE
    assert sum(item.size for item in shop.trace) == 438
    assert PIN.encode().hex() not in str(shop.trace[6])


def test_a_sale_is_the_published_one_command_by_command(stage: Stage) -> None:
    """The same headers and lengths as the golden trace; randoms and MACs are a sale's own."""
    golden = json.loads(VECTORS.read_text())["suites"]["aes-128"]
    shop = Customer(stage.till(), stage.card().plug())
    shop.buy(12_50)
    published = [(bytes.fromhex(item["command"]), item["response"]) for item in golden["sale"]]
    assert [item.command[:5] for item in shop.trace] == [command[:5] for command, _ in published]
    assert [item.size for item in shop.trace] == [
        len(command) + len(response) // 2 for command, response in published
    ]
    assert (len(shop.trace), golden["bytes"]) == (golden["apdus"], 438)


def test_a_sale_debits_the_card_and_the_journal_proves_it(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    result = Customer(till, card.plug()).buy(12_50)
    assert codes(till) == ["grant_seen", "intent", "sale"]
    assert card.newest().spent == (12_50, 0, 0, 0, 0, 0)
    (sale,) = committed(till)
    assert (sale.how, sale.receipt, sale.index, sale.type) == (How.DIRECT, 1, 1, EntryType.SALE)
    assert sale.tc is not None
    assert is_genuine(card.keys.attest, card.info, 1, sale.record, sale.random, sale.tc)
    assert isinstance(result.intent.body, Intent)
    assert result.intent.body.pin_asked
    assert_books(card, till)


def test_a_grant_goes_into_the_journal_once(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    for _ in range(3):
        Customer(till, card.plug()).buy(1_00)
    assert codes(till).count("grant_seen") == 1
    assert card.newest().day_spent == 3_00
    assert [item.receipt for item in committed(till)] == [1, 2, 3]
    assert_books(card, till)


def test_the_customer_sees_before_and_after_and_what_remains(stage: Stage) -> None:
    card = stage.card(
        WalletSpec(1, 20_00, (FOOD,), valid_to=date(2026, 12, 31)),
        WalletSpec(2, 30_00, (FOOD, HYGIENE), valid_to=date(2026, 10, 31), grant_seq=2),
    )
    till = stage.till()
    sale = Customer(till, card.plug()).session()
    assert [wallet.balance for wallet in sale.read().wallets] == [Money(20_00), Money(30_00)]
    offer = sale.basket([Item(FOOD, Money(45_00)), Item(HYGIENE, Money(10_00))], Money(3_00))
    assert [(item.slot, item.before.cents, item.after.cents) for item in offer.shares] == [
        (1, 20_00, 0),
        (2, 30_00, 0),
    ]
    assert (offer.total, offer.other) == (Money(50_00), Money(8_00))
    assert {item.code for item in offer.shortfalls} == {"BALANCE_TOO_LOW"}
    sale.agree(Pin(PIN))
    sale.commit()
    assert card.newest().spent[:2] == (20_00, 30_00)
    assert_books(card, till)


def test_the_wallet_that_expires_first_pays_first(stage: Stage) -> None:
    card = stage.card(
        WalletSpec(1, valid_to=date(2026, 12, 31)),
        WalletSpec(2, valid_to=date(2026, 9, 30), grant_seq=2),
    )
    Customer(stage.till(), card.plug()).buy(10_00)
    assert card.newest().spent[:2] == (0, 10_00)


def test_declining_writes_nothing(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    sale = Customer(till, card.plug()).session()
    sale.read()
    sale.basket([Item(FOOD, Money(1_00))])
    sale.stop()
    assert sale.state is State.IDLE
    assert codes(till) == []
    assert card.newest().ctr == 0


@pytest.mark.parametrize(
    ("cents", "category", "wallet", "code"),
    [
        (0, FOOD, WalletSpec(), "AMOUNT_NOT_POSITIVE"),
        (-5, FOOD, WalletSpec(), "AMOUNT_NOT_POSITIVE"),
        (100, 9, WalletSpec(), "CATEGORY_UNKNOWN"),
        (100, MEDICINE, WalletSpec(), "CATEGORY_NOT_ON_WALLET"),
        (100, FOOD, WalletSpec(valid_to=date(2026, 9, 20)), "WALLET_EXPIRED"),
        (100, FOOD, WalletSpec(valid_from=date(2026, 9, 22)), "WALLET_NOT_YET_VALID"),
        (100, FOOD, WalletSpec(flags=1), "WALLET_UNKNOWN_RULE"),
        (100, FOOD, WalletSpec(granted=0), "BALANCE_TOO_LOW"),
    ],
)
def test_what_cannot_be_paid_is_refused_with_its_reason(
    stage: Stage, cents: int, category: int, wallet: WalletSpec, code: str
) -> None:
    card, till = stage.card(wallet), stage.till()
    sale = Customer(till, card.plug()).session()
    sale.read()
    assert refused(lambda: sale.basket([Item(category, Money(cents))])).code == code
    assert codes(till) == []
    assert card.newest().ctr == 0


def test_an_amount_above_the_balance_leaves_a_rest_that_says_why(stage: Stage) -> None:
    sale = Customer(stage.till(), stage.card().plug()).session()
    sale.read()
    offer = sale.basket([Item(FOOD, Money(150_00))])
    assert offer.other == Money(50_00)
    assert refused(offer.require_everything_paid).code == "BALANCE_TOO_LOW"


def test_the_last_day_counts(stage: Stage) -> None:
    card = stage.card(WalletSpec(valid_from=date(2026, 9, 21), valid_to=date(2026, 9, 21)))
    assert Customer(stage.till(), card.plug()).buy(1_00).goods_are_due


def test_nobody_is_told_of_a_missing_wallet_before_all_eight_records_are_read(
    stage: Stage,
) -> None:
    card = stage.card(
        WalletSpec(1, categories=(FOOD,)),
        WalletSpec(2, categories=(MEDICINE,), grant_seq=2, record=5),
        record_map=0b1,
    )
    shop = Customer(stage.till(), card.plug())
    assert shop.buy(4_00, MEDICINE).goods_are_due
    assert len([item for item in shop.trace if "EF.GRANT" in item.name]) == 8
    assert card.newest().spent[1] == 4_00


def test_a_wrong_pin_tells_the_tries_and_writes_nothing(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    shop = Customer(till, card.plug())
    for left in (2, 1):
        error = refused(lambda: shop.buy(1_00, pin="99999"))
        assert (error.code, error.facts["tries_left"]) == ("PIN_WRONG", left)
    assert refused(lambda: shop.buy(1_00, pin="99999")).code == "PIN_BLOCKED"
    assert refused(lambda: shop.buy(1_00)).code == "PIN_BLOCKED"
    assert codes(till) == []
    assert card.newest().ctr == 0


def test_a_card_without_pin_rule_sells_without_pin(stage: Stage) -> None:
    card, till = stage.card(flags=0x40), stage.till()
    sale = Customer(till, card.plug()).session()
    assert not sale.read().pin_needed
    sale.basket([Item(FOOD, Money(1_00))])
    sale.agree(None)
    intent = sale.commit().intent.body
    assert isinstance(intent, Intent)
    assert not intent.pin_asked


def test_a_card_that_wants_its_pin_is_not_debited_without(stage: Stage) -> None:
    sale = Customer(stage.till(), stage.card().plug()).session()
    sale.read()
    sale.basket([Item(FOOD, Money(1_00))])
    assert refused(lambda: sale.agree(None)).code == "PIN_NEEDED"


def test_steps_out_of_order_are_refused(stage: Stage) -> None:
    sale = Customer(stage.till(), stage.card().plug()).session()
    for call in (sale.commit, sale.void, sale.resolve, sale.park, sale.give_up, sale.agree):
        assert refused(call).code == "SALE_STEP_WRONG"


# purses that no sale may use -------------------------------------------------------------------


def test_a_hotlisted_purse_is_declined(stage: Stage) -> None:
    card = stage.card()
    stage.install(hotlist=(card.purse,))
    till = stage.till()
    assert refused(Customer(till, card.plug()).session().read).code == "PURSE_HOTLISTED"
    assert codes(till) == ["declined PURSE_HOTLISTED"]


def test_an_expired_card_is_declined(stage: Stage) -> None:
    till = stage.till()
    card = stage.card(expiry=date(2026, 9, 20))
    assert refused(Customer(till, card.plug()).session().read).code == "CARD_EXPIRED"
    assert Customer(till, stage.card(expiry=date(2026, 9, 21)).plug()).buy(1).goods_are_due


def test_a_card_below_the_watermark_is_declined(stage: Stage) -> None:
    card = stage.card()
    stage.install(watermarks=(Watermark(card.purse, 3, bytes(4), 0),))
    till = stage.till()
    assert refused(Customer(till, card.plug()).session().read).code == "PURSE_ROLLED_BACK"


def test_another_record_at_the_watermark_is_declined(stage: Stage) -> None:
    card = stage.card()
    digest = record_hash(bytes(card.spend_file.records[0]))[:4]
    stage.install(watermarks=(Watermark(card.purse, 0, digest, 0),))
    assert Customer(stage.till(501), card.plug()).session().read().wallets
    stage.install(watermarks=(Watermark(card.purse, 0, bytes(4), 0),))
    till = stage.till(502)
    assert refused(Customer(till, card.plug()).session().read).code == "PURSE_FORKED"


def test_a_card_image_put_back_is_declined_by_the_till_that_knows_better(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    before = [bytes(record) for record in card.spend_file.records]
    Customer(till, card.plug()).buy(30_00)
    card.spend_file.records[:] = before
    shop = Customer(till, card.plug())
    assert refused(shop.session().read).code == "PURSE_ROLLED_BACK"
    other = stage.till(503)
    Customer(other, card.plug()).buy(10_00)  # a till that never saw it cannot know
    assert refused(Customer(till, card.plug()).session().read).code == "PURSE_FORKED"


def test_spent_value_that_was_opened_again_is_declined_where_it_was_spent(stage: Stage) -> None:
    """PROTOCOL 8, row 2: with a shop's key the totals go down, and the counter up."""
    card, till = stage.card(), stage.till()
    Customer(till, card.plug()).buy(30_00)
    opened = replace(card.newest(), ctr=card.newest().ctr + 1, spent=ZERO_TOTALS)
    card.spend_file.records.insert(0, records.seal_spend(card.keys.debit.record, opened))
    del card.spend_file.records[-1]

    assert refused(Customer(till, card.plug()).session().read).code == "PURSE_ROLLED_BACK"


def test_a_full_purse_is_declined(stage: Stage) -> None:
    card = stage.card(newest=replace(blank_spend(), ctr=0xFFFFFF))
    assert refused(Customer(stage.till(), card.plug()).session().read).code == "PURSE_FULL"


def test_a_superseded_grant_below_the_least_number_is_skipped(stage: Stage) -> None:
    card = stage.card(WalletSpec(grant_seq=1))
    digest = record_hash(bytes(card.spend_file.records[0]))[:4]
    stage.install(watermarks=(Watermark(card.purse, 0, digest, 2),))
    sale = Customer(stage.till(), card.plug()).session()
    assert sale.read().wallets == ()


def test_a_grant_of_another_purse_buys_nothing(stage: Stage) -> None:
    other = stage.card(number=2)
    probe = stage.card(number=1)
    foreign = sign_grant(stage.issuer_key, other.info.core, WalletSpec().grant())
    card = stage.card(
        WalletSpec(1, categories=(HYGIENE,)), number=1,
        grants={2: records.seal_grant(probe.keys.debit.record, foreign)},
    )  # fmt: skip
    sale = Customer(stage.till(), card.plug()).session()
    assert [wallet.slot for wallet in sale.read().wallets] == [1]
    assert refused(lambda: sale.basket([Item(FOOD, Money(1))])).code == "CATEGORY_NOT_ON_WALLET"


def test_a_grant_with_a_broken_signature_buys_nothing(stage: Stage) -> None:
    card = stage.card(WalletSpec(issuer_key=2))
    sale = Customer(stage.till(), card.plug()).session()
    assert sale.read().wallets == ()
    assert refused(lambda: sale.basket([Item(FOOD, Money(1))])).code == "CATEGORY_NOT_ON_WALLET"


# limits ----------------------------------------------------------------------------------------


def test_the_day_limit_holds_over_sales_and_ends_at_midnight(stage: Stage) -> None:
    card, till = stage.card(WalletSpec(day_limit_eur=30)), stage.till()
    Customer(till, card.plug()).buy(20_00)
    sale = Customer(till, card.plug()).session()
    sale.read()
    offer = sale.basket([Item(FOOD, Money(15_00))])
    assert (offer.total, offer.shortfalls[0].code) == (Money(10_00), "DAY_LIMIT_REACHED")
    sale.stop()
    stage.clock.sleep(12 * 3600)  # 22:00 UTC is midnight in Rome
    assert Customer(till, card.plug()).buy(15_00).goods_are_due
    assert card.newest().day_spent == 15_00
    assert_books(card, till)


def test_a_record_of_a_later_day_counts_as_today(stage: Stage) -> None:
    card = stage.card(WalletSpec(day_limit_eur=30))
    stage.clock.sleep(3 * 86_400)
    Customer(stage.till(501), card.plug()).buy(25_00)
    stage.clock.turn(-3 * 86_400)
    sale = Customer(stage.till(502), card.plug()).session()
    sale.read()
    assert sale.basket([Item(FOOD, Money(10_00))]).total == Money(5_00)


def test_midnight_between_agreement_and_debit_asks_again(stage: Stage) -> None:
    card, till = stage.card(WalletSpec(valid_to=date(2026, 9, 21))), stage.till()
    sale = Customer(till, card.plug()).session()
    stage.clock.sleep(11.99 * 3600)
    sale.read()
    sale.basket([Item(FOOD, Money(1_00))])
    sale.agree(Pin(PIN))
    stage.clock.sleep(60)
    assert refused(sale.commit).code == "OFFER_STALE"
    assert codes(till) == []
    assert card.newest().ctr == 0


def test_the_lower_of_both_sale_limits_applies(stage: Stage) -> None:
    stage.install(limits=Limits(sale_cents=40_00))
    sale = Customer(stage.till(), stage.card().plug()).session()
    sale.read()
    offer = sale.basket([Item(FOOD, Money(50_00))])
    assert (offer.total, offer.shortfalls[0].code) == (Money(40_00), "SALE_LIMIT")


def test_a_till_that_was_offline_too_long_stops_selling(stage: Stage) -> None:
    stage.install(limits=Limits(offline_days_stop=7))
    till, card = stage.till(), stage.card()
    shop = Customer(till, card.plug())
    assert shop.counter.risk().days_left() == 7
    stage.clock.sleep(7 * 86_400)
    assert refused(shop.session().read).code == "OFFLINE_TOO_LONG"
    assert shop.trace == []


def test_a_wall_clock_turned_within_a_boot_stops_selling(stage: Stage) -> None:
    till, card = stage.till(), stage.card()
    Customer(till, card.plug()).buy(1_00)
    stage.clock.turn(2 * 3600)
    shop = Customer(till, card.plug())
    assert refused(shop.session().read).code == "CLOCK_JUMPED"
    stage.clock.reboot()
    assert shop.buy(1_00).goods_are_due


def test_time_never_runs_behind_the_last_entry(stage: Stage) -> None:
    till, card = stage.till(), stage.card()
    stage.clock.sleep(3600)
    Customer(till, card.plug()).buy(1_00)
    newest = card.newest().time
    stage.clock.turn(-1800)
    result = Customer(till, card.plug()).buy(1_00)
    assert card.newest().time == newest
    assert result.intent.header.clock_flags == 1


# void ------------------------------------------------------------------------------------------


def void(shop: Customer) -> object:
    sale = shop.session()
    sale.read()
    sale.void()
    sale.agree(Pin(PIN))
    return sale.commit()


def test_a_void_gives_everything_back(stage: Stage) -> None:
    card = stage.card(WalletSpec(day_limit_eur=50))
    till = stage.till()
    shop = Customer(till, card.plug())
    shop.buy(12_50)
    void(shop)
    assert codes(till) == ["grant_seen", "intent", "sale", "intent", "void"]
    newest = card.newest()
    assert (newest.spent[0], newest.day_spent, newest.ctr) == (0, 0, 2)
    assert refused(lambda: void(shop)).code == "VOID_NOT_LAST"
    assert shop.buy(50_00).goods_are_due
    assert_books(card, till)


def test_only_the_tills_own_last_sale_can_be_voided(stage: Stage) -> None:
    card = stage.card()
    first, second = stage.till(501), stage.till(502)
    Customer(first, card.plug()).buy(10_00)
    assert refused(lambda: void(Customer(second, card.plug()))).code == "VOID_NOT_LAST"
    Customer(second, card.plug()).buy(5_00)
    assert refused(lambda: void(Customer(first, card.plug()))).code == "VOID_NOT_LAST"
    assert_books(card, first, second)


def test_a_void_ignores_validity_but_not_the_hotlist(stage: Stage) -> None:
    card, till = stage.card(WalletSpec(valid_to=date(2026, 9, 21))), stage.till()
    shop = Customer(till, card.plug())
    shop.buy(10_00)
    stage.clock.sleep(2 * 86_400)
    stage.install(hotlist=(card.purse,))
    void(shop)
    assert card.newest().spent[0] == 0
    till.close()
    again = stage.till()
    assert refused(Customer(again, card.plug()).session().read).code == "PURSE_HOTLISTED"


def test_a_sale_before_a_load_is_no_longer_voided(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    shop = Customer(till, card.plug())
    shop.buy(10_00)
    card.load(stage, WalletSpec(granted=120_00, grant_seq=2, base_spent=10_00, base_ctr=1))
    assert refused(lambda: void(shop)).code == "VOID_AFTER_LOAD"
    assert shop.buy(1_00).goods_are_due
    assert refused(lambda: shop.buy(1_00, HYGIENE)).code == "CATEGORY_NOT_ON_WALLET"
    assert_books(card, till)


def test_a_sale_of_a_closed_batch_is_no_longer_voided(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    shop = Customer(till, card.plug())
    shop.buy(10_00)
    till.journal._db.execute("UPDATE counters SET batch = 2")
    assert refused(lambda: void(shop)).code == "VOID_BATCH_CLOSED"


def test_a_sale_is_voided_once_even_on_a_card_put_back(stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    shop = Customer(till, card.plug())
    shop.buy(10_00)
    before = [bytes(record) for record in card.spend_file.records]
    void(shop)
    card.spend_file.records[:] = before
    state = shop.card.read()
    terminal = till.certificate.terminal
    assert refused(lambda: make_void(state, terminal, till.journal.views)).code == "VOID_TWICE"


# proofs and receipts ---------------------------------------------------------------------------


def test_records_that_the_backend_asked_for_are_attested_after_the_sale(stage: Stage) -> None:
    card, first = stage.card(), stage.till(501)
    Customer(first, card.plug()).buy(1_00)
    record = bytes(card.spend_file.records[0])
    stage.install(proof_requests=(ProofRequest(card.purse, 1), ProofRequest(card.purse, 9)))
    till = stage.till(502)
    Customer(till, card.plug()).buy(2_00)
    assert codes(till)[-1] == "proof"
    proof = till.journal.views.newest(1)[0].decode().body
    assert isinstance(proof, Proof)
    (read,) = proof.reads
    assert (read.record, read.index) == (record, 2)
    assert read.tc is not None
    assert is_genuine(card.keys.attest, card.info, 2, read.record, read.random, read.tc)


@pytest.mark.parametrize(("torn", "found"), [(1, [3]), (4, [])])
def test_a_record_asked_for_is_looked_for_below_torn_ones(
    stage: Stage, torn: int, found: list[int]
) -> None:
    card = stage.card()
    stage.install(proof_requests=(ProofRequest(card.purse, 0),))
    for _ in range(torn):
        card.spend_file.records.insert(0, bytes.fromhex("01000063") + bytes(50))
        card.spend_file.records.pop()
    till = stage.till()
    assert Customer(till, card.plug()).buy(2_00).goods_are_due
    proof = till.journal.views.newest(1)[0].decode().body
    assert [read.index for read in getattr(proof, "reads", ())] == found


@pytest.mark.parametrize("lang", ["it", "en"])
def test_the_receipt_says_before_after_and_until_when(stage: Stage, lang: str) -> None:
    till = stage.till()
    shop = Customer(till, stage.card().plug())
    result = shop.buy(12_50)
    assert result.closing is not None
    receipt = shop.counter.receipt(result.closing)
    text = render(receipt, lang)
    assert receipt.code == result.closing.hash.hex()
    assert max(len(line) for line in text.splitlines()) <= 40
    wanted = {
        "it": ["alimentari", "12,50 EUR", "100,00 EUR", "87,50 EUR", "giovedì 31 dicembre 2026"],
        "en": ["food", "12.50 EUR", "100.00 EUR", "87.50 EUR", "Thursday 31 December 2026"],
    }
    flat = " ".join(text.split())
    assert all(
        word in flat for word in [*wanted[lang], "corrispettivo non riscosso", "Buono spesa"]
    )


def test_a_refused_step_never_leaves_a_half_open_sale(stage: Stage) -> None:
    sale = Customer(stage.till(), stage.card().plug()).session()
    sale.read()
    with pytest.raises(SaleRefusedError):
        sale.basket([])
    assert sale.state is State.CARD_READ
    assert sale.basket([Item(FOOD, Money(1))]).total == Money(1)

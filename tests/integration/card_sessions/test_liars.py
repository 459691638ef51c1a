"""Cards and readers that lie: nothing is signed, nothing is booked, a person is called."""

from dataclasses import replace

import pytest

from cardlib.codec.purse import EMPTY_GRANT
from cardlib.keys import records
from cardlib.keys.grants import sign_grant
from cardlib.wire.ed25519 import SigningKey
from simulator.faults import (
    AlteredAnswer,
    ForgedMap,
    ForgedStatus,
    StaleRead,
    TearBefore,
    every,
    nth,
)
from tests.integration.card_sessions.bench import ISSUER, TILL, Card, Town

MISSING = ["SALE_ENTRY_MISSING"]
"""The case of the sale that only the card has told of so far."""


@pytest.fixture
def loaded(town: Town) -> Card:
    """A card with 50.00, and another order for 30.00."""
    card = town.purse_card()
    town.order(card, 5000)
    town.load(card)
    town.order(card, 3000)
    return card


def assert_untouched(town: Town, card: Card, alarm: str) -> None:
    """Nothing half-done: one grant signed ever, and the alarm raised."""
    assert town.signed() == [(1, "on_card")]
    assert len(card.grants) == 1
    assert town.alarms() == [alarm]
    town.check_books()


def test_a_stale_read_is_no_read(town: Town, loaded: Card) -> None:
    shim = StaleRead(loaded.line)
    town.load(loaded, shim)
    assert loaded.wallet() == 8000
    loaded.debit(1000)
    town.order(loaded, 500)
    shim.replay()

    done = town.load(loaded, shim)

    assert done.outcome == "CARD_MAC_BAD"
    assert town.alarms() == ["CARD_MAC_BAD"]
    assert town.signed()[-1] == (2, "on_card")


@pytest.mark.parametrize("number", range(1, 10))
def test_a_read_whose_mac_is_wrong_is_no_read(town: Town, loaded: Card, number: int) -> None:
    def flip(answer: bytes) -> bytes:
        return answer[:10] + bytes((answer[10] ^ 1,)) + answer[11:]

    shim = AlteredAnswer(loaded.line, nth(number, ins=0xB2), flip)

    assert town.load(loaded, shim).outcome == "CARD_MAC_BAD"
    assert_untouched(town, loaded, "CARD_MAC_BAD")


def test_a_forged_success_of_the_write_is_no_receipt(town: Town, loaded: Card) -> None:
    shim = ForgedStatus(loaded.line, nth(1, ins=0xDC), 0x9000)

    done = town.load(loaded, shim)

    assert done.outcome == "CARD_MAC_BAD"
    assert town.signed() == [(1, "on_card"), (2, "loading")]
    assert town.load(loaded).outcome == "LOAD_DONE"
    assert (loaded.wallet(), town.slot_money(loaded)) == (8000, 8000)
    assert town.signed() == [(1, "superseded"), (2, "on_card")]


def test_a_forged_failure_of_the_write_loads_once(town: Town, loaded: Card) -> None:
    shim = ForgedStatus(loaded.line, every(0xDC))

    assert town.load(loaded, shim).outcome == "CARD_ANSWER"
    assert town.load(loaded).outcome == "LOAD_DONE"

    assert (loaded.wallet(), town.slot_money(loaded)) == (8000, 8000)
    town.check_books()


@pytest.mark.parametrize("record_map", [0x00, 0x80, 0xFF])
def test_a_lying_map_changes_nothing(town: Town, loaded: Card, record_map: int) -> None:
    done = town.load(loaded, ForgedMap(loaded.line, record_map))

    assert done.outcome == "LOAD_DONE"
    assert (loaded.wallet(), loaded.info.record_map) == (8000, 0b10)


def test_an_old_grant_put_back_is_seen_and_removed(town: Town, loaded: Card) -> None:
    """PROTOCOL 1.9: the backend reads all eight records, whatever the map names."""
    old = loaded.grant_record(1)
    town.load(loaded)
    loaded.put_grant(1, old)

    done = town.load(loaded)

    assert done.outcome == "LOAD_TIDIED"
    assert loaded.grant_record(1) == EMPTY_GRANT
    assert (loaded.wallet(), loaded.info.record_map) == (8000, 0b10)


def test_two_grants_with_one_number_call_a_person(town: Town, loaded: Card) -> None:
    genuine = loaded.grants[1]
    key = town.keys.grant_key(ISSUER, 1)
    twin = sign_grant(key, loaded.info.core, replace(genuine.grant, granted_total=9999))
    loaded.put_grant(5, records.seal_grant(loaded.keys.debit.record, twin))

    done = town.load(loaded)

    assert done.outcome == "GRANT_TWICE"
    assert town.signed() == [(1, "on_card")]
    assert town.alarms() == ["GRANT_TWICE"]


def test_a_grant_that_nobody_ordered_calls_a_person(town: Town, loaded: Card) -> None:
    key = town.keys.grant_key(ISSUER, 1)
    stranger = replace(loaded.grants[1].grant, grant_seq=9, granted_total=90_000)
    signed = sign_grant(key, loaded.info.core, stranger)
    loaded.put_grant(5, records.seal_grant(loaded.keys.debit.record, signed))

    assert town.load(loaded).outcome == "GRANT_UNKNOWN"
    assert town.alarms() == ["GRANT_UNKNOWN"]


def test_a_grant_with_a_broken_signature_is_a_free_record(town: Town, loaded: Card) -> None:
    forged = sign_grant(
        SigningKey(b"\x09" * 32), loaded.info.core, replace(loaded.grants[1].grant, grant_seq=9)
    )
    loaded.put_grant(2, records.seal_grant(loaded.keys.debit.record, forged))

    assert town.load(loaded).outcome == "LOAD_DONE"
    assert [item.grant.grant_seq for item in loaded.grants.values()] == [2]


@pytest.fixture
def spent(town: Town) -> Card:
    """A card that was loaded with 50.00 and has been seen with 40.00 of it spent."""
    card = town.purse_card()
    town.order(card, 5000)
    town.load(card)
    card.debit(4000)
    town.load(card)
    assert town.slot_money(card) == card.wallet() == 1000
    town.order(card, 100)
    return card


def test_reopened_value_is_not_signed_over(town: Town, spent: Card) -> None:
    """PROTOCOL 1.11: shop keys lowered spent_total after a proven sale."""
    spent.debit(-3000)

    done = town.load(spent)

    assert done.outcome == "CARD_ABOVE_LEDGER"
    assert (town.alarms(), town.cases()) == (["CARD_ABOVE_LEDGER"], [*MISSING, "CARD_ABOVE_LEDGER"])
    assert town.signed() == [(1, "on_card")]
    town.check_books()


def test_totals_below_the_grant_they_were_signed_over_are_refused(town: Town, spent: Card) -> None:
    town.load(spent)
    spent.debit(-3000)

    assert town.load(spent).outcome == "PURSE_BELOW_GRANT"
    assert (town.alarms(), town.cases()) == (["PURSE_BELOW_GRANT"], [*MISSING, "PURSE_BELOW_GRANT"])


def test_a_void_by_another_terminal_explains_nothing(town: Town, spent: Card) -> None:
    spent.debit(-4000, void=True, terminal=TILL + 1)
    assert town.load(spent).outcome == "CARD_ABOVE_LEDGER"


def test_a_void_of_the_last_sale_explains_what_is_above(town: Town, spent: Card) -> None:
    spent.debit(-4000, void=True)
    assert town.load(spent).outcome == "LOAD_DONE"
    assert spent.wallet() == 5100
    town.check_books()


def test_a_void_on_its_way_explains_what_is_above(town: Town, loaded: Card) -> None:
    loaded.debit(4000)
    town.load(loaded)
    loaded.debit(1000)
    town.load(loaded)
    loaded.debit(-1000, void=True)
    town.order(loaded, 100)

    done = town.load(loaded)

    assert (done.outcome, loaded.wallet()) == ("LOAD_DONE", 1000 + 3000 + 100)
    town.check_books()


def test_a_void_on_its_way_explains_it_in_every_session_until_its_till_tells(
    town: Town, spent: Card
) -> None:
    spent.debit(-4000, void=True)
    assert town.load(spent, TearBefore(spent.line, nth(1, ins=0xDC))).outcome == "CARD_GONE"

    assert [town.load(spent).outcome for _ in range(2)] == ["LOAD_DONE", "LOAD_NOTHING_WAITING"]
    spent.debit(600)
    town.order(spent, 200)
    assert town.load(spent).outcome == "LOAD_DONE"
    assert spent.wallet() == 5000 + 100 - 600 + 200
    assert (town.alarms(), set(town.cases())) == ([], set(MISSING))
    town.check_books()


def test_a_till_that_is_silent_for_long_makes_no_voids_suspicious(town: Town, loaded: Card) -> None:
    """The card has long forgotten the sales that this till has not told of yet."""
    loaded.debit(1000)
    town.load(loaded)
    for _ in range(25):
        loaded.debit(10)
    for cents in (500, 600):
        loaded.debit(cents)
        town.load(loaded)
    loaded.debit(-600, void=True)
    town.order(loaded, 100)

    assert [town.load(loaded).outcome for _ in range(2)] == ["LOAD_DONE", "LOAD_NOTHING_WAITING"]

    assert loaded.wallet() == 5000 + 3000 - 1000 - 25 * 10 - 500 + 100
    loaded.debit(700)
    town.load(loaded)
    loaded.debit(-400)
    assert town.load(loaded).outcome == "CARD_ABOVE_LEDGER"


def test_a_void_that_the_card_has_forgotten_still_explains_what_is_above(
    town: Town, spent: Card
) -> None:
    spent.debit(-4000, void=True)
    town.load(spent)
    for _ in range(2):
        for _ in range(11):
            spent.debit(10)
        town.order(spent, 200)
        assert town.load(spent).outcome == "LOAD_DONE"

    assert spent.wallet() == 5000 + 100 + 2 * (200 - 11 * 10)
    assert town.alarms() == []


def test_a_void_that_waits_explains_it_though_nobody_knows_all_records_since(
    town: Town, spent: Card
) -> None:
    """A till that burnt wrote more than the card's ring holds: the chain to the void is cut."""
    spent.debit(-4000, void=True)
    town.load(spent)
    for _ in range(2):
        for _ in range(25):
            spent.debit(10)
        town.order(spent, 200)
        assert town.load(spent).outcome == "LOAD_DONE"

    assert spent.wallet() == 5000 + 100 + 2 * (200 - 25 * 10)
    assert town.alarms() == []
    spent.debit(500)
    town.load(spent)
    spent.debit(-400)
    assert town.load(spent).outcome == "CARD_ABOVE_LEDGER"


def test_a_void_in_whose_place_its_till_tells_something_else_explains_it_as_long_as_it_waits(
    town: Town, spent: Card
) -> None:
    """Two people have to decide; the next load does not wait for them (PROTOCOL 2)."""
    spent.debit(-4000, void=True)
    town.tell_otherwise(spent.spend)
    assert town.load(spent).outcome == "LOAD_DONE"
    for _ in range(2):
        for _ in range(11):
            spent.debit(1)
        town.order(spent, 200)
        assert town.load(spent).outcome == "LOAD_DONE"

    assert spent.wallet() == 5000 + 100 + 2 * (200 - 11)
    assert town.alarms() == []
    town.check_books()


def test_a_void_on_its_way_explains_nothing_else(town: Town, spent: Card) -> None:
    spent.debit(-4000, void=True)
    assert town.load(spent).outcome == "LOAD_DONE"
    spent.debit(500)
    assert town.load(spent).outcome == "LOAD_NOTHING_WAITING"
    spent.debit(-400)

    assert town.load(spent).outcome == "CARD_ABOVE_LEDGER"


def test_a_card_put_back_in_time_is_refused_for_good(town: Town, spent: Card) -> None:
    spent.roll_back_spend()

    done = town.load(spent)

    assert done.outcome == "PURSE_ROLLED_BACK"
    assert (town.alarms(), town.cases()) == (["PURSE_ROLLED_BACK"], [*MISSING, "PURSE_ROLLED_BACK"])
    assert town.signed() == [(1, "on_card")]


def test_a_blocked_purse_is_not_loaded(town: Town, loaded: Card) -> None:
    with town.work.begin() as unit:
        unit.cards.purse(loaded.purse).hotlisted_at = 1
        unit.commit()
    assert town.load(loaded).outcome == "PURSE_HOTLISTED"
    assert town.signed() == [(1, "on_card")]


def test_a_purse_that_is_not_on_record_is_refused(town: Town) -> None:
    stranger = town.purse_card()
    with town.work.begin() as unit:
        unit.cards.purse(stranger.purse).number = bytes(8)
        unit.commit()
    assert town.load(stranger).outcome == "PURSE_UNKNOWN"

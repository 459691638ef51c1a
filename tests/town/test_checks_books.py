"""Whoever moves a cent in the books is caught, whatever he moves."""

from datetime import date

import pytest

from backend.domain.ledger import AccountKind, Ref, RefKind
from backend.services.administration.day_end import DayEnd
from cardlib.calendar import day_end
from cardlib.codec.purse import day_number
from cardlib.wire.entry_body import How
from cardlib.wire.entry_header import EntryType
from cardlib.wire.money import Money
from simulator.errors import TownError
from tests.integration.backend.builders import LOADER, Till
from tests.town.built import BuiltTown, Event


@pytest.fixture
def till(built: BuiltTown) -> Till:
    return built.built[0].till


def test_an_honest_town_holds_to_its_end(built: BuiltTown, till: Till) -> None:
    chip = built.chips[0].chip
    built.town.load(chip, 2_000)
    built.sell(till, chip, 50)
    built.look()
    till.sync()
    built.end()
    assert built.checks.counts.transfers > 5
    assert built.checks.counts.alarms_false == 0


def test_a_breach_says_law_subject_cents_happening_and_seed(built: BuiltTown) -> None:
    built.change("UPDATE account SET balance_cents = balance_cents + 3 WHERE kind = 'payable'")
    error = built.caught("TOWN_LEDGER_BROKEN")
    assert error.facts["law"] == 1
    assert error.facts["cents"] == 3
    assert error.facts["seed"] == 7
    assert error.facts["happening"] == f"step-{built.steps}"
    assert str(error.facts["subject"]).startswith("payable/")


@pytest.mark.parametrize(
    "falsification",
    [
        "UPDATE account SET balance_cents = balance_cents - 1 WHERE kind = 'on_card'",
        "UPDATE transfer SET cents = cents + 1 WHERE id = 3",
        "UPDATE transfer SET ref_id = '99:99' WHERE id = 5",
        "UPDATE transfer SET hash = zeroblob(32) WHERE id = 1",
        "DELETE FROM transfer WHERE id = (SELECT max(id) FROM transfer)",
        "UPDATE ledger_head SET transfer_id = transfer_id + 1",
        "UPDATE posting_part SET cents = cents + 1 WHERE slot = 1",
        "UPDATE posting SET ctr = ctr + 70 WHERE id = 1",
    ],
)
def test_a_changed_row_is_caught(built: BuiltTown, falsification: str) -> None:
    built.change(falsification)
    with pytest.raises(TownError):
        built.look()


def test_money_that_nobody_gave_is_caught(built: BuiltTown) -> None:
    built.change("UPDATE funding SET cents = cents - 1")
    office = built.town.office
    office.fund(built.town.programme, "Stato", Money(100), act="DGC 2", by=LOADER)
    built.caught("TOWN_LEDGER_BROKEN")


def test_a_sale_that_is_booked_twice_is_caught(built: BuiltTown, till: Till) -> None:
    ref = built.entry_of(till, 2)
    built.book(AccountKind.ON_CARD, AccountKind.PAYABLE, 1_250, ref)
    error = built.caught("TOWN_SLOT_UNBALANCED")
    assert error.facts["cents"] == 1_250


def test_a_sale_that_is_booked_to_another_shop_is_caught(built: BuiltTown, till: Till) -> None:
    ref = built.entry_of(till, 2)
    built.book(AccountKind.ON_CARD, AccountKind.SUSPENSE, 1, ref)
    built.book(AccountKind.SUSPENSE, AccountKind.ON_CARD, 1, Ref(RefKind.CASE, "1"))
    assert built.caught("TOWN_BOOKED_TWICE").facts["law"] == 6


def test_a_sale_whose_end_is_told_after_its_wallet_was_given_up_and_loaded_anew(
    built: BuiltTown, till: Till
) -> None:
    """What the card had spent by then, unposted, counts on beside the new grant."""
    town, last_day, window = built.town, date(2026, 9, 30), 16 * 86_400
    town.valid_to = day_number(last_day)
    chip = built.chip(5_000)
    sale = till.begin(chip, 700)
    till.debit(chip, sale)
    till.unresolved(sale)
    town.clock.seconds = day_end(last_day) + window
    for one in built.built:
        one.till.heartbeat()
        one.till.sync()
    assert DayEnd(town.work, town.clock).close_day().given_up_cents == 5_000
    built.look()
    town.valid_to = day_number(date(2026, 12, 31))
    town.load(chip, 1_000)
    built.look()
    till.commit(chip, sale, kind=EntryType.RECOVERED, how=How.RECOVERED)
    till.sync()
    built.look()
    built.book(AccountKind.ON_CARD, AccountKind.PAYABLE, 5, Ref(RefKind.CASE, "1"))
    assert built.caught("TOWN_SLOT_UNBALANCED").facts["cents"] == 5


def test_money_that_leaves_a_wallet_without_a_sale_is_caught(built: BuiltTown) -> None:
    built.book(AccountKind.ON_CARD, AccountKind.PAYABLE, 5, Ref(RefKind.CASE, "1"))
    assert built.caught("TOWN_SLOT_UNBALANCED").facts["cents"] == 5


def test_a_route_that_no_event_takes_is_caught(built: BuiltTown) -> None:
    built.book(AccountKind.FUND, AccountKind.PAYABLE, 5, Ref(RefKind.CASE, "1"))
    built.caught("TOWN_LEDGER_BROKEN")


def test_an_order_that_is_booked_twice_is_caught(built: BuiltTown) -> None:
    built.town.order(built.chips[0].chip, 10)
    built.book(AccountKind.COMMITTED, AccountKind.LOADING, 1, Ref(RefKind.ORDER, "1"))
    assert built.caught("TOWN_BOOKED_TWICE").facts["cents"] == 1


def test_a_proof_that_no_chip_made_is_caught(built: BuiltTown) -> None:
    chip, till = built.chips[0].chip, built.built[0].till
    built.sell(till, chip, 5)
    till.sync()
    built.change(
        "UPDATE attestation SET tc = zeroblob(8) WHERE id = (SELECT max(id) FROM attestation)"
    )
    assert built.caught("TOWN_PROOF_UNCHECKED").facts["law"] == 12


def test_a_record_that_counts_as_attested_without_a_proof_is_caught(built: BuiltTown) -> None:
    built.change("UPDATE card_record SET attested = 1 WHERE NOT attested")
    built.caught("TOWN_PROOF_UNCHECKED", end=True)


@pytest.mark.parametrize(
    ("falsification", "code"),
    [
        ("UPDATE purse SET card_mark = card_mark + 1", "TOWN_MARK_AHEAD"),
        ("UPDATE purse SET proven_hash = zeroblob(32)", "TOWN_PROOF_UNCHECKED"),
        ("UPDATE terminal SET mark = mark + 1", "TOWN_MARK_AHEAD"),
        ("UPDATE terminal SET high_seq = high_seq - 1", "TOWN_ENTRY_LOST"),
    ],
)
def test_a_mark_that_is_ahead_or_falls_back_is_caught(
    built: BuiltTown, falsification: str, code: str
) -> None:
    built.change(falsification)
    built.caught(code)


@pytest.mark.parametrize(
    ("falsification", "code"),
    [
        ("DELETE FROM entry WHERE seq = 3", "TOWN_ENTRY_LOST"),
        (
            "UPDATE entry SET complete = CAST(complete || x'00' AS BLOB) WHERE seq = 2",
            "TOWN_BYTES_CHANGED",
        ),
    ],
)
def test_an_entry_that_vanishes_or_changes_is_caught_at_the_end(
    built: BuiltTown, falsification: str, code: str
) -> None:
    built.change(falsification)
    error = built.caught(code, end=True)
    assert error.facts["happening"] == "end"


def test_an_entry_that_is_stored_otherwise_than_it_was_sent_is_caught(
    built: BuiltTown, till: Till
) -> None:
    till.heartbeat()
    till.sync()
    built.change(
        "UPDATE entry SET complete = x'd284' WHERE seq = :s AND terminal = :t",
        s=len(till.journal), t=till.number,
    )  # fmt: skip
    assert built.caught("TOWN_BYTES_CHANGED").facts["law"] == 11


def test_an_acknowledgement_of_what_was_never_kept_is_caught(built: BuiltTown, till: Till) -> None:
    till.heartbeat()
    built.built[0].believes = len(till.journal)
    assert built.caught("TOWN_ENTRY_LOST").facts["law"] == 7


def test_an_honest_entry_in_quarantine_is_caught(built: BuiltTown, till: Till) -> None:
    till.heartbeat()
    till.sync()
    built.change(
        "UPDATE entry SET verdict = 'quarantined', reason = 'INTENT_MISSING'"
        " WHERE terminal = :t AND seq = :s", t=till.number, s=len(till.journal),
    )  # fmt: skip
    built.caught("TOWN_ALARM_FALSE")


def test_what_nobody_touched_is_left_alone_between_two_thorough_looks(
    built: BuiltTown, till: Till
) -> None:
    built.checks._thorough = False
    till.heartbeat()
    built.checks.after(built, Event("elsewhere", ("other shop", 3)))
    assert built.checks.journals.journals[till.number].seq == len(till.journal) - 1
    built.checks.after(built, Event("here", ("shop", 0)))
    assert built.checks.journals.journals[till.number].seq == len(till.journal)


@pytest.mark.parametrize("kept", [True, False])
def test_an_entry_that_was_answered_and_not_kept_is_caught(
    built: BuiltTown, till: Till, *, kept: bool
) -> None:
    """It came too early: the backend signs that it keeps it."""
    till.heartbeat()
    till.heartbeat()
    till.upload(till.journal[-1])
    if kept:
        built.look()
    else:
        built.change("DELETE FROM quarantine")
        assert built.caught("TOWN_ENTRY_LOST").facts["law"] == 7


UNPROVEN = "FROM posting WHERE state = 'unproven'"


@pytest.mark.parametrize(
    "falsification",
    [
        "UPDATE posting SET state = 'proven' WHERE state = 'unproven'",
        f"UPDATE purse SET (proven_ctr, proven_hash) = (SELECT ctr, record_hash {UNPROVEN})",
    ],
)
def test_what_nothing_proves_is_neither_proven_nor_a_watermark(
    built: BuiltTown, till: Till, falsification: str
) -> None:
    built.sell(till, built.chips[0].chip, 5, tc=False)
    till.sync()
    built.look()
    built.change(falsification)
    assert built.caught("TOWN_PROOF_UNCHECKED").facts["law"] == 12

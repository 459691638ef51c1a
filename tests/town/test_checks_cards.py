"""Chips, journals, goods and alarms: whoever says what is not so is caught."""

from dataclasses import replace
from hashlib import sha256

import pytest

from backend.services.alarms import raise_alarm
from cardlib.codec.purse import Spend, SpendType
from cardlib.keys import records
from cardlib.keys.grants import sign_grant
from cardlib.wire.entry_body import Declined, Unresolved
from cardlib.wire.entry_header import EntryType
from cardlib.wire.ids import TerminalNumber
from simulator.town.checks import town_checks
from tests.integration.backend.builders import Chip, Till
from tests.town.built import BuiltTown


@pytest.fixture
def chip(built: BuiltTown) -> Chip:
    return built.chips[0].chip


@pytest.fixture
def till(built: BuiltTown) -> Till:
    return built.built[0].till


def write_alone(chip: Chip, till: Till, cents: int) -> None:
    """Somebody with a shop's key debits the card, and no journal knows."""
    newest = chip.newest
    totals = (newest.spent[0] + cents, *newest.spent[1:])
    prev = sha256(chip.records[0]).digest()[:4]
    spend = Spend(
        SpendType.SALE, newest.ctr + 1, bytes(8), totals, till.number, 999, newest.time, 0, prev
    )
    chip.write(records.seal_spend(chip.keys.debit.record, spend))


class TestChips:
    def test_a_changed_record_is_caught(self, built: BuiltTown, chip: Chip) -> None:
        damaged = bytearray(chip.records[2])
        damaged[30] ^= 1
        chip.records[2] = bytes(damaged)
        assert built.caught("TOWN_CARD_UNEXPLAINED").facts["law"] == 2

    def test_a_rolled_back_chip_is_caught(self, built: BuiltTown, chip: Chip) -> None:
        del chip.records[0]
        built.caught("TOWN_CARD_UNEXPLAINED")

    def test_a_debit_without_an_intent_is_caught(
        self, built: BuiltTown, chip: Chip, till: Till
    ) -> None:
        write_alone(chip, till, 700)
        assert built.caught("TOWN_CARD_UNEXPLAINED").facts["cents"] == 700

    def test_of_a_rogue_terminal_it_is_expected(
        self, built: BuiltTown, chip: Chip, till: Till
    ) -> None:
        built.declared.rogue_terminal(till.number)
        write_alone(chip, till, 700)
        built.look()

    def test_a_torn_record_is_no_breach(self, built: BuiltTown, chip: Chip) -> None:
        half = chip.records[0][:27] + b"\xff" * 27
        chip.records.insert(0, half)
        built.look()

    def test_a_grant_that_nobody_signed_is_caught(self, built: BuiltTown, chip: Chip) -> None:
        grant = replace(chip.grants[1].grant, grant_seq=9, granted_total=50_000)
        key = built.town.keys.grant_key(chip.info.issuer, 1)
        chip.grants[1] = sign_grant(key, chip.info.core, grant)
        assert built.caught("TOWN_GRANT_UNORDERED").facts["cents"] == 50_000

    @pytest.mark.parametrize(
        "falsification",
        [
            "UPDATE load_order SET approved_by = requested_by WHERE id = 2",
            "UPDATE load_order SET delta_cents = delta_cents - 1 WHERE id = 2",
            "UPDATE load_order SET carried_over_cents = carried_over_cents - 1 WHERE id = 2",
            "UPDATE card_grant SET signature = zeroblob(64) WHERE grant_seq = 2",
        ],
    )
    def test_a_grant_beside_its_order_is_caught(
        self, built: BuiltTown, chip: Chip, falsification: str
    ) -> None:
        built.town.load(chip, 2_000)
        built.change(falsification)
        assert built.caught("TOWN_GRANT_UNORDERED").facts["law"] == 3

    def test_a_grant_with_a_bad_signature_is_caught(self, built: BuiltTown, chip: Chip) -> None:
        built.town.load(chip, 2_000)
        chip.grants[1] = replace(chip.grants[1], signature=bytes(64))
        built.change("UPDATE card_grant SET signature = zeroblob(64) WHERE grant_seq = 2")
        built.caught("TOWN_GRANT_UNORDERED")

    def test_a_grant_that_was_given_up_is_on_no_card(self, built: BuiltTown) -> None:
        built.change("UPDATE card_grant SET state = 'superseded' WHERE grant_seq = 1")
        built.caught("TOWN_SLOT_UNBALANCED")


class TestJournals:
    def test_a_missing_entry_is_caught(self, built: BuiltTown, till: Till) -> None:
        till.write(Declined(code="CARD_MAC_BAD"))
        till.write(Declined(code="CARD_MAC_BAD"))
        del till.journal[-2]
        assert built.caught("TOWN_JOURNAL_BROKEN").facts["law"] == 5

    def test_a_broken_chain_is_caught(self, built: BuiltTown, till: Till) -> None:
        till.write(Declined(code="CARD_MAC_BAD"), prev_hash=bytes(32))
        built.caught("TOWN_JOURNAL_BROKEN")

    def test_a_bad_signature_is_caught(self, built: BuiltTown, till: Till) -> None:
        complete = till.write(Declined(code="CARD_MAC_BAD"))
        till.journal[-1] = complete[:-1] + bytes((complete[-1] ^ 1,))
        built.caught("TOWN_JOURNAL_BROKEN")

    def test_another_tills_entry_is_caught(self, built: BuiltTown, till: Till) -> None:
        till.write(Declined(code="CARD_MAC_BAD"), terminal=TerminalNumber(77))
        built.caught("TOWN_JOURNAL_BROKEN")

    def test_what_is_no_entry_is_caught(self, built: BuiltTown, till: Till) -> None:
        till.journal.append(b"\xd2\x84 no entry")
        built.caught("TOWN_JOURNAL_BROKEN")

    def test_an_entry_that_disappears_before_it_is_sent_is_caught(
        self, built: BuiltTown, till: Till
    ) -> None:
        till.write(Declined(code="CARD_MAC_BAD"))
        built.look()
        del till.journal[-1]
        till.head = sha256(till.journal[-1]).digest()
        till.write(Declined(code="CARD_MAC_OTHER"))
        till.write(Declined(code="CARD_MAC_BAD"))
        built.caught("TOWN_JOURNAL_BROKEN")

    def test_a_name_in_an_entry_is_caught(self, built: BuiltTown, till: Till) -> None:
        till.write(Declined(code="CARD_MAC_BAD"), cashier="Maria")
        assert built.caught("TOWN_NAME_WRITTEN").facts["law"] == 8

    def test_a_refusal_without_a_sentence_is_caught(self, built: BuiltTown, till: Till) -> None:
        till.write(Declined(code="NO_SUCH_SENTENCE"))
        assert built.caught("TOWN_REFUSAL_WORDLESS").facts["law"] == 10


class TestUnknownOutcomes:
    def test_a_sale_that_the_card_never_wrote_is_caught(
        self, built: BuiltTown, chip: Chip, till: Till
    ) -> None:
        seq = till.begin(chip, 500)
        till.commit(chip, seq, tc=False)
        assert built.caught("TOWN_UNKNOWN_GUESSED").facts["law"] == 4

    def test_a_debit_that_is_signed_as_not_applied_is_caught(
        self, built: BuiltTown, chip: Chip, till: Till
    ) -> None:
        seq = till.begin(chip, 500)
        till.debit(chip, seq)
        till.not_applied(chip, seq)
        built.caught("TOWN_UNKNOWN_GUESSED")

    def test_the_same_intent_closed_twice_is_caught(
        self, built: BuiltTown, chip: Chip, till: Till
    ) -> None:
        seq = till.begin(chip, 500)
        till.debit(chip, seq)
        till.commit(chip, seq, kind=EntryType.RECOVERED)
        till.commit(chip, seq)
        assert built.caught("TOWN_BOOKED_TWICE").facts["law"] == 6

    def test_a_second_intent_while_one_is_open_is_caught(
        self, built: BuiltTown, chip: Chip, till: Till
    ) -> None:
        till.begin(chip, 500)
        till.begin(chip, 500)
        built.caught("TOWN_UNKNOWN_GUESSED")

    def test_serving_a_purse_that_waits_is_caught(
        self, built: BuiltTown, chip: Chip, till: Till
    ) -> None:
        till.unresolved(till.begin(chip, 500))
        till.begin(chip, 500)
        built.caught("TOWN_UNKNOWN_GUESSED")

    def test_a_retry_with_another_record_is_caught(
        self, built: BuiltTown, chip: Chip, till: Till
    ) -> None:
        seq = till.begin(chip, 500)
        till.debit(chip, seq)
        built.look()
        again = replace(
            chip.newest, ctr=chip.newest.ctr + 1, prev=sha256(chip.records[0]).digest()[:4],
            spent=(chip.newest.spent[0] + 500, *chip.newest.spent[1:]),
        )  # fmt: skip
        chip.write(records.seal_spend(chip.keys.debit.record, again))
        built.caught("TOWN_CARD_UNEXPLAINED")

    def test_a_roll_back_that_an_honest_card_cannot_show_is_caught(
        self, built: BuiltTown, chip: Chip, till: Till
    ) -> None:
        seq = till.begin(chip, 500)
        till.write(Unresolved(intent_seq=seq, code="RECOVERY_ROLLED_BACK"))
        built.caught("TOWN_UNKNOWN_GUESSED")

    def test_an_intent_after_a_record_that_was_never_there_is_caught(
        self, built: BuiltTown, chip: Chip, till: Till
    ) -> None:
        till.write(till.intent(chip, 500, newest=chip.records[1]))
        assert built.caught("TOWN_PROOF_UNCHECKED").facts["law"] == 12

    def test_an_intent_over_a_grant_that_was_never_there_is_caught(
        self, built: BuiltTown, chip: Chip, till: Till
    ) -> None:
        real = chip.grants[1]
        chip.grants[1] = replace(real, grant=replace(real.grant, grant_seq=8))
        till.begin(chip, 500)
        chip.grants[1] = real
        built.caught("TOWN_GRANT_UNORDERED")

    def test_an_intent_over_more_than_was_granted_is_caught(
        self, built: BuiltTown, chip: Chip, till: Till
    ) -> None:
        till.begin(chip, 20_000)
        assert built.caught("TOWN_GRANT_UNORDERED").facts["cents"] == 12_250


class TestGoods:
    def test_goods_that_nobody_paid_are_caught(self, built: BuiltTown, till: Till) -> None:
        built.deliver(till, 99, 350)
        assert built.caught("TOWN_GOODS_ASTRAY").facts["cents"] == 350

    def test_a_cent_more_than_the_goods_is_caught(
        self, built: BuiltTown, chip: Chip, till: Till
    ) -> None:
        seq = till.sell(chip, 500)
        built.deliver(till, seq - 1, 499)
        assert built.caught("TOWN_GOODS_ASTRAY").facts["cents"] == -1

    def test_goods_twice_for_one_sale_are_caught(self, built: BuiltTown, till: Till) -> None:
        built.deliver(till, 1, 1_250)
        built.caught("TOWN_GOODS_ASTRAY")

    def test_who_paid_and_got_nothing_is_caught_at_the_end(
        self, built: BuiltTown, chip: Chip, till: Till
    ) -> None:
        till.sell(chip, 500)
        till.sync()
        built.look()
        assert built.caught("TOWN_GOODS_ASTRAY", end=True).facts["cents"] == 500

    def test_a_void_that_is_not_proven_holds_the_money_back(
        self, built: BuiltTown, chip: Chip, till: Till
    ) -> None:
        sale = built.sell(till, chip, 500)
        seq = till.void(chip, sale, 500, tc=False)  # type: ignore[arg-type]
        built.deliver(till, seq - 1, -500)
        till.sync()
        built.end()

    @pytest.mark.parametrize("lost", [True, False])
    def test_a_parked_sale_waits_for_a_card_that_is_lost_but_for_no_other(
        self, built: BuiltTown, chip: Chip, till: Till, *, lost: bool
    ) -> None:
        seq = till.begin(chip, 500)
        till.debit(chip, seq)
        till.unresolved(seq)
        till.sync()
        if lost:
            built.declared.out_of_reach.add(chip.purse)
            built.end()
        else:
            assert built.caught("TOWN_SLOT_UNBALANCED", end=True).facts["cents"] == 500

    def test_a_record_that_nobody_ever_posted_is_caught_at_the_end(
        self, built: BuiltTown, chip: Chip, till: Till
    ) -> None:
        built.sell(till, chip, 500)
        built.caught("TOWN_SLOT_UNBALANCED", end=True)


class TestAlarms:
    def raised(self, built: BuiltTown, chip: Chip) -> None:
        with built.town.work.begin() as unit:
            purse = built.town.purse_row(unit, chip)
            raise_alarm(unit, "PURSE_FORKED", "purse 1 ctr 3", 0, purse=purse)
            unit.commit()

    def test_one_that_nobody_declared_is_false(self, built: BuiltTown, chip: Chip) -> None:
        self.raised(built, chip)
        assert built.caught("TOWN_ALARM_FALSE").facts["what"] == "PURSE_FORKED"
        assert built.checks.counts.alarms_false == 1

    def test_one_about_somebody_else_is_false(self, built: BuiltTown, chip: Chip) -> None:
        built.declared.expect("PURSE_FORKED", purse=replace(chip.purse, number=bytes(8)))
        self.raised(built, chip)
        built.caught("TOWN_ALARM_FALSE")

    def test_one_that_was_declared_is_explained(self, built: BuiltTown, chip: Chip) -> None:
        built.declared.expect("PURSE_FORKED", purse=chip.purse)
        self.raised(built, chip)
        built.look()
        built.declared.must_have_come("PURSE_FORKED", purse=chip.purse)
        built.look()
        assert built.checks.counts.alarms_explained == 1

    def test_one_that_does_not_come_in_time_is_missed(self, built: BuiltTown, chip: Chip) -> None:
        built.declared.must_have_come("PURSE_FORKED", purse=chip.purse)
        built.caught("TOWN_ALARM_MISSED")
        assert built.checks.counts.alarms_missed == 1


def test_a_finding_of_the_auditor_that_was_not_declared_is_caught(built: BuiltTown) -> None:
    built.change("UPDATE award SET cents = cents + 1 WHERE id = 1")
    built.caught("TOWN_AUDIT_FAILED", end=True)


def test_the_auditor_comes_unannounced_too(
    built: BuiltTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(town_checks, "VISIT_AT", built.checks.counts.happenings + 1)
    built.change("UPDATE award SET cents = cents + 1 WHERE id = 1")
    assert "ordinary day" in str(built.caught("TOWN_AUDIT_FAILED").facts["subject"])


def test_a_declared_finding_that_does_not_come_is_caught(built: BuiltTown) -> None:
    built.declared.findings.add("TRANSFER_CHANGED")
    assert "TRANSFER_CHANGED" in str(built.caught("TOWN_AUDIT_FAILED", end=True).facts["subject"])


def test_after_an_older_backup_the_books_are_read_anew(
    built: BuiltTown, chip: Chip, till: Till
) -> None:
    older = built.hall.backup()
    till.heartbeat()
    till.sync()
    built.town.order(chip, 100)
    built.look()
    built.hall._fill(older.database)
    built.declared.backend_restored()
    built.look()
    till.sent -= 1
    till.sync()
    built.end()

"""What a shop with stolen keys and a card at hand may try, and gets nothing for (PROTOCOL 1.10)."""

from dataclasses import replace

import pytest

from backend.domain.settlement import Period
from backend.errors import ConflictError
from backend.services.settlement.batches import SettlementService
from backend.services.settlement.views import Batch
from cardlib.codec.purse import SpendType
from cardlib.keys import records
from cardlib.keys.intent_rule import PREV_SIZE, record_hash
from tests.integration.backend.books import (
    alarms,
    check_export,
    check_laws,
    held,
    payable,
    postings,
)
from tests.integration.backend.builders import Chip, Till, Town

UNKNOWN_TERMINAL = 0x7777


def claim_without_card(till: Till, twin: Chip, cents: int) -> bytes:
    """A sale that the journal tells and no card ever saw; its record."""
    seq = till.begin(twin, cents)
    record = till.record(twin, till.journal[seq - 1])
    twin.write(record)
    till.commit(twin, seq, tc=False)
    return record


def draw_up(town: Town, till: Till) -> Batch:
    town.clock.seconds += 10
    till.heartbeat()
    till.sync()
    service, now = SettlementService(town.work, town.clock), town.clock.seconds
    return service.draw_up(town.municipality, town.shop, Period(now - 10_000, now - 5), "lina")


def nothing_is_paid(town: Town, till: Till) -> None:
    with pytest.raises(ConflictError, match="BATCH_EMPTY"):
        draw_up(town, till)


@pytest.mark.parametrize("named", ["an unknown terminal", "the other shop's terminal"])
def test_a_record_that_only_names_another_terminal_proves_no_claim(town: Town, named: str) -> None:
    chip, till, other = town.chip_with(10_000), town.till(), town.till(town.other_shop)
    fake = claim_without_card(till, chip.twin(), 9_000)
    newest = records.open_spend(chip.keys.debit.record, chip.records[0])
    assert newest is not None
    terminal = UNKNOWN_TERMINAL if named == "an unknown terminal" else other.number
    ghost = replace(
        newest, type=SpendType.SALE, ctr=newest.ctr + 2, intent_hash=b"ghostly!",
        terminal=terminal, seq=99, prev=record_hash(fake)[:PREV_SIZE],
    )  # fmt: skip
    chip.write(records.seal_spend(chip.keys.debit.record, ghost))
    till.prove(chip, 1)
    till.sync()

    assert postings(town, chip)[0].state == "unproven"
    assert payable(town, town.shop) == 0
    nothing_is_paid(town, till)


def test_a_record_without_an_entry_vouches_for_nothing_below_it(town: Town) -> None:
    chip, till, other = town.chip_with(10_000), town.till(), town.till(town.other_shop)
    fake = claim_without_card(till, chip.twin(), 9_000)
    newest = records.open_spend(chip.keys.debit.record, chip.records[0])
    assert newest is not None
    ghost = replace(
        newest, type=SpendType.SALE, ctr=newest.ctr + 2, intent_hash=b"ghostly!",
        terminal=UNKNOWN_TERMINAL, seq=99, prev=record_hash(fake)[:PREV_SIZE],
    )  # fmt: skip
    chip.write(records.seal_spend(chip.keys.debit.record, ghost))
    till.prove(chip, 1)
    other.sell(chip, 100)
    till.sync()
    other.sync()

    first = postings(town, chip)[0]
    assert (first.ctr, first.state) == (1, "unproven")
    nothing_is_paid(town, till)


def test_an_emulated_purse_that_cannot_attest_is_not_paid(town: Town) -> None:
    """M_DEBIT leaked: sale and proof carry certificates that the real chip never made."""
    chip, till, other = town.chip_with(10_000), town.till(), town.till(town.other_shop)
    emulated = replace(chip.twin(), keys=replace(chip.keys, attest=bytes(16)))
    till.sell(emulated, 700)
    other.prove(emulated, 1)
    till.sync()
    other.sync()

    assert [item.state for item in postings(town, chip)] == ["unproven"]
    assert payable(town, town.shop) == 0
    nothing_is_paid(town, till)


def test_a_claim_of_ones_own_in_anothers_place_makes_no_sale_larger(town: Town) -> None:
    chip, rogue, honest = town.chip_with(10_000), town.till(), town.till(town.other_shop)
    twin = chip.twin()
    honest.sell(chip, 8_000)  # on the card, not uploaded yet
    claim_without_card(rogue, twin, 1)
    seq = rogue.begin(twin, 8_099)
    record = rogue.record(twin, rogue.journal[seq - 1])
    twin.write(record)
    chip.write(record)
    rogue.commit(chip, seq)
    rogue.sync()

    assert postings(town, chip)[-1].amount_open
    nothing_is_paid(town, rogue)
    honest.sync()
    honest.prove(chip, 2)
    honest.sync()
    assert (payable(town, town.other_shop), payable(town, town.shop)) == (8_000, 100)


@pytest.mark.parametrize("told_together", [True, False])
@pytest.mark.parametrize("proven", [True, False])
def test_a_card_that_went_back_is_on_the_hotlist(
    town: Town, told_together: bool, proven: bool
) -> None:
    """Somebody with the keys wrote smaller totals; both states carry the card's certificate."""
    chip, till, other = town.chip_with(10_000), town.till(), town.till(town.other_shop)
    till.sell(chip, 8_000, tc=proven)
    if not told_together:
        till.sync()
    newest = records.open_spend(chip.keys.debit.record, chip.records[0])
    assert newest is not None
    chip.records[0] = records.seal_spend(
        chip.keys.debit.record, replace(newest, spent=(0, 0, 0, 0, 0, 0))
    )
    other.sell(chip, 300)
    till.sync()
    other.sync()

    assert ("PREDECESSOR_FORGED" in alarms(town)) is proven
    with town.work.begin() as unit:
        code = town.purse_row(unit, chip).hotlist_code
    assert code == ("PREDECESSOR_FORGED" if proven else None)


def test_a_void_lowers_what_is_spent_and_the_card_stays_good(town: Town) -> None:
    chip, till = town.chip_with(10_000), town.till()
    till.void(chip, till.sell(chip, 8_000), 8_000)
    till.sync()
    with town.work.begin() as unit:
        assert town.purse_row(unit, chip).hotlisted_at is None


def test_one_merchant_who_sells_over_its_own_claim_is_not_paid_for_a_parked_sale(
    town: Town,
) -> None:
    """A claim in the place of another shop's parked sale, a sale over it, an honest third shop."""
    chip = town.chip_with(20_000)
    victim, rogue = town.till(town.other_shop), town.till()
    honest, twin = town.till(town.new_shop("Terza")), chip.twin()
    seq = victim.begin(chip, 8_000)
    victim.debit(chip, seq)
    victim.unresolved(seq)
    victim.sync()
    claim_without_card(rogue, twin, 8_000)
    sale = rogue.begin(twin, 100)
    record = rogue.record(twin, rogue.journal[sale - 1])
    twin.write(record)
    chip.write(record)
    rogue.commit(chip, sale)
    honest.sell(chip, 50)
    rogue.sync()
    honest.sync()
    assert payable(town, town.shop) <= 100
    assert held(town)["suspense"] == 8_000
    with town.work.begin() as unit:
        assert unit.verdicts.decided_intents() == []
    check_laws(town)


@pytest.mark.parametrize("paid", [True, False])
def test_a_parked_sale_that_was_paid_is_not_refunded_when_its_till_denies_it(
    town: Town, paid: bool
) -> None:
    """Another shop's card proved it; whoever is paid and denies takes the same money twice."""
    till, chip, other = town.till(), town.chip_with(5_000), town.till(town.other_shop)
    seq = till.begin(chip, 1_000)
    till.debit(chip, seq)
    till.unresolved(seq)
    till.heartbeat()
    other.sell(chip, 100)
    for one in (till, other):
        one.sync()
    if paid:
        assert draw_up(town, till).total_cents == 1_000

    till.not_applied(chip, seq)
    till.sync()

    assert held(town).get("refund_due", 0) == (0 if paid else 1_000)
    assert alarms(town) == (["SALE_DENIED_WHEN_PAID"] if paid else [])
    check_laws(town)
    check_export(town)

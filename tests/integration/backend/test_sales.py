"""What the backend makes of sales, whatever order they are told in."""

import pytest

from backend.errors import ConflictError
from cardlib.wire.entry_body import How
from cardlib.wire.entry_header import EntryType
from cardlib.wire.upload import Outcome
from tests.integration.backend.books import alarms, check_laws, held, payable, postings
from tests.integration.backend.builders import START, Town


def test_a_loaded_card_is_in_the_books(town: Town) -> None:
    town.chip_with(5000)
    assert held(town) == {"external": -1_000_000, "fund": 995_000, "on_card": 5000}
    check_laws(town)


def test_a_proven_sale_is_payable_to_its_shop(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    till.sell(chip, 1250)
    answer = till.sync()
    assert [verdict.outcome for verdict in answer.verdicts] == [Outcome.CREATED] * 2
    assert (answer.high_seq, answer.high_hash) == (2, till.head)
    assert payable(town, town.shop) == 1250
    assert held(town)["on_card"] == 3750 == chip.balance()
    (posting,) = postings(town, chip)
    assert (posting.state, posting.live, posting.amount_open) == ("proven", True, False)
    check_laws(town)


def test_a_sale_without_proof_waits_until_another_shop_reads_the_card(town: Town) -> None:
    chip, till, other = town.chip_with(5000), town.till(), town.till(town.other_shop)
    till.sell(chip, 1250, tc=False)
    till.sync()
    assert payable(town, town.shop) == 0
    assert held(town)["suspense"] == 1250
    with town.work.begin() as unit:
        assert [request.ctr for request in unit.verdicts.proof_requests()] == [1]
    check_laws(town)

    other.prove(chip, 1)
    other.sync()
    assert payable(town, town.shop) == 1250
    assert "suspense" not in held(town)
    with town.work.begin() as unit:
        assert not unit.verdicts.proof_requests()
        (case,) = unit.verdicts.cases()
        assert (case.state, case.decided_by) == ("closed", "system")
    check_laws(town)


def test_a_later_sale_at_another_shop_proves_the_one_before(town: Town) -> None:
    chip, till, other = town.chip_with(5000), town.till(), town.till(town.other_shop)
    till.sell(chip, 1250, tc=False)
    till.sync()
    other.sell(chip, 300)
    other.sync()
    assert (payable(town, town.shop), payable(town, town.other_shop)) == (1250, 300)
    check_laws(town)


def test_a_later_sale_at_the_same_shop_proves_nothing_before_it(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    till.sell(chip, 1250, tc=False)
    till.sell(chip, 300)
    till.sync()
    assert payable(town, town.shop) == 300
    assert held(town)["suspense"] == 1250
    check_laws(town)


def test_a_sale_told_before_the_one_before_it_is_open_until_that_comes(town: Town) -> None:
    chip, till, other = town.chip_with(5000), town.till(), town.till(town.other_shop)
    till.sell(chip, 1250)
    other.sell(chip, 300)
    other.sync()
    (posting,) = postings(town, chip)
    assert posting.amount_open
    with town.work.begin() as unit:
        assert town.purse_row(unit, chip).card_mark == 0
        assert [request.ctr for request in unit.verdicts.proof_requests()] == [1]
    check_laws(town)

    till.sync()
    assert not any(posting.amount_open for posting in postings(town, chip))
    with town.work.begin() as unit:
        assert town.purse_row(unit, chip).card_mark == 2
    assert held(town)["on_card"] == 3450
    check_laws(town)


def test_a_forged_predecessor_does_not_make_a_sale_larger(town: Town) -> None:
    chip, honest, rogue = town.chip_with(5000), town.till(), town.till(town.other_shop)
    fake = chip.twin()
    honest.sell(chip, 1000)
    # The rogue claims to have read a card on which nothing was spent.
    seq = rogue.begin(fake, 1400)
    rogue.debit(fake, seq)
    forged = chip.clear(fake.records[0])
    assert forged.ctr == 1  # the honest one's place: a fork if the card really holds it
    rogue.commit(fake, seq)
    honest.sync()
    rogue.sync()
    assert "PURSE_FORKED" in alarms(town)
    check_laws(town)


def test_a_void_takes_its_sale_back(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    sale = till.sell(chip, 1250)
    till.void(chip, sale, 1250)
    till.sync()
    assert payable(town, town.shop) == 0
    assert held(town)["on_card"] == 5000 == chip.balance()
    check_laws(town)


def test_a_part_of_a_sale_can_be_voided(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    sale = till.sell(chip, 1250)
    till.void(chip, sale, 250)
    till.sync()
    assert payable(town, town.shop) == 1000
    check_laws(town)


def test_an_unproven_void_only_holds_the_money_back(town: Town) -> None:
    chip, till, other = town.chip_with(5000), town.till(), town.till(town.other_shop)
    sale = till.sell(chip, 1250)
    till.void(chip, sale, 250, tc=False)
    till.sync()
    assert payable(town, town.shop) == 1000
    assert held(town)["suspense"] == 250
    assert held(town)["on_card"] == 3750
    check_laws(town)
    other.prove(chip, 1)
    other.sync()
    assert payable(town, town.shop) == 1000
    assert held(town)["on_card"] == 4000 == chip.balance()
    check_laws(town)


def test_sale_and_void_without_proof_are_sorted_out_by_a_later_reading(town: Town) -> None:
    chip, till, other = town.chip_with(5000), town.till(), town.till(town.other_shop)
    sale = till.sell(chip, 1250, tc=False)
    till.void(chip, sale, 250)
    till.sync()
    check_laws(town)
    assert held(town)["suspense"] == 1000
    other.prove(chip, 2)
    other.sync()
    assert payable(town, town.shop) == 1000
    assert "suspense" not in held(town)
    check_laws(town)


def test_a_void_above_its_sale_is_kept_apart(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    till.sell(chip, 1000)
    sale = till.sell(chip, 200)
    till.void(chip, sale, 300)
    answer = till.sync()
    assert [verdict.reason for verdict in answer.verdicts][-2:] == [
        "VOID_ABOVE_SALE",
        "INTENT_MISSING",
    ]
    assert payable(town, town.shop) == 1200
    check_laws(town)


def test_a_recovered_sale_is_paid_like_any_other(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    seq = till.begin(chip, 700)
    till.debit(chip, seq)
    till.unresolved(seq)
    till.sync()
    assert "payable" not in held(town)
    till.commit(chip, seq, kind=EntryType.RECOVERED, how=How.RECOVERED)
    till.sync()
    assert payable(town, town.shop) == 700
    check_laws(town)


def test_a_parked_sale_that_the_card_proves_elsewhere_is_paid(town: Town) -> None:
    chip, till, other = town.chip_with(5000), town.till(), town.till(town.other_shop)
    seq = till.begin(chip, 700)
    till.debit(chip, seq)
    till.unresolved(seq)
    till.sync()
    other.prove(chip, 1)
    other.sync()
    assert payable(town, town.shop) == 700
    check_laws(town)


def test_what_the_shop_said_was_not_debited_goes_back_to_the_purse(town: Town) -> None:
    chip, till, other = town.chip_with(5000), town.till(), town.till(town.other_shop)
    seq = till.begin(chip, 700)
    record = till.debit(chip, seq)
    chip.records.remove(record)
    till.not_applied(chip, seq)
    till.sync()
    chip.write(record)  # the shim releases the held-back command
    other.sell(chip, 100)
    other.prove(chip, 2)
    other.sync()
    assert payable(town, town.shop) == 0
    assert held(town)["refund_due"] == 700
    check_laws(town)


def test_a_proven_record_waits_for_the_entry_of_a_silent_till(town: Town) -> None:
    chip, till, other = town.chip_with(5000), town.till(), town.till(town.other_shop)
    till.sell(chip, 700)
    other.sell(chip, 100)
    other.prove(chip, 2)
    other.sync()
    assert held(town)["suspense"] == 700
    assert payable(town, town.other_shop) == 100
    check_laws(town)
    till.sync()
    assert payable(town, town.shop) == 700
    assert "suspense" not in held(town)
    check_laws(town)


def test_two_tills_that_wrote_on_the_same_state_fork_the_purse(town: Town) -> None:
    chip, till, other = town.chip_with(5000), town.till(), town.till(town.other_shop)
    twin = chip.twin()
    till.sell(chip, 700)
    other.sell(twin, 400)
    till.sync()
    other.sync()
    assert "PURSE_FORKED" in alarms(town)
    with town.work.begin() as unit:
        assert town.purse_row(unit, chip).hotlist_code == "PURSE_FORKED"
    assert payable(town, town.shop) == 700
    assert held(town)["suspense"] == 400
    check_laws(town)

    third = town.till(town.new_shop("Terza"))
    third.sell(twin, 50)  # the card went on from the other branch
    third.sync()
    assert payable(town, town.other_shop) == 400
    assert payable(town, town.shop) == 0
    check_laws(town)


def test_a_contradicted_claim_gives_the_money_back(town: Town) -> None:
    chip, till, other = town.chip_with(5000), town.till(), town.till(town.other_shop)
    twin = chip.twin()
    till.sell(twin, 700, tc=False)  # never on the card
    till.sync()
    assert held(town)["suspense"] == 700
    other.sell(chip, 400)
    other.sync()
    assert held(town).get("suspense") is None
    assert payable(town, town.other_shop) == 400
    assert {posting.state for posting in postings(town, chip)} == {"proven", "contradicted"}
    check_laws(town)


def test_a_proven_sale_confirms_the_grant_it_spent_from(town: Town) -> None:
    chip, till = town.new_chip(), town.till()
    town.sign(chip, town.order(chip, 5000))
    assert held(town)["loading"] == 5000
    check_laws(town)
    till.sell(chip, 700)
    till.sync()
    assert "loading" not in held(town)
    assert held(town)["on_card"] == 4300
    assert payable(town, town.shop) == 700
    check_laws(town)


def test_an_unproven_sale_from_an_unconfirmed_grant_is_exposed_until_it_is(town: Town) -> None:
    chip, till = town.new_chip(), town.till()
    grant = town.sign(chip, town.order(chip, 5000))
    till.sell(chip, 700, tc=False)
    till.sync()
    assert held(town)["exposure"] == -700
    assert held(town)["suspense"] == 700
    check_laws(town)
    town.confirm(grant)
    assert "exposure" not in held(town)
    assert held(town)["on_card"] == 4300
    check_laws(town)


def test_a_late_sale_before_a_load_posts_normally(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    till.sell(chip, 1000)
    town.load(chip, 2000)
    assert chip.balance() == 6000
    check_laws(town)
    till.sync()
    assert payable(town, town.shop) == 1000
    assert held(town)["on_card"] == 6000
    check_laws(town)


def test_more_than_was_granted_waits_for_a_person(town: Town) -> None:
    chip, till = town.chip_with(500), town.till()
    till.sell(chip, 700)
    till.sync()
    assert held(town)["exposure"] == -200
    assert held(town)["suspense"] == 700
    (posting,) = postings(town, chip)
    assert posting.reason == "SALE_OVERDRAWN"
    check_laws(town)


def test_a_shop_that_is_not_enabled_waits_for_a_person(town: Town) -> None:
    chip = town.chip_with(5000)
    till = town.till(town.merchants.register("Nuovo", "IT60X0542811101000000123456"))
    till.sell(chip, 700)
    till.sync()
    (posting,) = postings(town, chip)
    assert posting.reason == "SALE_MERCHANT_NOT_ENABLED"
    assert held(town)["suspense"] == 700
    check_laws(town)


def test_a_grant_that_nobody_signed_waits_for_a_person(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    genuine = chip.grants[1]
    chip.grants[1] = type(genuine)(genuine.grant, bytes(64))
    till.sell(chip, 700)
    till.sync()
    (posting,) = postings(town, chip)
    assert posting.reason == "SALE_GRANT_UNKNOWN"
    check_laws(town)


def test_a_till_that_was_stolen_is_paid_only_by_a_person(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    with town.work.begin() as unit:
        unit.terminals.terminal(till.number).lost_at = START
        unit.commit()
    till.sell(chip, 700)
    till.sync()
    (posting,) = postings(town, chip)
    assert posting.reason == "SALE_TERMINAL_LOST"
    check_laws(town)


def test_the_statement_shows_what_was_accepted_and_what_waits(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    sale = till.sell(chip, 1000)
    till.void(chip, sale, 300)
    till.sell(chip, 200, tc=False)
    till.sync()
    statement = town.merchants.statement(town.shop)
    assert [(line.entry, line.accepted_cents, line.waiting_cents) for line in statement.lines] == [
        (f"{till.number}:2", 1000, 0),
        (f"{till.number}:4", -300, 0),
        (f"{till.number}:6", 0, 200),
    ]
    assert (statement.accepted_cents, statement.waiting_cents) == (700, 200)


def test_an_order_is_signed_once(town: Town) -> None:
    chip = town.new_chip()
    order = town.order(chip, 500)
    town.sign(chip, order)
    with pytest.raises(ConflictError, match="ORDER_ALREADY_SIGNED"):
        town.sign(chip, order)

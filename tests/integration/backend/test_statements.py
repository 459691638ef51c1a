"""The operator's signed statement and a till's close, against the books they came from."""

import json
from pathlib import Path

import pytest

from backend.domain.settlement import Period
from backend.errors import UnknownError
from backend.services.export.export import write_export
from backend.services.settlement.statements import SignedStatement, StatementService
from backend.verifier.audit import Verdict, audit
from cardlib.calendar import day_at, day_end
from cardlib.codec.purse import SpendType
from cardlib.wire.batch_close import BatchClose, Count
from cardlib.wire.ids import Seq
from cardlib.wire.ledger_head import LedgerHead
from cardlib.wire.merkle import root_by_path
from cardlib.wire.statement import Standing, Statement
from cardlib.wire.upload import Outcome
from tests.integration.backend.builders import START, Till, Town

DAY_S = 86_400
ALL = Period(0, START + 100 * DAY_S)


def issue(town: Town, period: Period = ALL) -> SignedStatement:
    return StatementService(town.work, town.keys, town.clock).issue(town.shop, period)


def audited(town: Town, folder: Path, *statements: SignedStatement) -> Verdict:
    """The verdict on an export of now, with what the shop kept."""
    write_export(town.work, folder / "export", town.clock.seconds)
    kept = folder / "kept.jsonl"
    rows = ({"merchant": town.shop, "bytes": item.complete.hex()} for item in statements)
    kept.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return audit(folder / "export", evidence=(kept,))


def close(till: Till, first: int, sold: Count, voided: Count, head: LedgerHead | None) -> bytes:
    last = len(till.journal)
    return till.write(
        BatchClose(
            first=Seq(first), last=Seq(last), sales=sold, voids=voided, waiting=0, unsettled=0,
            ledger=head,
        )
    )  # fmt: skip


def test_a_statement_says_what_was_sold_and_how_sure_it_is(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    first = till.sell(chip, 1250)
    void = till.void(chip, first, 1250)
    waits = till.sell(chip, 300, tc=False)
    till.sync()
    stated = Statement.open(issue(town).complete, town.keys.operator_key().public)
    lines = [(line.seq, line.kind, line.cents, line.standing) for line in stated.lines]
    assert lines == [
        (first, SpendType.SALE, 1250, Standing.PROVEN),
        (void, SpendType.VOID, 1250, Standing.PROVEN),
        (waits, SpendType.SALE, 300, Standing.UNPROVEN),
    ]
    (journal,) = stated.journals
    assert (journal.seq, journal.hash) == (len(till.journal), till.head)
    with town.work.begin() as unit:
        assert stated.ledger == LedgerHead(*unit.ledger.head())


def test_a_day_is_in_the_tree_once_it_is_over_and_every_line_leads_there(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    other = town.till(town.other_shop)
    till.sell(chip, 1250)
    till.sync()
    other.sell(chip, 500)
    other.sync()
    assert not issue(town).statement.days
    town.clock.seconds = day_end(day_at(START)) + 3600
    signed = issue(town)
    (day,) = signed.statement.days
    assert (day.start, day.size) == (day_end(day_at(START - DAY_S)), 4)
    (line,), (where,) = signed.statement.lines, signed.inclusions
    assert root_by_path(line.hash, where.index, day.size, where.path) == day.root


def test_what_was_stated_is_still_in_an_export_a_month_later(town: Town, tmp_path: Path) -> None:
    chip, till = town.chip_with(5000), town.till()
    till.sell(chip, 1250)
    waits = till.sell(chip, 300, tc=False)
    till.sync()
    town.clock.seconds += 2 * DAY_S
    early = issue(town)
    till.prove(chip, 1)
    till.sell(chip, 200)
    till.sync()
    town.clock.seconds += 30 * DAY_S
    late = issue(town)
    assert {line.standing for line in late.statement.lines} == {Standing.PROVEN}
    verdict = audited(town, tmp_path, early, late)
    assert verdict.holds
    assert verdict.held["statement"] == (late.statement.ledger.transfer, late.statement.ledger.hash)
    assert waits in {line.seq for line in early.statement.lines}


def test_a_period_has_its_own_lines_only(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    till.sell(chip, 1250)
    town.clock.seconds += 40 * DAY_S
    later = till.sell(chip, 300)
    till.sync()
    signed = issue(town, Period(START + DAY_S, START + 60 * DAY_S))
    assert [line.seq for line in signed.statement.lines] == [later]


def test_a_stranger_has_no_statement(town: Town) -> None:
    service = StatementService(town.work, town.keys, town.clock)
    with pytest.raises(UnknownError, match="MERCHANT_UNKNOWN"):
        service.issue(99, ALL)


def test_a_close_is_taken_in_moves_the_mark_and_is_added_up_again(
    town: Town, tmp_path: Path
) -> None:
    chip, till = town.chip_with(5000), town.till()
    till.sell(chip, 1250)
    told = till.sync().ledger
    assert told is not None
    town.clock.seconds += 600
    close(till, 1, Count(1, 1250), Count(), told)
    (verdict,) = till.sync().verdicts
    assert verdict.outcome is Outcome.CREATED
    with town.work.begin() as unit:
        assert unit.terminals.terminal(till.number).mark == town.clock.seconds
    found = audited(town, tmp_path)
    assert found.holds
    assert found.held["close"] == (told.transfer, told.hash)


@pytest.mark.usefixtures("auditor_may_differ")
def test_a_close_that_counts_less_than_was_sold_is_named(town: Town, tmp_path: Path) -> None:
    chip, till = town.chip_with(5000), town.till()
    till.sell(chip, 1250)
    close(till, 1, Count(0, 0), Count(), None)
    till.sync()
    (finding,) = audited(town, tmp_path).findings
    assert (finding.code, finding.place.seq) == ("CLOSE_SUMS_OTHER", 3)


@pytest.mark.usefixtures("auditor_may_differ")
def test_a_close_over_an_open_outcome_does_not_move_the_mark(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    till.begin(chip, 1250)
    close(till, 1, Count(), Count(), None)
    till.sync()
    with town.work.begin() as unit:
        assert unit.terminals.terminal(till.number).mark == 0

"""A merchant's look at a statement: what the operator signed against the till's own journal."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cardlib.codec.purse import SpendType
from cardlib.errors import AuthenticityError, CardlibError
from cardlib.wire.entry_body import Committed, Intent
from cardlib.wire.ledger_head import LedgerHead
from cardlib.wire.merkle import Tree
from cardlib.wire.statement import DayRoot, JournalHead, Standing, StatedEntry, Statement
from terminal.statement_check import Checked, check_statement
from terminal.till import Till
from tests.integration.terminal.stage import Customer, Stage
from tests.integration.terminal.test_sale import refused

DAY = 1_790_000_000


def stated(stage: Stage, till: Till) -> Statement:
    """What an honest operator states of this till, its newest sale's day in a tree of its own."""
    lines = []
    for stored in till.journal.views.entries():
        body = stored.decode().body
        if isinstance(body, Committed):
            intent = till.journal.views.entry(body.intent_seq).decode().body
            assert isinstance(intent, Intent)
            lines.append(
                StatedEntry(
                    till.certificate.terminal, stored.seq, stored.hash, SpendType.SALE,
                    sum(line.cents for line in intent.lines), Standing.PROVEN,
                )
            )  # fmt: skip
    head = till.journal.views.head()
    return Statement(
        merchant=till.certificate.merchant, merchant_name="Shop", operator="Operator",
        issued_at=stage.clock.unix_ms() // 1000, time_from=0, time_to=2**40, lines=tuple(lines),
        journals=(JournalHead(till.certificate.terminal, head.seq, head.hash),),
        days=(DayRoot(DAY, len(lines), Tree([line.hash for line in lines]).root),),
        ledger=LedgerHead(7, bytes(32)),
    )  # fmt: skip


def look(stage: Stage, till: Till, statement: Statement, folder: Path) -> Checked:
    hashes = [line.hash for line in statement.lines]
    inclusions = [
        {
            "terminal": line.terminal, "seq": line.seq, "day": DAY, "index": at,
            "path": [step.hex() for step in Tree(hashes).path_of(at)],
        }
        for at, line in enumerate(statement.lines)
    ]  # fmt: skip
    file = folder / "statement.json"
    complete = statement.sign(stage.operator).hex()
    file.write_text(json.dumps({"bytes": complete, "inclusions": inclusions}))
    return check_statement(till, till.journal, file)


@pytest.fixture
def till(stage: Stage) -> Till:
    """A till with two sales."""
    till = stage.till()
    shop = Customer(till, stage.card().plug())
    shop.buy(10_00)
    shop.buy(2_50)
    return till


def test_an_honest_statement_agrees(stage: Stage, till: Till, tmp_path: Path) -> None:
    checked = look(stage, till, stated(stage, till), tmp_path)
    assert (checked.own, checked.included, checked.faults) == (2, 2, ())


def test_a_sale_left_out_is_missed(stage: Stage, till: Till, tmp_path: Path) -> None:
    full = stated(stage, till)
    (fault,) = look(stage, till, replace(full, lines=full.lines[:1], days=()), tmp_path).faults[:1]
    assert (fault.code, fault.seq) == ("STATEMENT_LINE_MISSING", full.lines[1].seq)


def test_a_sale_that_never_was_is_foreign(stage: Stage, till: Till, tmp_path: Path) -> None:
    full = stated(stage, till)
    lines = (full.lines[0], replace(full.lines[1], hash=bytes(32)))
    codes = {fault.code for fault in look(stage, till, replace(full, lines=lines), tmp_path).faults}
    assert codes == {"STATEMENT_LINE_FOREIGN", "STATEMENT_NOT_INCLUDED"}


def test_a_root_over_other_entries_is_noticed(stage: Stage, till: Till, tmp_path: Path) -> None:
    full = stated(stage, till)
    days = (replace(full.days[0], root=bytes(32)),)
    checked = look(stage, till, replace(full, days=days), tmp_path)
    assert {fault.code for fault in checked.faults} == {"STATEMENT_NOT_INCLUDED"}


def test_another_merchants_statement_is_refused(stage: Stage, till: Till, tmp_path: Path) -> None:
    other = replace(stated(stage, till), merchant=999)
    assert refused(lambda: look(stage, till, other, tmp_path)).code == "STATEMENT_OTHER_MERCHANT"


def test_a_strangers_signature_is_refused(stage: Stage, till: Till, tmp_path: Path) -> None:
    statement = stated(stage, till)
    file = tmp_path / "statement.json"
    file.write_text(json.dumps({"bytes": statement.sign(stage.operator).hex()[:-2] + "00"}))
    with pytest.raises(AuthenticityError):
        check_statement(till, till.journal, file)


@pytest.mark.parametrize("text", ["{", "[]", '{"bytes": "zz"}', "{}"])
def test_a_file_that_is_no_statement_is_told(
    stage: Stage, till: Till, tmp_path: Path, text: str
) -> None:
    (tmp_path / "statement.json").write_text(text)
    with pytest.raises(CardlibError):
        check_statement(till, till.journal, tmp_path / "statement.json")

"""What merchants were given: kept by its hash, in the export, checked by the auditor."""

import json
import tempfile
from hashlib import sha256
from pathlib import Path

import pytest

from backend.domain.settlement import Period
from backend.services.export.export import write_export
from backend.services.settlement.statements import SignedStatement, StatementService
from backend.verifier.audit import audit
from tests.integration.backend.books import check_export
from tests.integration.backend.builders import START, Town

ALL = Period(0, START + 8_640_000)


def given(town: Town) -> list[tuple[int, bytes, int]]:
    with town.work.read() as unit:
        rows = unit.settlement.given_statements()
        return [(row.merchant_id, row.hash, row.transfer) for row in rows]


def issue(town: Town) -> SignedStatement:
    return StatementService(town.work, town.keys, town.clock).issue(town.shop, ALL)


def sold(town: Town, cents: int = 700) -> None:
    chip, till = town.chip_with(5_000), town.till()
    till.sell(chip, cents)
    till.sync()


def findings(directory: Path, *evidence: Path) -> set[str]:
    return {finding.code for finding in audit(directory, evidence=evidence).findings}


def test_each_statement_is_kept_once_with_the_head_that_it_names(town: Town) -> None:
    sold(town)
    first, again = issue(town), issue(town)
    assert first == again
    town.clock.seconds += 60
    sold(town)
    second = issue(town)
    assert given(town) == [
        (town.shop, sha256(item.complete).digest(), item.statement.ledger.transfer)
        for item in (first, second)
    ]
    check_export(town)


@pytest.mark.usefixtures("auditor_may_differ")
@pytest.mark.parametrize("listed", [True, False])
def test_a_statement_that_a_merchant_keeps_is_one_of_those_given(town: Town, listed: bool) -> None:
    sold(town)
    issue(town)
    town.clock.seconds += 60
    kept = issue(town)
    with tempfile.TemporaryDirectory() as folder:
        directory, evidence = Path(folder) / "export", Path(folder) / "kept.jsonl"
        row = {"merchant": town.shop, "bytes": kept.complete.hex()}
        evidence.write_text(json.dumps(row) + "\n")
        if not listed:
            forget(town, kept)
        write_export(town.work, directory, town.clock.seconds)
        assert findings(directory, evidence) == (set() if listed else {"STATEMENT_NOT_LISTED"})


def forget(town: Town, statement: SignedStatement) -> None:
    """Somebody takes the newest one off the list."""
    with town.work.begin() as unit:
        row = unit.settlement.given_statement(sha256(statement.complete).digest())
        assert row is not None
        row.hash = bytes(32)
        unit.commit()


@pytest.mark.usefixtures("auditor_may_differ")
def test_a_head_that_the_ledger_never_had_is_found(town: Town) -> None:
    sold(town)
    issue(town)
    with town.work.begin() as unit:
        unit.settlement.given_statements()[0].head = bytes(32)
        unit.commit()
    with tempfile.TemporaryDirectory() as folder:
        write_export(town.work, Path(folder), town.clock.seconds)
        assert findings(Path(folder)) == {"GIVEN_HEAD_OTHER"}

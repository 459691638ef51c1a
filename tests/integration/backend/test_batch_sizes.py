"""The same entries in uploads of any size: the same verdicts, and the same books in the end."""

from dataclasses import dataclass
from functools import partial

import pytest
from sqlalchemy import Engine

from backend.adapters.tables.verdicts import PostingRow
from backend.adapters.unit_of_work import Unit
from backend.domain.ledger import AccountKind
from tests.databases import Databases
from tests.integration.backend.books import check_export, check_laws
from tests.integration.backend.builders import Town
from tests.integration.backend.streams import Stream

WHOLE_RUNS = 100


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_how_entries_are_bundled_into_uploads_changes_nothing(
    databases: Databases, seed: int
) -> None:
    told = partial(_told, databases, seed)
    assert told(size=1) == told(size=WHOLE_RUNS)


@dataclass(frozen=True)
class _Told:
    """What tills were answered, and what the books say when everything has come."""

    verdicts: list[object]
    terminals: list[object]
    purses: list[object]
    postings: list[object]
    balances: dict[str, int]
    alarms: set[tuple[str, str]]
    waiting: list[tuple[str, str]]
    requests: list[tuple[int, int]]


def _told(databases: Databases, seed: int, *, size: int) -> _Told:
    engine: Engine = databases.fresh()
    town = Town(engine)
    stream = Stream(town, seed, steps=25)
    answers = stream.send(stream.arrivals(), size)
    check_laws(town)
    check_export(town)
    with town.work.read() as unit:
        return _Told(
            verdicts=[verdict for answer in answers for verdict in answer.verdicts],
            terminals=[(row.high_seq, row.high_hash, row.mark) for row in unit.terminals.all()],
            purses=[
                (row.proven_ctr, row.proven_hash, row.card_mark, row.hotlist_code)
                for row in unit.cards.purses()
            ],
            postings=[
                _place(unit, row)
                for purse in unit.cards.purses()
                for row in unit.verdicts.postings(purse.id)
            ],
            balances=_balances(unit),
            alarms={(row.code, row.ref) for row in unit.verdicts.alarms()},
            waiting=sorted(
                (str(row.entry_ref), row.code) for row in unit.verdicts.cases()
                if row.state == "open"
            ),
            requests=[(row.purse_id, row.ctr) for row in unit.verdicts.proof_requests()],
        )  # fmt: skip


def _place(unit: Unit, row: PostingRow) -> object:
    """A posting and where its money lies; cases are numbered as they come."""
    parts = [
        (
            part.slot, unit.ledger.account(part.origin_id).code,
            unit.ledger.account(part.holder_id).kind, part.cents,
        )
        for part in row.parts
    ]  # fmt: skip
    return (
        row.ctr, row.record_hash, row.state, row.live, row.amount_open, row.reason,
        row.merchant_id, row.closing_seq, sorted(parts),
    )  # fmt: skip


def _balances(unit: Unit) -> dict[str, int]:
    """Every account; all that is in suspense as one."""
    sums: dict[str, int] = {}
    for account, cents in unit.ledger.balances().items():
        name = "suspense" if account.kind is AccountKind.SUSPENSE else account.code
        sums[name] = sums.get(name, 0) + cents
    return {name: cents for name, cents in sums.items() if cents}

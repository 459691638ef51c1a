"""Law 6 for payments: what a merchant is owed is batched once and paid once.

A batch took out of *payable* what its included lines say; it lies in *in_payment* until its
one payment is made, and is payable again when that fails. No posting is included in two batches
that have not failed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from simulator.errors import TownError
from simulator.town.checks.evidence import breach
from simulator.town.checks.ledger import LedgerWatch, SeenTransfer
from simulator.town.checks.sql import Sql

_BATCH = (
    "SELECT state, total_cents, (SELECT coalesce(sum(cents), 0) FROM batch_line"
    " WHERE batch_id = b.id AND state = 'included'),"
    " (SELECT coalesce(sum(cents), 0) FROM payment WHERE batch_id = b.id),"
    " (SELECT coalesce(sum(cents), 0) FROM payment WHERE batch_id = b.id AND state = 'paid')"
    " FROM settlement_batch b WHERE id = ?"
)
_TWICE = (
    "SELECT l.posting_id, sum(l.cents) FROM batch_line l"
    " JOIN settlement_batch b ON b.id = l.batch_id WHERE l.state = 'included'"
    " AND b.state <> 'failed' AND l.posting_id IN (SELECT posting_id FROM batch_line"
    " WHERE batch_id = ?) GROUP BY l.posting_id, l.return_id, sign(l.cents) HAVING count(*) > 1"
)
_OUTCOME = (
    "SELECT p.batch_id FROM outcome o JOIN payment p ON p.id = o.payment_id WHERE o.reference = ?"
)
_ALL = "SELECT id FROM settlement_batch"


class SettlementWatch:
    """Every batch."""

    def __init__(self, ledger: LedgerWatch) -> None:
        self._ledger = ledger
        self._documents: dict[int, set[tuple[str, str]]] = {}

    def check(self, sql: Sql, transfers: Iterable[SeenTransfer]) -> None:
        """Batches that were booked; TownError ``TOWN_BOOKED_TWICE``."""
        touched = set()
        for document in {one.document for one in transfers}:
            for batch in self._batches(sql, document):
                self._documents.setdefault(batch, set()).add(document)
                touched.add(batch)
        for batch in sorted(touched):
            self._check_batch(sql, batch)

    def check_all(self, sql: Sql) -> None:
        """Every batch, at the end."""
        for (batch,) in sql.ask(_ALL):
            self._check_batch(sql, batch)

    def _batches(self, sql: Sql, document: tuple[str, str]) -> list[int]:
        kind, number = document
        if kind == "batch":
            return [int(number)]
        return [batch for (batch,) in sql.ask(_OUTCOME, number)] if kind == "outcome" else []

    def _check_batch(self, sql: Sql, batch: int) -> None:
        state, total, included, ordered, paid = sql.one(_BATCH, batch)
        net = self._net(batch)
        wanted = _where(state, total)
        if {kind: cents for kind, cents in net.items() if cents} != wanted:
            raise _twice(batch, f"{dict(net)} while {state}", total)
        if included != total or ordered not in {0, total} or paid not in {0, total}:
            raise _twice(batch, f"lines {included}, payments {ordered}, paid {paid}", total)
        for posting, cents in sql.ask(_TWICE, batch):
            raise _twice(batch, f"posting {posting} is in another batch too", cents)

    def _net(self, batch: int) -> Counter[str]:
        net: Counter[str] = Counter()
        for document in self._documents.get(batch, ()):
            for account, cents in self._ledger.nets[document].items():
                net[self._ledger.accounts[account].kind] += cents
        return net


def _where(state: str, total: int) -> Mapping[str, int]:
    """What a batch has moved, all together."""
    if state == "failed":
        return {}
    return {"payable": -total, "paid" if state == "paid" else "in_payment": total}


def _twice(batch: int, what: str, cents: int) -> TownError:
    return breach("TOWN_BOOKED_TWICE", 6, f"batch {batch}", what, cents)

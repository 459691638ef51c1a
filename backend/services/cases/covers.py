"""Who bears what a wallet lacked, as people decided, and gives way again when a sale is void.

A case that is paid though its wallet lacked the money lays the gap on the fund or on a loss
(``CASE_COVERED``). A void that gives the money back to exposure takes the gap away: whoever
bore it gets it back, by the same kind of transfer, of the same case, the other way round.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from backend.adapters.tables.verdicts import PostingRow
from backend.adapters.unit_of_work import Unit
from backend.domain.ledger import Account, AccountKind, Ref, RefKind, Transfer, TransferKind
from backend.domain.positions import Place
from cardlib.wire.money import Money


def follow_void(
    unit: Unit, sale: PostingRow, returned: Mapping[Account, int], event_time: int
) -> list[Transfer]:
    """The cover of ``sale`` after a void of it; ``returned``: cents by exposure account.

    Above zero came back to exposure, below zero left it again (the void does not hold after
    all): then whoever had borne it bears it again, a fund as far as it can.
    """
    return [
        Transfer(
            kind=TransferKind.CASE_COVERED, source=source, target=target, money=Money(cents),
            event_time=event_time, ref=Ref(RefKind.CASE, str(sale.case_id)),
        )
        for source, target, cents in _moves(unit, sale, returned)
    ]  # fmt: skip


def is_covered(unit: Unit, sale: PostingRow) -> bool:
    """Whether somebody bears what the sale's wallet lacked."""
    return any(cover.now > 0 for cover in _covers(unit, sale).values())


def returned_by(position: Mapping[Place, int]) -> Counter[Account]:
    """Cents that a void's position has given back, by exposure account."""
    cents: Counter[Account] = Counter()
    for (origin, _holder), amount in position.items():
        if origin.kind is AccountKind.EXPOSURE:
            cents[origin] -= amount
    return cents


@dataclass(slots=True)
class _Cover:
    """Cents that somebody bears, as people decided and as it is now."""

    decided: int = 0
    now: int = 0


def _moves(
    unit: Unit, sale: PostingRow, returned: Mapping[Account, int]
) -> Iterator[tuple[Account, Account, int]]:
    for (bearer, exposure), cover in _covers(unit, sale).items():
        change = returned.get(exposure, 0)
        undone, again = min(change, cover.now), min(-change, cover.decided - cover.now)
        if bearer.kind is AccountKind.FUND:
            again = min(again, unit.ledger.balance(bearer))
        if undone > 0:
            yield exposure, bearer, undone
        elif again > 0:
            yield bearer, exposure, again


def _covers(unit: Unit, sale: PostingRow) -> dict[tuple[Account, Account], _Cover]:
    """By bearer and exposure account."""
    covers: dict[tuple[Account, Account], _Cover] = {}
    if sale.case_id is None:
        return covers
    rows = unit.ledger.transfers_of(RefKind.CASE, str(sale.case_id), TransferKind.CASE_COVERED)
    for row in rows:
        source, target = unit.ledger.account(row.source_id), unit.ledger.account(row.target_id)
        if target.kind is AccountKind.EXPOSURE:
            cover = covers.setdefault((source, target), _Cover())
            cover.now += row.cents
            cover.decided = max(cover.decided, cover.now)
        else:
            covers[target, source].now -= row.cents
    return covers

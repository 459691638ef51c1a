"""Looks at the books as a person would, and checks the laws of the money."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from backend.adapters.tables.cards import CardGrantRow
from backend.adapters.tables.ledger import TransferRow
from backend.adapters.tables.verdicts import PostingRow
from backend.adapters.unit_of_work import Unit
from backend.domain.ledger import (
    FIRST_PREV_HASH,
    AccountKind,
    Ref,
    RefKind,
    Transfer,
    TransferKind,
    transfer_hash,
)
from backend.services.export.export import write_export
from backend.verifier.audit import audit
from cardlib.codec.purse import SLOTS, Grant
from cardlib.wire.money import Money
from tests.integration.backend.builders import Chip, Town
from tests.ledger_equations import SlotBooks, check_programmes


def held(town: Town) -> dict[str, int]:
    """Cents by kind of account; kinds that hold nothing are left out."""
    result: dict[str, int] = {}
    with town.work.begin() as unit:
        for account, cents in unit.ledger.balances().items():
            result[account.kind.value] = result.get(account.kind.value, 0) + cents
    return {kind: cents for kind, cents in result.items() if cents}


def payable(town: Town, merchant: int) -> int:
    with town.work.begin() as unit:
        return sum(
            cents
            for account, cents in unit.ledger.balances().items()
            if account.kind is AccountKind.PAYABLE and account.merchant == merchant
        )


def postings(town: Town, chip: Chip) -> list[PostingRow]:
    with town.work.begin() as unit:
        return list(unit.verdicts.postings(town.purse_row(unit, chip).id))


def alarms(town: Town) -> list[str]:
    with town.work.begin() as unit:
        return [alarm.code for alarm in unit.verdicts.alarms()]


def check_export(town: Town) -> None:
    """The independent auditor, which shares no code with the service, finds nothing."""
    with tempfile.TemporaryDirectory() as directory:
        write_export(town.work, Path(directory), town.clock.seconds)
        verdict = audit(Path(directory))
    assert verdict.holds, [str(finding) for finding in verdict.findings]


def check_laws(town: Town) -> None:
    """The equations of PROTOCOL 7, and that the kept balances are the chain's."""
    with town.work.begin() as unit:
        check_programmes(unit.ledger.balances())
        transfers = unit.ledger.transfers(limit=100_000)
        _check_chain(unit, transfers)
        for purse in unit.cards.purses():
            wallet = _Wallet.read(unit, purse.id, transfers)
            for slot in range(1, SLOTS + 1):
                assert wallet.slot_books(slot).difference == 0, (purse.id, slot)


def _check_chain(unit: Unit, transfers: Sequence[TransferRow]) -> None:
    sums: dict[int, int] = {}
    previous, count = FIRST_PREV_HASH, 0
    for count, row in enumerate(transfers, start=1):
        transfer = Transfer(
            kind=TransferKind(row.kind), source=unit.ledger.account(row.source_id),
            target=unit.ledger.account(row.target_id), money=Money(row.cents),
            event_time=row.event_time, ref=Ref(RefKind(row.ref_kind), row.ref_id),
        )  # fmt: skip
        assert row.id == count
        assert row.prev_hash == previous
        previous = transfer_hash(previous, count, row.booked_at, transfer)
        assert row.hash == previous
        sums[row.source_id] = sums.get(row.source_id, 0) - row.cents
        sums[row.target_id] = sums.get(row.target_id, 0) + row.cents
    assert unit.ledger.head() == (count, previous)
    for account in unit.ledger.rows():
        assert sums.get(account.id, 0) == account.balance_cents, account.code


@dataclass(frozen=True, slots=True)
class _Wallet:
    """A purse as the tables have it. Read once: each question to a database takes its time."""

    unit: Unit
    purse: int
    grants: Sequence[CardGrantRow]
    postings: Sequence[PostingRow]
    moved: Sequence[TransferRow]
    """The transfers from or to this purse's accounts, in order."""

    @classmethod
    def read(cls, unit: Unit, purse: int, transfers: Sequence[TransferRow]) -> Self:
        account, cards, verdicts = unit.ledger.account, unit.cards, unit.verdicts
        moved = [
            row
            for row in transfers
            if purse in (account(row.source_id).purse, account(row.target_id).purse)
        ]
        return cls(unit, purse, cards.grants_of(purse), verdicts.postings(purse), moved)

    def slot_books(self, slot: int) -> SlotBooks:
        grants = [g for g in self.grants if g.slot == slot and g.state == "on_card"]
        newest = Grant.decode(grants[-1].grant) if grants else None
        posted = over = 0
        for row in self.postings:
            for part in row.parts if row.live else ():
                if part.slot != slot:
                    continue
                posted += part.cents
                exposed = self.unit.ledger.account(part.origin_id).kind is AccountKind.EXPOSURE
                over += part.cents if exposed else 0
        present = self.unit.ledger.present_accounts(self.purse, slot)
        kinds = {kind: sum(c for a, c in present if a.kind == kind) for kind in AccountKind}
        return SlotBooks(
            granted=newest.granted_total if newest else 0, posted=posted, over=over,
            on_card=kinds[AccountKind.ON_CARD], blocked=kinds[AccountKind.BLOCKED],
            expired_pending=kinds[AccountKind.EXPIRED_PENDING], left=self._left(slot),
        )  # fmt: skip

    def _left(self, slot: int) -> int:
        """What the wallet gave up, by its transfers, less what new grants did not contain."""
        left = 0
        last: Grant | None = None
        confirmed = [g for g in self.grants if g.slot == slot and g.confirmed_at]
        orders = {str(row.order_id): row for row in confirmed}
        mine, ledger = (self.purse, slot), self.unit.ledger
        moved_nothing = [g for g in confirmed if not self.unit.cards.order(g.order_id).delta_cents]

        def replace(row: CardGrantRow) -> int:
            nonlocal last
            grant, before = Grant.decode(row.grant), last
            carried, last = self.unit.cards.order(row.order_id).carried_over_cents, grant
            rest = 0 if before is None else before.granted_total - grant.base_spent - carried
            return max(0, left - max(rest, 0))

        for row in self.moved:
            while moved_nothing and (moved_nothing[0].confirmed_at or 0) < row.booked_at:
                left = replace(moved_nothing.pop(0))
            source, target = ledger.account(row.source_id), ledger.account(row.target_id)
            received = (target.purse, target.slot) == mine
            if received and row.kind == TransferKind.GRANT_CONFIRMED:
                left = replace(orders[row.ref_id])
            if row.kind == TransferKind.WALLET_LEFT:
                continue
            if (source.purse, source.slot) == mine and target.kind in _GONE:
                left += row.cents
            if received and row.kind == TransferKind.ORDER_VOID:
                left -= row.cents
        for grant_row in moved_nothing:
            left = replace(grant_row)
        return left


_GONE = (AccountKind.EXPIRED, AccountKind.LOADING)

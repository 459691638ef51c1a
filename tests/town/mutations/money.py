"""Defects against law 1 (conservation), law 3 (no more than granted) and law 6 (idempotence)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from backend.adapters.repositories.ledger import Ledger
from backend.adapters.repositories.settlement import Settlement
from backend.adapters.tables.cards import PurseRow
from backend.adapters.tables.verdicts import PostingRow
from backend.domain import load
from backend.domain.ledger import TransferKind
from backend.domain.settlement import BatchState, Draft
from backend.services.settlement import outcomes
from backend.services.verdicts import postings
from backend.services.verdicts.placement import Placement
from tests.town.mutations.defect import Defect, Site

Note = Callable[[], None]


def _void_adds(real: Any, note: Note) -> Any:
    def defective(self: Placement, judgement: Any, *rest: Any) -> Any:
        wanted, reason = real(self, judgement, *rest)
        if judgement.proven and wanted:
            note()
            wanted = {
                slot: {place: -cents for place, cents in position.items()}
                for slot, position in wanted.items()
            }
        return wanted, reason

    return defective


def _rest_lost(real: Any, note: Note) -> Any:
    def defective(*arguments: Any) -> Any:
        carried, left = real(*arguments)
        if carried:
            note()
        return 0, left

    return defective


def _rest_twice(real: Any, note: Note) -> Any:
    def defective(*arguments: Any) -> Any:
        carried, left = real(*arguments)
        if carried:
            note()
        return carried, carried + left

    return defective


def _failed_stays(_real: Any, note: Note) -> Any:
    def defective(_unit: Any, row: Any, *_rest: Any) -> None:
        note()
        row.state = BatchState.FAILED

    return defective


def _later_proof_forgotten(real: Any, note: Note) -> Any:
    def defective(self: Ledger, head: Any, transfer: Any, booked_at: int) -> None:
        real(self, head, transfer, booked_at)
        if transfer.kind is TransferKind.LATER_PROVEN:
            note()
            self.row(transfer.target).balance_cents -= transfer.money.cents

    return defective


def _one_cent_more(real: Any, note: Note) -> Any:
    def defective(self: Draft) -> int:
        note()
        return int(real.fget(self)) + 1

    return property(defective)


MONEY = (
    Defect(
        name="void-adds", law=1,
        does="a proven void is booked with the sign of a sale",
        sites=(Site(Placement, "_wanted_void", _void_adds),),
    ),
    Defect(
        name="rest-lost", law=1,
        does="a new grant does not contain what was left on the wallet",
        sites=(Site(load, "_old_wallet", _rest_lost),),
    ),
    Defect(
        name="rest-twice", law=1,
        does="what was left on a wallet is carried over, and given up besides",
        sites=(Site(load, "_old_wallet", _rest_twice),),
    ),
    Defect(
        name="failed-stays", law=1,
        does="a failed payment does not become payable again",
        sites=(Site(outcomes, "fail_batch", _failed_stays),),
    ),
    Defect(
        name="later-proof-forgotten", law=1,
        does="a sale proven later leaves suspense and arrives nowhere",
        sites=(Site(Ledger, "_append", _later_proof_forgotten),),
    ),
)  # fmt: skip


# law 3 --------------------------------------------------------------------------------------


def _one_euro_more(real: Any, note: Note) -> Any:
    def defective(*arguments: Any) -> Any:
        note()
        new = real(*arguments)
        return replace(
            new, grant=replace(new.grant, granted_total=new.grant.granted_total + 100)
        )  # fmt: skip

    return defective


def _not_compared(real: Any, note: Note) -> Any:
    def defective(*arguments: Any) -> Any:
        try:
            if real(*arguments) is not None:
                note()
        except Exception:  # noqa: BLE001 - whatever it found, it is passed over
            note()

    return defective


def _old_grant_stays(real: Any, note: Note) -> Any:
    def defective(*arguments: Any) -> Any:
        decision = real(*arguments)
        if decision.clear:
            note()
        return replace(decision, clear=())

    return defective


GRANTS = (
    Defect(
        name="one-euro-more", law=3,
        does="a grant is signed for a euro more than was ordered",
        sites=(Site(load, "_new_grant", _one_euro_more),),
    ),
    Defect(
        name="not-compared", law=3,
        does="a load is signed whatever the card holds above the books",
        sites=(Site(load, "compare", _not_compared),), town="desk",
    ),
    Defect(
        name="old-grant-stays", law=3,
        does="the grant that a load replaces is not overwritten on the card",
        sites=(Site(load, "_placed", _old_grant_stays), Site(load, "_tidy", _old_grant_stays)),
    ),
)  # fmt: skip


# law 6 --------------------------------------------------------------------------------------


def _booked_anew(real: Any, note: Note) -> Any:
    def defective(unit: Any, row: Any) -> Any:
        found = real(unit, row)
        if found and not row.is_void and row.state == "proven":
            note()
            return {}
        return found

    return defective


def _batched_again(real: Any, note: Note) -> Any:
    def defective(self: Settlement, municipality: int, merchant: int, time_to: int) -> Any:
        new = real(self, municipality, merchant, time_to)
        rows = self._session.execute(
            select(PostingRow, PurseRow)
            .join(PurseRow, PurseRow.id == PostingRow.purse_id)
            .where(PostingRow.merchant_id == merchant, PostingRow.event_time < time_to)
            .where(PostingRow.live.is_(True), PostingRow.state == "proven")
            .order_by(PostingRow.event_time.desc())
        )
        known = {posting.id for posting, _ in new}
        again = [(posting, purse) for posting, purse in rows if posting.id not in known]
        if not new or not again:
            return new
        note()
        return again[:1]

    return defective


IDEMPOTENCE = (
    Defect(
        name="booked-anew", law=6,
        does="a posting that is judged again is booked again",
        sites=(Site(postings, "positions_of", _booked_anew),),
    ),
    Defect(
        name="one-cent-more", law=6,
        does="a batch pays a cent more than its lines",
        sites=(Site(Draft, "total_cents", _one_cent_more),),
    ),
    Defect(
        name="batched-again", law=6,
        does="a sale that was paid is put into the next batch too",
        sites=(Site(Settlement, "waiting_postings", _batched_again),),
    ),
)  # fmt: skip

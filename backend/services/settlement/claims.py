"""What a merchant may be paid for: claims, as the rules of a batch look at them."""

from backend.adapters.tables.cards import PurseRow
from backend.adapters.tables.settlement import GoodsReturnRow
from backend.adapters.tables.verdicts import PostingRow
from backend.adapters.unit_of_work import Unit
from backend.domain.claim_window import window_end
from backend.domain.ledger import AccountKind, Pot
from backend.domain.settlement import Claim, ClaimPart
from backend.domain.verdicts import PostingState
from backend.services.verdicts.posted import entry_of

_CLAIM_KINDS = (AccountKind.PAYABLE, AccountKind.SUSPENSE)


def claims_of(unit: Unit, municipality: int, merchant: int, time_to: int, now: int) -> list[Claim]:
    """Every posting and return of a merchant before ``time_to`` that is in no batch that stands."""
    waiting = unit.settlement.waiting_postings(municipality, merchant, time_to)
    unit.ledger.fetch_accounts_by_id(
        part.holder_id for posting, _ in waiting for part in posting.parts
    )
    unit.verdicts.fetch_cases(row.case_id for row, _ in waiting if row.case_id is not None)
    failed = unit.settlement.included_lines(posting.id for posting, _ in waiting)
    claims = {
        posting.id: _claim(unit, posting, purse, failed.get(posting.id), now)
        for posting, purse in waiting
    }
    returns = [
        _claim_back(unit, row, claims.get(row.posting_id))
        for row in unit.settlement.waiting_returns(municipality, merchant, time_to)
    ]
    return [claim for claim in claims.values() if claim.parts] + returns


def payable_to(unit: Unit, merchant: int) -> dict[Pot, int]:
    """What the ledger owes the merchant, by pot."""
    accounts = unit.ledger.accounts_of_merchant(merchant, AccountKind.PAYABLE)
    return {account.pot: cents for account, cents in accounts.items()}


def _claim_back(unit: Unit, row: GoodsReturnRow, sale: Claim | None) -> Claim:
    """What a return takes off; it waits as long as its sale does."""
    failed, posting = unit.settlement.line_of_return(row.id), unit.verdicts.posting(row.posting_id)
    waits = sale is not None and sale.postponement() is not None
    return Claim(
        posting=row.posting_id, entry=entry_of(posting), event_time=row.agreed_at, proven=True,
        amount_open=False, chain_closed=not waits,
        parts=(ClaimPart(row.pot, payable=True, cents=-row.cents),),
        replaces=failed.id if failed else None, goods_return=row.id,
    )  # fmt: skip


def _claim(unit: Unit, posting: PostingRow, purse: PurseRow, failed: int | None, now: int) -> Claim:
    holders = [(unit.ledger.account(part.holder_id), part.cents) for part in posting.parts]
    decided = _is_decided(unit, posting)
    waits_until = window_end(posting.booked_at, purse.municipality.claim_window_days)
    return Claim(
        posting=posting.id,
        entry=entry_of(posting),
        event_time=posting.event_time,
        proven=posting.state == PostingState.PROVEN or decided,
        amount_open=posting.amount_open,
        chain_closed=posting.ctr <= purse.card_mark,
        parts=tuple(
            ClaimPart(holder.pot, holder.kind is AccountKind.PAYABLE, cents)
            for holder, cents in holders
            if holder.kind in _CLAIM_KINDS
        ),
        replaces=failed,
        final=decided or now >= waits_until,
    )


def _is_decided(unit: Unit, posting: PostingRow) -> bool:
    """Whether a person closed its case."""
    if posting.case_id is None:
        return False
    return unit.verdicts.case(posting.case_id).by_people

"""Where the money of a wallet lies: on the card, expired, or blocked (PROTOCOL 7).

A wallet has one *present account*. What comes back to another one (a sale disproved after
the card was blocked) is moved on, so that there is never money in two of them for long.
"""

from collections.abc import Iterable, Sequence

from backend.adapters.tables.cards import CardGrantRow, PurseRow
from backend.adapters.unit_of_work import Unit
from backend.domain.expiry import expired_from
from backend.domain.ledger import Account, AccountKind, Ref, RefKind, Transfer, TransferKind
from backend.domain.states import GrantState, PurseState
from backend.services.wallets.accounts import same_pot
from cardlib.codec.purse import Grant
from cardlib.wire.money import Money

_MOVES = {
    (AccountKind.ON_CARD, AccountKind.EXPIRED_PENDING): TransferKind.EXPIRED_PENDING,
    (AccountKind.BLOCKED, AccountKind.EXPIRED_PENDING): TransferKind.EXPIRED_PENDING,
    (AccountKind.ON_CARD, AccountKind.BLOCKED): TransferKind.CARD_BLOCKED,
    (AccountKind.BLOCKED, AccountKind.ON_CARD): TransferKind.CARD_UNBLOCKED,
}
"""Every other way needs a grant: expired money comes back with the next one only."""


def present_kind(purse: PurseRow, grant: CardGrantRow) -> AccountKind:
    """The kind of account that the wallet's money is in."""
    if grant.pending_at is not None:
        return AccountKind.EXPIRED_PENDING
    return AccountKind.ON_CARD if purse.state == PurseState.ACTIVE else AccountKind.BLOCKED


def keep_in_place(unit: Unit, purse: PurseRow, grants: Iterable[CardGrantRow], now: int) -> None:
    """Moves what lies in another account of a wallet than its present one.

    ``grants``: all of the purse.
    """
    for grant in grants:
        if grant.state == GrantState.ON_CARD:
            keep_wallet(unit, purse, grant, now)


def keep_wallet(unit: Unit, purse: PurseRow, grant: CardGrantRow, now: int) -> int:
    """As above for one wallet; the cents that were moved."""
    wanted, transfers = present_kind(purse, grant), list[Transfer]()
    for account, cents in unit.ledger.present_accounts(purse.id, grant.slot):
        kind = _MOVES.get((account.kind, wanted))
        if kind is not None and cents > 0:
            target = same_pot(account, wanted, purse=account.purse, slot=account.slot)
            transfers.append(_transfer(unit, purse, grant, kind, account, target, cents, now))
    unit.ledger.post(transfers, now)
    if transfers and wanted is AccountKind.EXPIRED_PENDING:
        grant.expired_at = None  # what came back late is given up at the next day's end
    return sum(transfer.money.cents for transfer in transfers)


def expiry_ref(purse: PurseRow, grant: CardGrantRow) -> Ref:
    """The document of everything that a wallet's expiry moves."""
    name = f"{purse.municipality.issuer.hex()}:{purse.number.hex()}:{grant.grant_seq}"
    return Ref(RefKind.EXPIRY, name)


def given_up(
    unit: Unit, purse: PurseRow, slot: int, grants: Sequence[CardGrantRow] | None = None
) -> int:
    """Cents that the card may still show in ``slot``, though the books gave them up.

    They expired for good, or moved to another card, since the slot's last confirmed grant;
    what the card spent of them meanwhile is not among them. ``grants``: all of the purse,
    where the caller has them.
    """
    for grant in unit.cards.grants_of(purse.id) if grants is None else grants:
        if grant.slot == slot and grant.state == GrantState.ON_CARD and _gave_up(purse, grant):
            granted = Grant.decode(grant.grant).granted_total
            present = sum(cents for _, cents in unit.ledger.present_accounts(purse.id, slot))
            return max(0, granted - _posted(unit, purse.id, slot) - present)
    return 0


def _gave_up(purse: PurseRow, grant: CardGrantRow) -> bool:
    return grant.pending_at is not None or purse.state == PurseState.REPLACED


def _posted(unit: Unit, purse_id: int, slot: int) -> int:
    return unit.verdicts.posted_by_slot(purse_id).get(slot, 0)


def _transfer(
    unit: Unit, purse: PurseRow, grant: CardGrantRow, kind: TransferKind,
    source: Account, target: Account, cents: int, now: int,
) -> Transfer:  # fmt: skip
    if kind is TransferKind.EXPIRED_PENDING:
        ref, event_time = expiry_ref(purse, grant), expired_from(grant.valid_to)
    else:
        block = unit.acts.last_block(purse.id)
        ref, event_time = Ref(RefKind.BLOCK, str(block.id)), now
        block.rest_ordered_at = None  # there is something to order again
    return Transfer(
        kind=kind, source=source, target=target, money=Money(cents), event_time=event_time, ref=ref
    )

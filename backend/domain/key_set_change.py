"""What a key-set change writes onto a purse: pure rules of PROTOCOL 2, *Key-set change*.

A change may have been torn anywhere, so the card is seen twice: as a purse of the old set
and as one of the new. Every wallet is worth the same afterwards, to the cent.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from backend.domain.load import CardView, view
from backend.domain.load_comparison import (
    PurseBooks,
    check_balances,
    check_grants,
    check_purse,
    check_watermark,
)
from backend.errors import ConflictError
from cardlib.codec.files import EF_GRANT
from cardlib.codec.purse import EMPTY_GRANT, U24_MAX, Grant, Spend, SpendType
from cardlib.dialogues.changing_purse import ChangingState
from cardlib.dialogues.key_set_change import GrantMove
from cardlib.dialogues.load import map_of
from cardlib.dialogues.purse_state import Wallet
from cardlib.errors import PurseRefusedError
from cardlib.keys.grants import SignedGrant
from cardlib.keys.intent_rule import PREV_SIZE, record_hash
from cardlib.keys.trust import Trust


@dataclass(frozen=True, slots=True)
class ChangingCard:
    """Both views of a purse between two key sets."""

    old: CardView
    new: CardView
    state: ChangingState

    @property
    def waiting(self) -> tuple[Wallet, ...]:
        """Wallets, by slot, that have no grant of the new set on the card yet."""
        slots = self.old.purse.wallets.items()
        return tuple(wallet for slot, wallet in slots if slot not in self.new.purse.wallets)

    @property
    def highest(self) -> int:
        """The highest grant_seq that the card shows."""
        genuine = (*self.old.genuine.values(), *self.new.genuine.values())
        return max((item.grant.grant_seq for item in genuine), default=0)


def views(state: ChangingState, trust: Trust) -> ChangingCard:
    """Reads the card as a till of the old and one of the new set would."""
    return ChangingCard(view(state.old, trust), view(state.new, trust), state)


def compare_changing(card: ChangingCard, books: PurseBooks, today: int) -> None:
    """ConflictError when card and books disagree: nothing may be signed anew then."""
    old, new = card.old.purse, card.new.purse
    purse = replace(
        old,
        wallets={**old.wallets, **new.wallets},
        refused={**old.refused, **new.refused},
    )
    genuine = (*card.old.genuine.values(), *card.new.genuine.values())
    hashes = {signed.grant.grant_seq: signed.hash for signed in genuine}
    check_purse(purse, replace(books, info_core=purse.info.core), today)
    check_grants(purse, hashes, books)
    check_watermark(card.state.old.newest, books)
    if not check_balances(purse, card.state.old, books):
        raise PurseRefusedError("CARD_HISTORY_SHORT")


def check_room(card: ChangingCard, books: PurseBooks) -> None:
    """PurseRefusedError ``PURSE_FULL`` while the old keys still hold: later is too late."""
    newest = card.state.old.newest.spend
    assert newest is not None
    numbers = max(books.grant_seq_high, card.highest) + len(card.waiting)
    if numbers > U24_MAX or (not card.state.has_init and newest.ctr >= U24_MAX):
        raise PurseRefusedError("PURSE_FULL")


def renewed_grant(
    wallet: Wallet, spend: Spend, books: PurseBooks, grant_seq: int, issuer_key: int
) -> tuple[Grant, int]:
    """The wallet's grant with a new number, standing on the newest record; and its cents.

    What the books have given up for good is not in it.
    """
    slot, spent = wallet.slot, spend.spent[wallet.slot - 1]
    cents = max(0, wallet.balance.cents - books.slot(slot).left)
    grant = replace(
        wallet.grant,
        grant_seq=grant_seq,
        granted_total=spent + cents,
        base_spent=spent,
        base_ctr=spend.ctr,
        issuer_key=issuer_key,
    )
    return grant, cents


def grant_moves(
    card: ChangingCard, signed_for: Callable[[Wallet], SignedGrant]
) -> tuple[tuple[GrantMove, ...], int]:
    """The writes that bring every wallet over, in order, and the record map at the end.

    First goes what is left over: a superseded grant whose successor was brought over would
    be taken for the wallet by the next session. Then each new grant goes into a free record
    and what it replaces is emptied after it: every wallet is on the card at every moment.
    """
    kept, old_live = set(card.new.live.values()), card.old.live
    waiting = card.waiting
    needed = {old_live[wallet.slot] for wallet in waiting}
    free = [nr for nr in _numbers() if nr not in kept | needed]
    written = {item.number for item in card.state.old.grants if item.record != EMPTY_GRANT}
    moves = [GrantMove(number, None) for number in sorted(written - kept - needed)]
    for wallet in waiting:
        if not free:
            raise ConflictError("PURSE_SLOTS_FULL")
        number, before = free.pop(0), old_live[wallet.slot]
        moves += [GrantMove(number, signed_for(wallet)), GrantMove(before, None)]
        kept.add(number)
        free.append(before)
    return tuple(moves), map_of(tuple(kept))


def _numbers() -> range:
    return range(1, EF_GRANT.records + 1)


def init_record(state: ChangingState, intent_hash: bytes) -> Spend | None:
    """The first record of the new set, None when it is there.

    Same totals; ``day_spent`` stays with the time it belongs to.
    """
    if state.has_init:
        return None
    newest = state.old.newest
    assert newest.spend is not None
    return replace(
        newest.spend,
        type=SpendType.INIT,
        ctr=newest.spend.ctr + 1,
        intent_hash=intent_hash,
        terminal=0,
        seq=0,
        prev=record_hash(newest.record)[:PREV_SIZE],
    )

"""What a card session writes onto a purse: pure rules of PROTOCOL 2, *Load*.

:func:`decide` takes what the card attested and what the books say, and answers
with the grant to sign or to send again, the free record it goes into, what is to
be overwritten, and the map. It signs nothing and books nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from backend.domain.load_comparison import (
    PurseBooks,
    check_balances,
    check_grants,
    check_purse,
    check_watermark,
)
from backend.errors import ConflictError
from cardlib.codec.files import DF_BUONO_FIRST, EF_GRANT, EF_SPEND
from cardlib.codec.purse import TOTAL_CENTS_MAX, U24_MAX, Grant
from cardlib.dialogues.load import CardState, ReadDown, map_of
from cardlib.dialogues.purse_state import PurseState, Wallet, build_state, genuine_grant
from cardlib.errors import PurseRefusedError
from cardlib.keys.grants import SignedGrant
from cardlib.keys.module import SpendReading
from cardlib.keys.trust import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingOrder:
    """An approved order, as far as the card is concerned; ``delta`` in cents, dates as days.

    ``signed`` is its grant once there is one: the same bytes go out again, never others.
    """

    slot: int
    programme: int
    funding_source: int
    delta: int
    carry_over: bool
    categories: int
    valid_from: int
    valid_to: int
    day_limit_eur: int
    issuer_key: int
    signed: SignedGrant | None = None


@dataclass(frozen=True, slots=True)
class NewGrant:
    """A grant to be signed; ``carried`` and ``left`` are the old wallet's cents.

    What is left on it without being carried over goes to *expired* once the new
    grant is confirmed.
    """

    grant: Grant
    carried: int
    left: int


@dataclass(frozen=True, slots=True)
class LoadDecision:
    """``new`` is to be signed, ``again`` was signed before; at most one of them.

    ``number`` is the free record it goes into; ``clear`` are superseded records.
    """

    new: NewGrant | None
    again: SignedGrant | None
    number: int
    clear: tuple[int, ...]
    record_map: int


@dataclass(frozen=True, slots=True)
class CardView:
    """The card's wallets and the place of each validly signed grant, by record number.

    ``damaged``: records that hold something else than a valid grant or zeros.
    """

    purse: PurseState
    genuine: Mapping[int, SignedGrant]
    damaged: tuple[int, ...] = ()

    def record_of(self, signed: SignedGrant) -> int | None:
        """The record that holds exactly this grant."""
        wanted = bytes(signed)
        return next((nr for nr, held in self.genuine.items() if bytes(held) == wanted), None)

    @property
    def live(self) -> dict[int, int]:
        """Record number of each slot's wallet."""
        numbers = {slot: self.record_of(item.signed) for slot, item in self.purse.wallets.items()}
        return {slot: number for slot, number in numbers.items() if number is not None}

    @property
    def leftovers(self) -> tuple[int, ...]:
        """Records to overwrite with zeros: superseded grants, and what a tear left of one."""
        superseded = set(self.genuine) - set(self.live.values())
        return tuple(sorted(superseded.union(self.damaged)))

    @property
    def free(self) -> tuple[int, ...]:
        """Records without a validly signed grant, the damaged ones first."""
        empty = (
            nr
            for nr in range(1, EF_GRANT.records + 1)
            if nr not in self.genuine and nr not in self.damaged
        )
        return (*self.damaged, *empty)


def view(state: CardState, trust: Trust) -> CardView:
    """Reads the card as a till does; PurseRefusedError when its own records contradict it."""
    spends = []
    for item in state.spends:
        spends.append(SpendReading(item.read.index, item.record, item.spend))
        if item.spend is not None:
            break
    else:
        raise PurseRefusedError("PURSE_NO_RECORD")
    readings = {item.number: item for item in state.grants}
    purse = build_state(state.info, DF_BUONO_FIRST, spends, readings, trust, complete=True)
    opened = {nr: genuine_grant(item, state.info, trust) for nr, item in readings.items()}
    genuine = {nr: signed for nr, signed in opened.items() if signed is not None}
    damaged = tuple(
        nr for nr, item in sorted(readings.items()) if any(item.record) and nr not in genuine
    )
    return CardView(purse, genuine, damaged)


def decide(
    card: CardView, state: CardState, books: PurseBooks, order: WaitingOrder | None, today: int
) -> LoadDecision | ReadDown:
    """Compares and decides; ConflictError when this purse, or this order, is refused."""
    compared = compare(card, state, books, today)
    if isinstance(compared, ReadDown):
        return compared
    if order is None:
        return _tidy(card)
    if order.signed is not None:
        return _again(card, order.signed)
    if not card.free:
        return _tidy(card)
    return _sign(card, books, order, today)


def compare(card: CardView, state: CardState, books: PurseBooks, today: int) -> ReadDown | None:
    """None when card and books agree; ReadDown when more records are needed to tell."""
    hashes = {signed.grant.grant_seq: signed.hash for signed in card.genuine.values()}
    check_purse(card.purse, books, today)
    check_grants(card.purse, hashes, books)
    check_watermark(state.newest, books)
    if not check_balances(card.purse, state, books):
        return ReadDown(EF_SPEND.records)
    return None


def _tidy(card: CardView) -> LoadDecision:
    """No grant: what an earlier session left over is overwritten, the map set right."""
    return LoadDecision(None, None, 0, card.leftovers, map_of(tuple(card.live.values())))


def _again(card: CardView, signed: SignedGrant) -> LoadDecision:
    """The grant of an earlier session that tore: same number, same bytes."""
    slot = signed.grant.slot
    if card.record_of(signed) is not None:
        return _tidy(card)
    wallet, spend = card.purse.wallets.get(slot), card.purse.spend
    spent = spend.spent[slot - 1]
    outrun = wallet is not None and wallet.grant.grant_seq > signed.grant.grant_seq
    if outrun or not signed.grant.base_spent <= spent <= signed.grant.granted_total:
        raise ConflictError("ORDER_OUTRUN", slot=slot)
    if not card.free:
        return _tidy(card)
    return _placed(LoadDecision(None, signed, 0, (), 0), card, slot)


def _sign(card: CardView, books: PurseBooks, order: WaitingOrder, today: int) -> LoadDecision:
    if order.valid_to < today:
        raise ConflictError("ORDER_EXPIRED", slot=order.slot)
    new = _new_grant(card, books, order)
    return _placed(LoadDecision(new, None, 0, (), 0), card, order.slot)


def _placed(decision: LoadDecision, card: CardView, slot: int) -> LoadDecision:
    """A free record for the grant; what it supersedes goes after it is read back."""
    number, live = card.free[0], card.live
    replaced = live.pop(slot, None)
    clear = [nr for nr in card.leftovers if nr != number]
    if replaced is not None:
        clear.append(replaced)
    record_map = map_of((*live.values(), number))
    return replace(decision, number=number, clear=tuple(clear), record_map=record_map)


def _new_grant(card: CardView, books: PurseBooks, order: WaitingOrder) -> NewGrant:
    spend = card.purse.spend
    carried, left = _old_wallet(card.purse.wallets.get(order.slot), books, order)
    granted_total = spend.spent[order.slot - 1] + carried + order.delta
    highest = max((signed.grant.grant_seq for signed in card.genuine.values()), default=0)
    grant_seq = max(books.grant_seq_high, highest) + 1
    if granted_total > TOTAL_CENTS_MAX or grant_seq > U24_MAX or spend.ctr >= U24_MAX:
        raise PurseRefusedError("PURSE_FULL")
    grant = Grant(
        slot=order.slot,
        grant_seq=grant_seq,
        programme=order.programme,
        categories=order.categories,
        valid_from=order.valid_from,
        valid_to=order.valid_to,
        granted_total=granted_total,
        base_spent=spend.spent[order.slot - 1],
        base_ctr=spend.ctr,
        flags=0,
        day_limit_eur=order.day_limit_eur,
        issuer_key=order.issuer_key,
    )
    return NewGrant(grant, carried, left)


def _old_wallet(wallet: Wallet | None, books: PurseBooks, order: WaitingOrder) -> tuple[int, int]:
    """Cents of the old wallet that are carried over, and that are left behind.

    What the books have given up for good (``left``) is neither: the new grant simply
    does not contain it.
    """
    if wallet is None:
        return 0, 0
    slot = books.slot(order.slot)
    rest = max(0, wallet.balance.cents - slot.left)
    if wallet.grant.programme != order.programme or not order.carry_over:
        return 0, rest
    if slot.funding_source not in (None, order.funding_source):
        raise ConflictError("ORDER_OTHER_FUNDING", slot=order.slot)
    return rest, 0

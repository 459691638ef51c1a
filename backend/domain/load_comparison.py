"""Before a grant is signed: does the card agree with the books? (PROTOCOL 2, *Load*)

A leaked shop key can lower ``spent_total`` on a card; signing over that would turn
false money into granted money (PROTOCOL 1.11). So what the card attests is
compared with the ledger: the card may have less than the books (sales on their
way), never more, unless a void on its way explains it record by record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from backend.errors import ConflictError
from cardlib.codec.files import EF_SPEND
from cardlib.codec.purse import SLOTS, Spend, SpendType
from cardlib.dialogues.attested import AttestedSpend
from cardlib.dialogues.load import CardState
from cardlib.dialogues.purse_state import PurseState
from cardlib.keys.intent_rule import PREV_SIZE, record_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotView:
    """A slot in the books, in cents: what may still be spent, and what was given up.

    ``left`` expired for good or moved to another card, though the card still shows it.
    ``posted``: all that the slot's sales took, voids taken off; more than its accounts held,
    where exposure had to lend. ``funding_source`` is whose money the wallet holds, None when it
    never held any.
    """

    on_card: int = 0
    expired_pending: int = 0
    left: int = 0
    posted: int = 0
    funding_source: int | None = None

    @property
    def most(self) -> int:
        """What the card may show at most."""
        return self.on_card + self.expired_pending + self.left


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownGrant:
    """A grant that was signed here, by number; ``hash`` is SHA-256 of its 91 clear bytes."""

    grant_seq: int
    hash: bytes
    void: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedRecord:
    """A record whose posting is live: ``cents`` by slot as posted, below zero for a void."""

    hash: bytes
    proven: bool
    cents: Mapping[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PurseBooks:
    """A purse as the ledger knows it.

    ``proven_*`` is the watermark (PROTOCOL 6). ``base_*`` is the last proven record up
    to which everything is posted: the balances in ``slots`` stand on it. A void that the
    card proves gives nothing back before its till has told of it, or two people have given the
    wallet its money: it lies above the base.
    ``settled_voids``: counters above the base whose money is in ``slots`` again; ``held_back``:
    by counter and slot, what the others of them gave back, and ``slots`` lack.
    ``posted``: the last ones, by counter; ``proven``: records that the card has proven
    before, newest first, for those that its ring no longer holds.
    """

    info_core: bytes
    usable: bool
    proven_ctr: int
    proven_hash: bytes
    base_ctr: int
    base_hash: bytes
    grant_seq_high: int
    grants: tuple[KnownGrant, ...] = ()
    slots: Mapping[int, SlotView] = field(default_factory=dict)
    settled_voids: frozenset[int] = frozenset()
    held_back: Mapping[int, Mapping[int, int]] = field(default_factory=dict)
    posted: Mapping[int, PostedRecord] = field(default_factory=dict)
    proven: tuple[AttestedSpend, ...] = ()

    def slot(self, number: int) -> SlotView:
        """One slot, empty when nothing was ever booked on it."""
        return self.slots.get(number, SlotView())


def check_purse(purse: PurseState, books: PurseBooks, today: int) -> None:
    """ConflictError when the purse may not be loaded at all; ``today`` is a day number."""
    if purse.info.core != books.info_core:
        raise ConflictError("PURSE_INFO_DIFFERS")
    if not books.usable:
        raise ConflictError("PURSE_HOTLISTED")
    if purse.info.expiry < today:
        raise ConflictError("CARD_EXPIRED")


def check_grants(purse: PurseState, genuine: Mapping[int, bytes], books: PurseBooks) -> None:
    """ConflictError when the card holds a grant that the books do not have, or have otherwise.

    ``genuine``: hash of every validly signed grant on the card, by its number; two
    with one number have been found by ``purse`` already.
    """
    if purse.refused:
        slot, code = min(purse.refused.items())
        raise ConflictError(code, slot=slot)
    known = {grant.grant_seq: grant for grant in books.grants}
    for grant_seq, digest in genuine.items():
        grant = known.get(grant_seq)
        if grant is None:
            raise ConflictError("GRANT_UNKNOWN", grant_seq=grant_seq)
        if grant.hash != digest:
            raise ConflictError("GRANT_TWICE", slot=0)
        if grant.void:
            raise ConflictError("GRANT_WAS_VOID", grant_seq=grant_seq)


def check_watermark(newest: AttestedSpend, books: PurseBooks) -> None:
    """ConflictError ``PURSE_ROLLED_BACK``: nothing ever explains a state before a proven one."""
    assert newest.spend is not None
    ctr = newest.spend.ctr
    same = record_hash(newest.record) == books.proven_hash
    if ctr < books.proven_ctr or (ctr == books.proven_ctr and not same):
        raise ConflictError("PURSE_ROLLED_BACK", ctr=ctr, proven=books.proven_ctr)


def excess(purse: PurseState, books: PurseBooks) -> dict[int, int]:
    """By slot: cents that the card shows above the most that the books allow.

    A card that was opened again and emptied once more shows nothing, but less spent than was
    posted: what exposure had to lend is no account of the slot.
    """
    spent = purse.spend.spent
    above = {
        slot: max(
            wallet.balance.cents - books.slot(slot).most, books.slot(slot).posted - spent[slot - 1]
        )
        for slot, wallet in purse.wallets.items()
    }
    return {slot: cents for slot, cents in above.items() if cents > 0}


def check_balances(purse: PurseState, state: CardState, books: PurseBooks) -> bool:
    """Whether the balances were compared; False when the card's history must be read first.

    ConflictError ``CARD_ABOVE_LEDGER`` when voids do not explain all that is above.
    """
    above = excess(purse, books)
    if not above:
        return True
    history = linked(state.spends)
    if not _reaches_base(history, books) and len(state.spends) < EF_SPEND.records:
        return False
    if not _reaches_base(history, books):
        history = linked(_with_earlier(state.spends, books))
    falls = _falls(history, above, books)
    if falls is None or any(cents > falls[slot - 1] for slot, cents in above.items()):
        raise _above(above)
    return True


def _falls(
    history: Sequence[AttestedSpend], above: Mapping[int, int], books: PurseBooks
) -> list[int] | None:
    """What voids gave back that the books do not have, as far down as card and books disagree.

    Where records are missing that nobody knows, since a till told of none of them: what the card
    shows above them must be in order, and below stand the voids that the books hold back.
    """
    since = _agreed(history, above, books)
    if since is not None:
        return falls_by_void(history, books, since)
    ctrs = [item.spend.ctr for item in history if item.spend is not None]
    lowest = ctrs[-1] + 1  # the last one is needed to tell what a void was the void of
    falls = falls_by_void(history, books, lowest)
    below = [cents for ctr, cents in books.held_back.items() if ctr <= lowest]
    if falls is not None:
        falls = [sum((c.get(slot, 0) for c in below), at) for slot, at in enumerate(falls, 1)]
    return falls


def _above(above: Mapping[int, int]) -> ConflictError:
    slot, cents = min(above.items())
    return ConflictError("CARD_ABOVE_LEDGER", slot=slot, cents=cents)


def linked(spends: Sequence[AttestedSpend]) -> list[AttestedSpend]:
    """The valid records from the newest down, as far as each names the one below it."""
    chain: list[AttestedSpend] = []
    for item in spends:
        if item.spend is None or (chain and item.record == chain[-1].record):
            continue
        if chain and not _follows(chain[-1].spend, item):
            break
        chain.append(item)
    return chain


def _follows(above: Spend | None, below: AttestedSpend) -> bool:
    assert above is not None
    assert below.spend is not None
    prev = record_hash(below.record)[:PREV_SIZE]
    return above.ctr == below.spend.ctr + 1 and above.prev == prev


def _with_earlier(spends: Sequence[AttestedSpend], books: PurseBooks) -> list[AttestedSpend]:
    """What the ring holds, and below it what the card has proven before."""
    ctrs = [item.spend.ctr for item in spends if item.spend is not None]
    below = [item for item in books.proven if item.spend and item.spend.ctr < min(ctrs)]
    return [*spends, *below]


def _agreed(
    history: Sequence[AttestedSpend], above: Mapping[int, int], books: PurseBooks
) -> int | None:
    """The record from which on falls must be explained; None when ``history`` shows none.

    The last posted one; where a till that is silent for long leaves a gap above that, the
    newest proven one at which the card showed no more than the books.
    """
    if _reaches_base(history, books):
        return books.base_ctr
    off = dict(above)
    for item, below in pairwise(history):
        assert item.spend is not None
        assert below.spend is not None
        posted = books.posted.get(item.spend.ctr)
        if posted is not None and posted.hash != record_hash(item.record):
            posted = None
        if posted is not None and posted.proven and max(off.values()) <= 0:
            return item.spend.ctr
        for slot in off:
            taken = item.spend.spent[slot - 1] - below.spend.spent[slot - 1]
            off[slot] += taken - (posted.cents.get(slot, 0) if posted else 0)
    return None


def falls_by_void(
    history: Sequence[AttestedSpend], books: PurseBooks, since: int
) -> list[int] | None:
    """Cents per slot that voids above record ``since`` gave back, not yet in the books.

    None when ``history`` (newest first, linked, down to the record below that one) shows a
    fall that is no void of its own terminal's last sale.
    """
    spends = [item.spend for item in history if item.spend is not None]
    falls = [0] * SLOTS
    for at, spend in enumerate(spends):
        if spend.ctr <= since:
            break
        taken = [new - old for new, old in zip(spend.spent, spends[at + 1].spent, strict=True)]
        if min(taken) >= 0:
            continue
        if not _is_void_of_last(spends[at:], taken):
            return None
        if spend.ctr in books.settled_voids:
            continue
        falls = [fall - cents for fall, cents in zip(falls, taken, strict=True)]
    return falls


def undone(void: Spend, sale: Spend, taken: Mapping[int, int]) -> dict[int, int]:
    """By slot: cents that ``void`` gave back of what its ``sale`` directly below has ``taken``."""
    if (void.type, sale.type) != (SpendType.VOID, SpendType.SALE) or void.terminal != sale.terminal:
        return {}
    fell = {slot: sale.spent[slot - 1] - void.spent[slot - 1] for slot in taken}
    return {slot: max(0, min(fell[slot], cents)) for slot, cents in taken.items()}


def _reaches_base(history: Sequence[AttestedSpend], books: PurseBooks) -> bool:
    """Whether the last posted record is in it, and the one below that (there is none below 0)."""
    ctrs = [item.spend.ctr for item in history if item.spend is not None]
    found = any(record_hash(item.record) == books.base_hash for item in history)
    return found and ctrs[-1] <= max(books.base_ctr - 1, 0)


def _is_void_of_last(spends: Sequence[Spend], taken: Sequence[int]) -> bool:
    """Whether ``spends[0]`` takes back at most what the sale just below it took."""
    if len(spends) < 3:
        return False
    void, sale, before = spends[:3]
    sold = [new - old for new, old in zip(sale.spent, before.spent, strict=True)]
    return (
        (void.type, sale.type) == (SpendType.VOID, SpendType.SALE)
        and void.terminal == sale.terminal
        and all(0 <= -cents <= most for cents, most in zip(taken, sold, strict=True))
    )

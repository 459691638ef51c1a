"""A purse as the ledger knows it, for the rules of ``backend.domain.load``."""

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

from backend.adapters.tables.cards import CardGrantRow, PurseRow
from backend.adapters.tables.verdicts import PostingRow
from backend.adapters.unit_of_work import Unit
from backend.domain.ledger import AccountKind
from backend.domain.load_comparison import (
    KnownGrant,
    PostedRecord,
    PurseBooks,
    SlotView,
    undone,
)
from backend.domain.verdicts import RING_SIZE
from backend.services.verdicts.claim_rules import HOLDS_BACK
from backend.services.wallets.present import given_up
from cardlib.codec.purse import SLOTS, Spend
from cardlib.dialogues.attested import AttestedSpend
from cardlib.keys.suites import MAC_SIZE
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.entry_body import AttestedRead
from cardlib.wire.ids import PurseId

_NEVER_PROVEN = -1


class IssuerTrust:
    """Implements ``cardlib.keys.trust.Trust`` with the issuer keys of this installation."""

    def __init__(self, unit: Unit) -> None:
        self._keys = {
            (municipality.issuer, key.key_id): PublicKey(key.public_key)
            for municipality, key in unit.programmes.issuer_keys()
        }

    def issuer_key(self, issuer: bytes, key_id: int) -> PublicKey | None:
        """The key that signs an issuer's grants."""
        return self._keys.get((issuer, key_id))

    def least_grant_seq(self, _purse: PurseId) -> int:
        """A backend judges every grant that it finds."""
        return 0


def books_of(unit: Unit, purse: PurseRow) -> PurseBooks:
    """What is known of ``purse`` now."""
    rows = unit.cards.grants_of(purse.id)
    grants = tuple(
        KnownGrant(
            grant_seq=row.grant_seq,
            hash=sha256(row.grant + row.signature).digest(),
            void=row.state == "void",
        )
        for row in rows
    )
    proven = purse.proven_hash is not None
    held_back = _held_back(unit, purse)
    base = min([purse.card_mark, *(ctr - 1 for ctr in held_back)])
    shown = unit.verdicts.postings(purse.id, max(min(base, purse.card_mark - RING_SIZE), 0))
    voids = [row for row in shown if row.is_void and row.live and row.state == "proven"]
    sums = unit.verdicts.posted_by_slot(purse.id)
    return PurseBooks(
        info_core=purse.info_core,
        usable=purse.state == "active" and purse.hotlisted_at is None,
        proven_ctr=purse.proven_ctr if proven else _NEVER_PROVEN,
        proven_hash=purse.proven_hash or b"",
        base_ctr=base,
        base_hash=_posted_hash(unit, purse, base),
        settled_voids=frozenset(row.ctr for row in voids if row.ctr not in held_back),
        held_back=held_back,
        posted={row.ctr: _posted(row) for row in shown if row.live},
        proven=_proven(unit, purse, base),
        grant_seq_high=purse.grant_seq_high,
        grants=grants,
        slots={
            slot: _slot(unit, purse, slot, rows, sums.get(slot, 0)) for slot in range(1, SLOTS + 1)
        },
    )


def _held_back(unit: Unit, purse: PurseRow) -> dict[int, dict[int, int]]:
    """By void and slot: cents that it gave back on the card, and its sale still takes in the books.

    Voids that the card proves and that gave the wallet nothing: they wait for their till's word,
    or for two people, or these have left the money with the shop. One without a posted sale
    explains nothing by itself.
    """
    ctrs = unit.verdicts.voids_without_effect(purse.id, HOLDS_BACK)
    if not ctrs:
        return {}
    from_ctr = ctrs[0] - 1
    live = (row for row in unit.verdicts.records(purse.id, from_ctr) if row.live)
    spends = {row.ctr: Spend.decode(row.clear) for row in live}
    taken = {row.ctr: _cents(row) for row in unit.verdicts.postings(purse.id, from_ctr) if row.live}
    return {
        ctr: undone(spends[ctr], spends[ctr - 1], taken[ctr - 1]) if ctr - 1 in taken else {}
        for ctr in ctrs
    }


def _cents(row: PostingRow) -> Counter[int]:
    cents = Counter[int]()
    for part in row.parts:
        cents[part.slot] += part.cents
    return cents


def _posted(row: PostingRow) -> PostedRecord:
    return PostedRecord(hash=row.record_hash, proven=row.state == "proven", cents=_cents(row))


def _proven(unit: Unit, purse: PurseRow, base: int) -> tuple[AttestedSpend, ...]:
    """The live records that the card proves, from the newest down to the one below ``base``."""
    nothing = bytes(MAC_SIZE)
    return tuple(
        AttestedSpend(AttestedRead(1, row.record, nothing, nothing), Spend.decode(row.clear))
        for row in reversed(unit.verdicts.records(purse.id, max(base - 1, 0)))
        if (row.proven and row.live) or (row.attested and row.ctr == 0)
    )


def _posted_hash(unit: Unit, purse: PurseRow, ctr: int) -> bytes:
    """The record up to which everything is posted; the attested init record at the start."""
    for row in unit.verdicts.records(purse.id, ctr):
        if row.ctr == ctr and (row.live or (row.ctr == 0 and row.attested)):
            return row.record_hash
    return b""


def _slot(
    unit: Unit, purse: PurseRow, slot: int, grants: Sequence[CardGrantRow], posted: int
) -> SlotView:
    accounts = unit.ledger.present_accounts(purse.id, slot)
    held = [account for account, balance in accounts if balance]
    return SlotView(
        on_card=sum(cents for item, cents in accounts if item.kind is AccountKind.ON_CARD),
        expired_pending=sum(
            cents for item, cents in accounts if item.kind is AccountKind.EXPIRED_PENDING
        ),
        left=given_up(unit, purse, slot, grants),
        posted=posted,
        funding_source=held[-1].funding_source if held else None,
    )
